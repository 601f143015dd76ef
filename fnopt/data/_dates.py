"""Dates and times in the usual forms, as numbers: year, month, day, weekday, hour."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

import numpy as np

_CLOCK = r"(?P<h>\d{1,3}):(?P<mi>\d{2})(?::(?P<s>\d{2}(?:[.,]\d+)?))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
_ZONE = r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
_TAIL = rf"(?:(?:[T ]\s*|,\s+){_CLOCK}{_ZONE})?"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NAME = rf"(?P<name>(?i:{'|'.join(_MONTHS)})[a-z]{{0,6}})\.?"
_FORMS = (
    re.compile(rf"(?P<y>\d{{4}})(?P<sep>[-/.])(?P<m>\d{{1,2}})(?P=sep)(?P<d>\d{{1,2}}){_TAIL}"),
    re.compile(rf"(?P<a>\d{{1,2}})(?P<sep>[-/.])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}|\d{{2}}){_TAIL}"),
    re.compile(rf"(?P<d>\d{{1,2}})(?P<sep>\.? |-){_NAME}(?:[ ,]+|-)(?P<y>\d{{4}}){_TAIL}"),
    re.compile(rf"{_NAME}(?P<sep> )(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}}){_TAIL}"),
    re.compile(_CLOCK),
)
_DAY = ("year", "month", "day", "weekday")
ORDERS = {"ymd": "year, month, day", "dmy": "day, month, year", "mdy": "month, day, year"}


class Written(NamedTuple):
    """How a date is written: the order of its parts ("?" where day and month look alike), and what stands beside."""

    order: str  # ymd, dmy, mdy, ? or ?? (a year of two digits); "" for a time alone
    separator: str
    time: bool
    zone: bool


def written(cell: str) -> Written | None:
    """How a cell is written if it is a date or a time; None for anything else.

    >>> written("2020-01-31 08:00").order, written("31.1.2020").order, written("1/2/2020").order, written("red")
    ('ymd', 'dmy', '?', None)
    """
    match = _match(cell)
    if match is None:
        return None
    parts = match.groupdict()
    beside = parts.get("sep") or "", parts["h"] is not None, parts.get("zone") is not None
    if "y" not in parts:
        return Written("", *beside)
    if "a" not in parts:
        return Written("ymd" if "m" in parts else "name", *beside)
    if len(parts["y"]) == 2:
        return Written("??", *beside)
    first, second = int(parts["a"]), int(parts["b"])
    if parts["sep"] == "." or first > 12:
        return Written("dmy", *beside)
    return Written("mdy" if second > 12 else "?", *beside)


def form_of(cells: Sequence[str]) -> tuple[str | None, str]:
    """The one form of all these dates, or None and why there is none.

    >>> form_of(["1/2/2020", "31/1/2020"]), form_of(["08:00"])[0]
    (('dmy', ''), 'hms')
    >>> form_of(["1/2/2020"])
    (None, 'day and month look alike in every cell')
    """
    kinds: dict[Written, str] = {}
    for cell in cells:
        kind = written(cell)
        if kind is not None:
            kinds.setdefault(kind, cell)
    orders = {kind.order for kind in kinds}
    if "??" in orders:
        return None, "its years have two digits"
    if orders == {"?"}:
        return None, "day and month look alike in every cell"
    settled = orders - {"?"}
    rest = {kind[1:] for kind in kinds}
    if len(settled) > 1 or len(rest) > 1 or ("?" in orders and not settled <= {"dmy", "mdy"}):
        first, *_, last = kinds.values()
        return None, f"mixed: {first!r} and {last!r}"
    (order,), ((_, time, _),) = settled, rest
    return " ".join(part for part in (order, "hms" if time else "") if part), ""


def parts_of(form: str) -> tuple[str, ...]:
    """What the numbers of a date are called.

    >>> parts_of("ymd hms"), parts_of("hms")
    (('year', 'month', 'day', 'weekday', 'hour'), ('hour',))
    """
    return (*(() if form == "hms" else _DAY), *(("hour",) if form.endswith("hms") else ()))


def numbers_of(cell: str, form: str) -> tuple[float, ...] | None:
    """The numbers of one date in this form; None for what is none, such as the 30th of February.

    A time zone is applied: the numbers are those of UTC. Monday is weekday 0; minutes and seconds are parts of hours.

    >>> numbers_of("2020-02-29 06:30", "ymd hms"), numbers_of("30.2.2020", "dmy")
    ((2020, 2, 29, 5, 6.5), None)
    """
    match, kind = _match(cell), written(cell)
    if match is None or kind is None:
        return None
    parts = match.groupdict()
    day = form.removesuffix("hms").strip()
    if kind.time != form.endswith("hms") or (day == "") != (kind.order == ""):
        return None
    hour = _hour(parts) if kind.time else 0.0
    if hour is None:
        return None
    if not day:
        return (hour,)
    if kind.order != day and not (kind.order == "?" and day in ("dmy", "mdy")):
        return None
    try:
        when = datetime(int(parts["y"]), *_month_and_day(parts, day))
        if kind.zone and parts["zone"] not in ("Z", "UTC"):
            when = (when + timedelta(hours=hour)).replace(tzinfo=_zone(parts["zone"])).astimezone(UTC)
            hour = when.hour + when.minute / 60 + (when.second + when.microsecond / 1e6) / 3600
    except (ValueError, OverflowError):
        return None
    return (when.year, when.month, when.day, when.weekday(), *((hour,) if kind.time else ()))


def encoded(cells: Sequence[str], form: str) -> tuple[np.ndarray, list[int]]:
    """shape=(cells, parts): the numbers of each date, NaN where it is none, and where those are."""
    width = len(parts_of(form))
    rows = [numbers_of(cell, form) for cell in cells]
    odd = [k for k, row in enumerate(rows) if row is None]
    return np.array([(np.nan,) * width if row is None else row for row in rows], np.float64).reshape(-1, width), odd


def _match(cell: str) -> re.Match[str] | None:
    if not (cell[:1].isdigit() or cell[:3].lower() in _MONTHS) or len(cell) > 60:
        return None
    return next((match for form in _FORMS if (match := form.fullmatch(cell))), None)


def _month_and_day(parts: dict[str, str], order: str) -> tuple[int, int]:
    if order == "name":
        return _MONTHS.index(parts["name"][:3].lower()) + 1, int(parts["d"])
    if order == "ymd":
        return int(parts["m"]), int(parts["d"])
    return (int(parts["b"]), int(parts["a"])) if order == "dmy" else (int(parts["a"]), int(parts["b"]))


def _hour(parts: dict[str, str]) -> float | None:
    hour, minute, second = int(parts["h"]), int(parts["mi"]), float((parts["s"] or "0").replace(",", "."))
    if minute > 59 or second >= 60 or (hour > 23 and "y" in parts):
        return None
    if parts["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (parts["half"][0] in "Pp")
    return hour + minute / 60 + second / 3600


def _zone(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
