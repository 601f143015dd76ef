"""JSON files of a folder with fields that were changed, signed again or not, and files that hold odd JSON."""

import copy
import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.abuse.folders import ACTS
from benchmarks.abuse.outcome import Refused, called, command
from benchmarks.abuse.studies import copy_of, finished, table, test_lines
from benchmarks.abuse.tally import Failed, Trial

OTHERS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7, 1.5, -0.25, 1e308, 10**400, "", "x", "2", "\x1b]0;title\x07", [], [1], [[]], {},
    {"x": 1}, ["a", {"b": None}], float("nan"), float("inf"), 2**63, "a" * 10_000,
)  # fmt: skip


def _paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*at, key))


def _changed(value: Any, at: tuple[Any, ...], rng: random.Random) -> tuple[Any, str]:
    """The value with one field changed, and what was done."""
    value = copy.deepcopy(value)
    where = value
    for key in at[:-1]:
        where = where[key]
    old, what = where[at[-1]], rng.randrange(10)
    if what == 0:
        del where[at[-1]]
        return value, "removed"
    if what == 1 and isinstance(old, int | float) and not isinstance(old, bool):
        where[at[-1]] = old + rng.choice((1, -1, 0.5, 1e-3))
    elif what == 2 and isinstance(where, dict):
        where[f"{at[-1]}_"] = where.pop(at[-1])
        return value, "renamed"
    else:
        where[at[-1]] = rng.choice([other for other in OTHERS if repr(other) != repr(old)])
    return value, f"= {str(where[at[-1]])[:24]!r}"


def signed(described: dict[str, Any]) -> dict[str, Any]:
    """A described file with the digest that fits what it holds now."""
    bare = {name: value for name, value in described.items() if name != "digest"}
    return {**bare, "digest": hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()}


def _forged(name: str, rng: random.Random, number: int, sign: bool, act: Callable[[Path], None]) -> Iterator[Trial]:
    whole = json.loads((finished().folder / name).read_text())
    places = [at for at in _paths(whole) if at != ("digest",) or not sign]
    for k in range(number):
        at = places[k % len(places)] if k < len(places) else rng.choice(places)
        value, what = _changed(whole, at, rng)

        def do(value: Any = value) -> None:
            folder = copy_of(finished())
            made = signed(value) if sign and isinstance(value, dict) else value
            (folder / name).write_text(json.dumps(made, indent=1))
            act(folder)
            shutil.rmtree(folder.parent)

        yield Trial(f"{name} {'.'.join(map(str, at))} {what}{', signed' if sign else ''}", do)


def of_test(rng: random.Random) -> Iterator[Trial]:
    """``test.json`` with one field changed: what is shown is what the winner scores."""

    def act(folder: Path) -> None:
        shown = command("resume", str(folder))
        if shown.code == 0 and test_lines(shown.out) != finished().test:
            raise Failed(f"shows {test_lines(shown.out)} for {finished().test}")

    yield from _forged("test.json", rng, 150, False, act)


def of_sweep(rng: random.Random) -> Iterator[Trial]:
    """``sweep.json`` with one field changed and signed again: it may be another sweep, in clear words."""
    import fnopt as fo

    def act(folder: Path) -> None:
        sweep = called(lambda: fo.open(folder))
        if not isinstance(sweep, Refused):
            called(lambda: str(sweep))
            called(sweep.table)
        if rng.random() < 0.5:
            command("resume", str(folder), "--minutes", "0.02")

    yield from _forged("sweep.json", rng, 400, True, act)


def of_model(rng: random.Random) -> Iterator[Trial]:
    """``model.json`` with one field changed and signed again."""
    import fnopt as fo

    def act(folder: Path) -> None:
        run = called(lambda: fo.load(folder / "model.safetensors"))
        if not isinstance(run, Refused):
            called(lambda: str(run))
            command("predict", str(folder), str(table()))

    yield from _forged("model.json", rng, 200, True, act)


def _deep(opening: str, closing: str, depth: int = 100_000) -> bytes:
    return (opening * depth + closing * depth).encode()


ODD: dict[str, bytes] = {
    "null": b"null", "a list": b"[]", "an object": b"{}", "a number": b"3", "text": b'"x"', "nothing": b"",
    "blanks": b"   \n", "deep lists": _deep("[", "]"), "deep objects": _deep('{"a":', "") + b"1" + b"}" * 100_000,
    "half": b'{"format": ', "two values": b"{} {}", "NaN": b"NaN", "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"format": 5}'.encode("utf-16"), "a mark in front": b"\xef\xbb\xbf{}", "a long number": b"9" * 100_000,
    "a lone surrogate": b'{"a": "\\ud800"}', "zero bytes": bytes(4096), "a control character": b'{"a": "\x1b"}',
    "the same name twice": b'{"format": 5, "format": 4}', "an old format": b'{"format": 1}',
    "a new format": b'{"format": 999}', "format as text": b'{"format": "5"}', "format as a list": b'{"format": [5]}',
    "an infinite format": b'{"format": 1e999}',
}  # fmt: skip


def of_odd(rng: random.Random) -> Iterator[Trial]:
    """Files that hold other JSON than fnopt writes, or none."""
    files, acts = ("sweep.json", "model.json", "test.json"), ("resume", "open", "load", "predict")
    plan = [(file, odd, act) for odd in ODD for file in files for act in acts if _reads(act, file)]
    for file, odd, act in plan:

        def do(file: str = file, odd: str = odd, act: str = act) -> None:
            folder = copy_of(finished())
            (folder / file).write_bytes(ODD[odd])
            ACTS[act](folder, finished())
            shutil.rmtree(folder.parent)

        yield Trial(f"{odd} as {file}, then {act}", do)


def _reads(act: str, file: str) -> bool:
    return act == "resume" or (file == "sweep.json") == (act == "open")
