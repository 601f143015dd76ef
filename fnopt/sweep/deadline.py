"""When a call is to end: so many minutes after it began, whatever it did since."""

import time
from typing import NamedTuple

now = time.perf_counter  # seconds


class Deadline(NamedTuple):
    """A moment by which no new segment begins; none where ``seconds`` is None."""

    begun: float
    seconds: float | None = None

    @property
    def gone(self) -> float:
        """Seconds since the call began."""
        return now() - self.begun

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self.seconds is not None and self.gone > self.seconds

    @property
    def minutes(self) -> float | None:
        """What is left of the time, above 0; None for a call without an end."""
        return None if self.seconds is None else max((self.seconds - self.gone) / 60, 1e-9)


def begin(minutes: float | None = None) -> Deadline:
    """A deadline so many minutes from now.

    >>> begin().passed, begin(1.0).passed
    (False, False)
    """
    return Deadline(now(), None if minutes is None else 60.0 * minutes)
