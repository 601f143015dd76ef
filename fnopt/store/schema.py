"""What JSON from a file may look like: checked once, as it is read, so that nothing after it meets another type.

A schema is a function ``(value, where) -> None`` that raises ValueError, naming the place, what belongs there and what
stands there. Digests show accidents; these checks hold for files that were written, and signed, on purpose.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

Schema = Callable[[Any, str], None]
DEEP = 100  # levels of lists and dicts, at most
SHOWN = 60  # characters of a value in a message, at most
MOST = 2**1023  # a larger whole number is no float


def read_json(content: bytes, path: str) -> Any:
    """What a JSON file holds.

    Raises:
        ValueError: where it is no JSON, or nested deeper than any that fnopt writes.
    """
    try:
        value = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{path!r} is damaged: it is no text in UTF-8") from None
    except RecursionError:
        raise ValueError(f"{path!r} is damaged: it is nested deeper than {DEEP} levels") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path!r} is damaged: {error!s:.200}") from error
    except ValueError:
        raise ValueError(f"{path!r} is damaged: it holds a number of more digits than fnopt writes") from None
    check_depth(value, DEEP, f"{path!r} is damaged: it")
    return value


def check_depth(value: Any, most: int, what: str = "it") -> None:
    """ValueError where lists and dicts are nested deeper; without recursion."""
    level, depth = [value], 0
    while level:
        if depth > most:
            raise ValueError(f"{what} is nested deeper than {most} levels")
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, dict | list)
        ]
        depth += 1


def shown(value: Any) -> str:
    """A value in few words, for a message."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _wrong(where: str, wanted: str, value: Any) -> ValueError:
    return ValueError(f"{where} must be {wanted}, got {shown(value)}")


def whole(low: int = 0, high: int = 2**53) -> Schema:
    """A whole number from ``low`` to ``high``."""

    def check(value: Any, where: str) -> None:
        if type(value) is not int or not low <= value <= high:
            raise _wrong(where, f"a whole number from {low} to {high}", value)

    return check


def number(low: float = -math.inf, high: float = math.inf) -> Schema:
    """A number from ``low`` to ``high``; a whole one counts."""

    def check(value: Any, where: str) -> None:
        finite = abs(value) < MOST if type(value) is int else type(value) is float and math.isfinite(value)
        if not finite or not low <= value <= high:
            raise _wrong(where, "a number" if low == -math.inf else f"a number from {low:g} to {high:g}", value)

    return check


def text(value: Any, where: str) -> None:
    """Text."""
    if not isinstance(value, str):
        raise _wrong(where, "text", value)


def flag(value: Any, where: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", value)


def anything(value: Any, where: str) -> None:
    """Whatever JSON has."""


def one_of(*known: Any) -> Schema:
    """One of some values, of the same type."""

    def check(value: Any, where: str) -> None:
        if not any(type(value) is type(k) and value == k for k in known):
            raise _wrong(where, f"one of {', '.join(map(repr, known))}", value)

    return check


def maybe(inner: Schema) -> Schema:
    """The same, or null."""

    def check(value: Any, where: str) -> None:
        if value is not None:
            inner(value, where)

    return check


def either(wanted: str, *some: Schema) -> Schema:
    """What one of several schemas takes; ``wanted`` says it in words."""

    def check(value: Any, where: str) -> None:
        for schema in some:
            try:
                return schema(value, where)
            except ValueError:
                continue
        raise _wrong(where, wanted, value)

    return check


def list_of(inner: Schema, least: int = 0, most: int | None = None) -> Schema:
    """A list of such values, from ``least`` to ``most`` of them."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise _wrong(where, "a list", value)
        if len(value) < least or (most is not None and len(value) > most):
            some = f"{least}" if most == least else f"{least} or more" if most is None else f"{least} to {most}"
            raise ValueError(f"{where} must have {some} values, got {len(value)}")
        for k, one in enumerate(value):
            inner(one, f"{where}[{k}]")

    return check


def row(*inner: Schema) -> Schema:
    """A list with one schema a place."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, list) or len(value) != len(inner):
            raise _wrong(where, f"a list of {len(inner)} values", value)
        for k, (one, schema) in enumerate(zip(value, inner, strict=True)):
            schema(one, f"{where}[{k}]")

    return check


def dict_of(inner: Schema) -> Schema:
    """A dict of any names to such values."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, "a dict", value)
        for name, one in value.items():
            inner(one, f"{where}.{shown(name)[1:-1]}")

    return check


def record(fields: Mapping[str, Schema], more: Mapping[str, Schema] | None = None) -> Schema:
    """A dict with these names, and perhaps those of ``more``; others are neither checked nor read."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, "a dict", value)
        for name, schema in {**fields, **(more or {})}.items():
            if name in value:
                schema(value[name], f"{where}.{name}")
            elif name in fields:
                raise ValueError(f"{where} lacks {name!r}")

    return check
