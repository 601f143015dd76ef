"""Numbers of a search's ranges as coordinates of one scale, in which a step means about the same for each."""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

BELL = 4.0  # standard deviations that count as the width of a normal range


class Coordinate(NamedTuple):
    """A number of a range as a coordinate u of about unit width: its share of the range, for most in [0, 1].

    log_uniform: u = log(x/low) / log(high/low); one_minus_log_uniform: the same of 1 − x, from 1 − low to 1 − high;
    uniform: u = (x − low)/(high − low); normal and log_normal: a quarter of the standard score, without bounds.

    >>> decay = Coordinate("one_minus_log_uniform", 0.9, 0.999)
    >>> round(decay.to(0.99), 6), round(decay.back(0.5), 6), decay.back(2.0)
    (0.5, 0.99, 0.999)
    """

    kind: str
    low: float  # or the mean
    high: float  # or the standard deviation

    def to(self, x: float) -> float:
        """u of x."""
        if self.kind in ("normal", "log_normal"):
            return ((math.log(x) if self.kind == "log_normal" else x) - self.low) / (BELL * self.high)
        return (self._scale(x) - self._scale(self.low)) / (self._scale(self.high) - self._scale(self.low))

    def back(self, u: float) -> float:
        """x of u, inside the range."""
        if self.kind in ("normal", "log_normal"):
            z = self.low + BELL * self.high * u
            return math.exp(z) if self.kind == "log_normal" else z
        a, b = self._scale(self.low), self._scale(self.high)
        z = a + min(max(u, 0.0), 1.0) * (b - a)
        x = {"log_uniform": math.exp, "one_minus_log_uniform": lambda z: 1 - math.exp(-z)}.get(self.kind, float)(z)
        return min(max(x, self.low), self.high)

    def slope(self, x: float) -> float:
        """dx/du at x."""
        if self.kind in ("normal", "log_normal"):
            return BELL * self.high * (x if self.kind == "log_normal" else 1.0)
        width = self._scale(self.high) - self._scale(self.low)
        return width * {"log_uniform": x, "one_minus_log_uniform": 1 - x}.get(self.kind, 1.0)

    def _scale(self, x: float) -> float:
        if self.kind == "log_uniform":
            return math.log(x)
        return -math.log1p(-x) if self.kind == "one_minus_log_uniform" else x


KINDS = ("uniform", "log_uniform", "one_minus_log_uniform", "normal", "log_normal")
WRITTEN = re.compile(rf"(?:(\w+)=)?\b({'|'.join(KINDS)})\(([^,()]+), ([^,()]+)(?:, points=\d+)?\)")


def coordinates(space: Mapping[str, str]) -> dict[str, Coordinate]:
    """The ranges of a space as it is kept with a sweep, by the dotted name of the number; choices are left out.

    >>> coordinates({"lr": "log_uniform(0.001, 0.1)", "hidden": "choice((8,), (16,))"})
    {'lr': Coordinate(kind='log_uniform', low=0.001, high=0.1)}
    """
    found = {}
    for name, written in space.items():
        for field, kind, low, high in WRITTEN.findall(written):
            inside = field and not written.startswith("when(")
            found[f"{name}.{field}" if inside else name] = Coordinate(kind, float(low), float(high))
    return found
