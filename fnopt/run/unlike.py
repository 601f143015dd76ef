"""In what two sweeps differ, in the words of the caller: options on the command line, arguments in Python."""

import shlex
from collections.abc import Mapping
from typing import Any

from fnopt._checks import printable
from fnopt.sweep.plan import differences

APART = ("format", "identity", "configs", "widths", "measured", "fingerprint", "versions", "notes", "digest")
NAMES = {"every": "train_every", "objective": "objective", "stop": "stop", "class_weight": "class_weight"}
HOW = ("threads", "minutes", "out", "repeat")  # options on which no result depends
SHOWN = 50  # characters of a value, at most
NOTHING = "nothing"


class Taken(ValueError):
    """A folder that holds another sweep, or something else."""


class OtherSweep(Taken):
    """A folder that holds another sweep than the one that was asked for.

    ``unlike`` lists what differs, ``settings`` those of JAX; ``data`` is whether it is the data alone.
    """

    def __init__(self, folder: str, there: Mapping[str, Any], asked: Mapping[str, Any]):
        self.unlike, self.data = unlike(there, asked), _names(there, asked) == ["data"]
        self.settings = settings = settings_unlike(there, asked)
        if settings:
            said = f"cannot be continued with the same bits: {'; '.join(settings)}"
        elif self.data:
            said = "holds a sweep of other data"
        else:
            said = f"holds another sweep: {', '.join(self.unlike) or 'it differs'}"
        super().__init__(f"{folder!r} {said}. {'' if settings else cure(folder, asked)}".rstrip())


def cure(folder: str, asked: Mapping[str, Any]) -> str:
    """What to do where a folder holds another sweep; it holds results, so no message says to remove it."""
    if _command(asked):
        return f"--out names another folder for this one; `fnopt resume {shlex.quote(folder)}` continues the other"
    return f"Choose another `path` for this one, or the arguments that it was begun with; fo.open({folder!r}) shows it"


def settings_unlike(there: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """The settings of JAX that change data and keys, so that the same call is another sweep."""
    return differences(there["fingerprint"], asked["fingerprint"], only=("x64", *KEYS))


KEYS = ("threefry_partitionable", "default_prng_impl", "random_seed_offset")  # settings that change what is drawn


def unlike(there: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """What differs, as in ``epochs 20 → 10``; as in ``--epochs 20 → 10`` where both came from the command line."""
    then, now = _command(there), _command(asked)
    if then and now:
        options = [
            f"--{name} {_shown(then.get(name))} → {_shown(now.get(name))}"
            if name != "data"
            else f"DATA {_shown(then.get(name))} → {_shown(now.get(name))}"
            for name in now
            if name not in HOW and then.get(name) != now[name]
        ]
        if options:
            return options
    return [text for name in _names(there, asked) for text in _texts(name, there.get(name), asked[name])]


def _names(there: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    names = [name for name in asked if name not in APART and there.get(name) != asked[name]]
    return [name for name in names if name != "options"] or names  # the options follow from the space


def _texts(name: str, then: Any, now: Any) -> list[str]:
    if name == "data":
        return ["other data"]
    if name == "key":
        return ["another key"]
    if name == "folds":
        return [f"folds {_count(then)} → {_count(now)}"]
    if isinstance(then, dict) and isinstance(now, dict):
        inner = [n for n in {**then, **now} if then.get(n) != now.get(n)]
        return [f"{name} {n}: {_shown(then.get(n))} → {_shown(now.get(n))}" for n in inner]
    return [f"{NAMES.get(name, name)} {_shown(then)} → {_shown(now)}"]


def _count(folds: Any) -> str:
    return NOTHING if folds is None else f"{len(folds)} of some rows"


def _shown(value: Any) -> str:
    if value is None or value == []:
        return NOTHING
    text = printable("/".join(map(str, value)) if isinstance(value, list) else str(value))
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _command(asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """The options of the command line, where it ran the sweep."""
    command = asked["notes"].get("command") if isinstance(asked.get("notes"), dict) else None
    return command if isinstance(command, dict) else None
