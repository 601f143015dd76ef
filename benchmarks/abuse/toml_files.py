"""Odd space files: refused in words, or searched as they stand."""

import csv
import random
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.abuse.outcome import command
from benchmarks.abuse.studies import scratch, table
from benchmarks.abuse.tally import Failed, Trial

KINDS = ("uniform", "log_uniform", "one_minus_log_uniform", "integer", "log_integer", "normal", "log_normal", "choice")
BOUNDS = (
    "[]", "[1]", "[1, 2, 3]", "[2, 1]", "[1, 1]", "[nan, 1]", "[-inf, inf]", '["a", "b"]', "[true, false]", "3", '"x"',
    "{}", "[[1], [2]]", "[0, 1e400]", "[1e-400, 1]", "[0.9, 0.99999999]", "[-1, 1]", "[0, 0]", "[1e-3, 1e-1]", "[2, 9]",
    "[0.5, 0.9]", "[1e-30, 1e-2]", "[0.1, 0.1000001]", "[1, 60]", "[16, 100000]", "[0.0, 0.99]", "[1e-7, 1]",
)  # fmt: skip
RANGE = "lr = {log_uniform = [1e-3, 1e-1]}\n"
WHOLE = {
    "nothing": "",
    "no TOML": "lr = {{{",
    "an unknown name": "lrr = 0.1\n",
    "a name twice": "lr = 0.1\nlr = 0.2\n",
    "a table": "[lr]\nlog_uniform = [1e-3, 1e-1]\n",
    "two ranges": "lr = {log_uniform = [1e-3, 1e-1], uniform = [0, 1]}\n",
    "an unknown range": "lr = {loguniform = [1e-3, 1e-1]}\n",
    "a list for a number": "lr = [0.1, 0.2]\n",
    "a date": "lr = 2020-01-01\n",
    "a name with escapes": '"\\u001b]0;t\\u0007" = 0.1\n',
    "a reserved name": "score = {uniform = [0, 1]}\n",
    "a dotted name": "lr.peak = 0.1\n",
    "an empty name": '"" = 0.1\n',
    "when without a condition": "b1 = {uniform = [0.5, 0.9], when = {}}\n",
    "when of an unknown name": 'b1 = {uniform = [0.5, 0.9], when = {optimiser = "adam"}}\n',
    "when that cannot hold": 'b1 = {uniform = [0.5, 0.9], when = {optimizer = "sgd"}}\noptimizer = "adam"\n',
    "a cycle of when": "l2 = {uniform = [0, 1], when = {l1 = 0.1}}\nl1 = {choice = [0.1], when = {l2 = 0.1}}\n",
    "when of itself": "l2 = {uniform = [0, 1], when = {l2 = 0.1}}\n",
    "deep lists": "lr = " + "[" * 3000 + "]" * 3000 + "\n",
    "deep tables": "lr = " + "{a=" * 2000 + "1" + "}" * 2000 + "\n",
    "huge layers": f"{RANGE}hidden = [1000000000000]\n",
    "large layers": f"{RANGE}hidden = [200000, 200000]\n",
    "no layers": f"{RANGE}hidden = []\n",
    "one configuration": "hidden = []\n",
    "layers of text": 'hidden = ["a"]\n',
    "a negative layer": "hidden = [-4]\n",
    "a whole number of 400 digits": "lr = " + "9" * 400 + "\n",
    "no unit": "batch_size = 0\n",
    "epochs of text": 'epochs = "many"\n',
    "epochs as a range": "epochs = {integer = [1, 2]}\n",
    "an unknown optimizer": 'optimizer = "adamm"\n',
    "a choice of nothing": "optimizer = {choice = []}\n",
    "a choice of a list": "batch_size = {choice = [[16, 32]]}\n",
    "plain values": "lr = 0.01\nl2 = {uniform = [0, 1]}\nhidden = [4]\n",
    "a true number": "lr = true\n",
    "zero bytes": "lr = 0.1\x00\n",
    "a comment only": "# nothing\n",
    "a mark in front": f"\ufeff{RANGE}hidden = [4]\n",
    "line ends of Windows": f"{RANGE}hidden = [4]\n".replace("\n", "\r\n"),
    "whole numbers for real ones": "l2 = {uniform = [0, 1]}\nlr = 1\nhidden = [4]\n",
    "a condition that holds for some": 'b1 = {uniform = [0, 0.9], when = {optimizer = "adam"}}\n'
    'optimizer = {choice = ["adam", "sgd"]}\nhidden = [4]\n',
}


def of_toml(rng: random.Random) -> Iterator[Trial]:
    """Every kind of range with every odd bound, and files that are odd as a whole."""
    for name, text in WHOLE.items():
        yield Trial(name, _searched(text), 120.0)
    plan = [(kind, bounds) for kind in KINDS for bounds in BOUNDS]
    rng.shuffle(plan)
    for kind, bounds in plan[:80]:
        name = "batch_size" if "integer" in kind else rng.choice(("lr", "dropout", "l2", "b1"))
        ends = (name, kind, bounds)
        yield Trial(" ".join(ends), _searched(f"{name} = {{{kind} = {bounds}}}\nhidden = [4]\n", ends), 120.0)


def _searched(text: str, ends: tuple[str, str, str] | None = None) -> Callable[[], None]:
    def do() -> None:
        folder = scratch()
        (folder / "space.toml").write_text(text, encoding="utf-8")
        shown = command(
            "sweep", str(table()), "--target", "kind", "--space", str(folder / "space.toml"), "--n", "2",
            "--epochs", "1", "--out", str(folder / "out"),
        )  # fmt: skip
        if shown.code == 2 and (folder / "out").exists():
            raise Failed(f"a folder was left behind after {shown.err.strip()!r}")
        if shown.code == 0 and ends:
            _inside(folder / "out" / "results.csv", *ends)
        shutil.rmtree(folder)

    return do


def _inside(path: Path, name: str, kind: str, bounds: str) -> None:
    """Every value that was drawn lies within the bounds as they are written, or is one of the options."""
    written = tomllib.loads(f"a = {bounds}")["a"]
    with path.open(encoding="utf-8", newline="") as file:
        drawn = [float(row[name]) for row in csv.DictReader(file)]
    for value in drawn:
        near = [abs(value - end) <= 1e-6 * abs(end) for end in written]
        if kind == "choice" and not any(near):
            raise Failed(f"{value} is none of {bounds}")
        if "normal" not in kind and not (any(near) or min(written) <= value <= max(written)):
            raise Failed(f"{value} lies outside {bounds}")
