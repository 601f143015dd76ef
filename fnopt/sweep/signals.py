"""Signals that ask a run to end. It ends after its segment, and whatever handled them before is not lost."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED, TERMINATED = "interrupted", "terminated"
ENDS = {  # SIGHUP comes when a terminal is closed; some systems have none
    number: why
    for name, why in (("SIGINT", INTERRUPTED), ("SIGTERM", TERMINATED), ("SIGHUP", TERMINATED))
    if (number := getattr(signal, name, None)) is not None
}


def is_plain(handler: Any) -> bool:
    """Whether a handler is Python's own for Ctrl-C, or is marked as standing for it: a run then ends by itself."""
    return handler is signal.default_int_handler or getattr(handler, "plain", False) is True


class Heard:
    """What came: the signal that nothing else handles, and what a caller's own handler raised."""

    def __init__(self) -> None:
        self.number = 0  # of the signal after which the process is to end; 0 for none
        self.error: BaseException | None = None


@contextmanager
def ending(stop: Callable[[str], None]) -> Iterator[Heard]:
    """Within, SIGINT, SIGTERM and SIGHUP call ``stop`` with why; a second SIGINT raises KeyboardInterrupt.

    A signal that is ignored stays ignored. A handler of the caller's own is called at once too; what it raises is kept
    in ``Heard.error`` until the run is written down. Handlers are put back at the end. In another thread than the main
    one nothing changes, as Python calls no handlers there.
    """
    heard = Heard()
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    before = {number: signal.getsignal(number) for number in ENDS}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    asked = False

    def hear(number: int, frame: Any) -> None:
        nonlocal asked
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked = True
        stop(ENDS[number])
        own = before[number]
        if callable(own) and not is_plain(own):
            try:
                own(number, frame)
            except BaseException as error:
                heard.error = heard.error or error
        elif number != signal.SIGINT:
            heard.number = heard.number or number

    for number in before:
        signal.signal(number, hear)
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
