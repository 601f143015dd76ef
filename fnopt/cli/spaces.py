"""Search spaces for the command line: the standard one, and those that a TOML file describes."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fnopt import schedules
from fnopt import space as spaces
from fnopt._checks import one_of

RANGES = {
    name: getattr(spaces, name)
    for name in ("uniform", "log_uniform", "one_minus_log_uniform", "integer", "log_integer", "normal", "log_normal")
}
SCHEDULES = [
    name
    for name, made in vars(schedules).items()
    if callable(made) and name.islower() and name[0] != "_" and name != "filled"
]
KINDS = (*RANGES, "choice", "value", "schedule")
EXTRAS = ("points", "when")
LARGEST = 2**20  # bytes of a space file


def standard(task: str, epochs: int) -> dict[str, Any]:
    """What ``fnopt sweep`` searches unless a file says otherwise: the numbers and structures that matter most.

    The rate falls to zero over the ``epochs`` of the longest training. Classes have smoothed labels besides.
    """
    smoothing = {"label_smoothing": spaces.uniform(0.0, 0.2)} if task == "classes" else {}
    return {
        "lr": schedules.cosine(spaces.log_uniform(3e-4, 3e-2), steps=float(epochs)).every(staircase=0.0),
        "b1": spaces.when(optimizer="adam", b1=spaces.one_minus_log_uniform(0.5, 0.999)),
        "l2": spaces.log_uniform(1e-6, 1e-2),
        "dropout": spaces.uniform(0.0, 0.5),
        **smoothing,
        "batch_size": spaces.choice(32, 64, 128),
        "hidden": spaces.choice((64,), (64, 64), (128, 64)),
        "optimizer": spaces.choice("momentum", "rmsprop", "adam"),
    }


def read_space(path: str | Path) -> dict[str, Any]:
    """A space from a TOML file: one line a name, ``{kind = values}`` for a range, a plain value where it is fixed.

        lr = {log_uniform = [1e-4, 1e-1], points = 7}           # points: its values in a grid
        b1 = {one_minus_log_uniform = [0.5, 0.999], when = {optimizer = "adam"}}
        hidden = {choice = [[32], [64, 64]]}
        optimizer = {choice = ["momentum", "adam"]}
        momentum_decay = {value = 0.004, when = {optimizer = ["nadam"]}}  # when: this value, or any of these
        norm = "none"                                           # or "batch"
        batch_size = 64

    A schedule holds its own fields: ``lr = {schedule = "cosine", peak = {log_uniform = [1e-4, 1e-1]}, steps = 900}``.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: for what is not TOML, an unknown kind (naming the nearest) or bounds that cannot be.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {str(path)!r} to read the space from")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{str(path)!r} holds more than {LARGEST // 2**20} MB; a space is a few lines")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError:
        raise ValueError(f"{path} is nested too deep; write {{…}} and […] in a few levels") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    except ValueError as error:  # Python's own limit on the digits of a whole number
        raise ValueError(f"{path} holds a whole number of too many digits; write a shorter one, or 1e9") from error
    if not content:
        raise ValueError(f"{path} names nothing to search; write a line such as lr = {{log_uniform = [1e-4, 1e-1]}}")
    return parse(content, str(path))


def parse(content: Mapping[str, Any], where: str = "space") -> dict[str, Any]:
    """A space from what TOML gives.

    >>> parse({"lr": {"log_uniform": [0.001, 0.1]}, "batch_size": 64})
    {'lr': log_uniform(0.001, 0.1), 'batch_size': 64}
    """
    made = {}
    for name, value in content.items():
        try:
            made[name] = _entry(name, value)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{where}: {name}: {error}") from error
    return made


def _entry(name: str, value: Any) -> Any:
    """One name: its space or value, under its condition if it has one."""
    if not isinstance(value, Mapping):
        return _plain(name, value)
    rest = {key: inner for key, inner in value.items() if key != "when"}
    made = _made(name, rest)
    if "when" not in value:
        return made
    if not isinstance(value["when"], Mapping) or not value["when"]:
        raise ValueError(f'`when` wants names and their values, as in {{optimizer = "adam"}}, got {value["when"]!r}')
    if name in value["when"]:
        raise ValueError(f"`when` names {name} itself: its condition is the value of another name")
    given = {other: _any_of(other, wanted) for other, wanted in value["when"].items()}
    return spaces.when(**given, **{name: made})


def _made(name: str, table: Mapping[str, Any]) -> Any:
    """A range, a choice, a fixed value or a schedule, from its table without the condition."""
    if "schedule" in table:
        return _schedule(name, table)
    kinds = [key for key in table if key not in EXTRAS]
    for key in kinds:
        one_of("kind of range", key, KINDS)
    if len(kinds) != 1:
        raise ValueError(f"expected one of {', '.join(KINDS)}, got {', '.join(kinds) or 'none'}")
    kind, content = kinds[0], table[kinds[0]]
    points = {"points": table["points"]} if "points" in table else {}
    if points and kind not in RANGES:
        raise ValueError(f"`points` is for ranges, not for {kind}")
    if kind == "value":
        return _plain(name, content)
    if not isinstance(content, list):
        raise ValueError(f"{kind} wants a list, as in {{{kind} = [{'32, 64' if kind == 'choice' else 'low, high'}]}}")
    if kind == "choice" and len(content) == 1 and isinstance(content[0], list):
        inside = ", ".join(map(repr, content[0]))
        raise ValueError(
            f"choice of one option: write {{choice = [{inside}]}} for several, or {name} = [{inside}] for one value"
        )
    if kind == "choice":
        return spaces.choice(*(_entry(name, option) for option in content))
    if len(content) != 2:
        raise ValueError(f"{kind} wants two numbers, got {len(content)}")
    return RANGES[kind](*content, **points)


def _schedule(name: str, table: Mapping[str, Any]) -> Any:
    kind = one_of("schedule", table["schedule"], SCHEDULES)
    fields = {field: _entry(name, value) for field, value in table.items() if field != "schedule"}
    return getattr(schedules, kind)(**fields)


def _any_of(name: str, wanted: Any) -> Any:
    return [_plain(name, one) for one in wanted] if isinstance(wanted, list) else _plain(name, wanted)


def _plain(name: str, value: Any) -> Any:
    """A fixed value: lists are tuples, and TOML, which has no None, writes it "none"."""
    if name == "norm" and value == "none":
        return None
    return tuple(value) if isinstance(value, list) else value
