"""Ctrl-C answered at once, also while the main thread is in compiled code, where Python hears of it only afterwards."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


class Interrupted(Exception):
    """Ctrl-C, with what it leaves, in words: an exception of our own, since typer ends on its own way with Python's."""


def spoken(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose Ctrl-C, also while it imports, is an ``Interrupted``."""

    @wraps(command)
    def whole(*given: Any, **named: Any) -> Any:
        try:
            return command(*given, **named)
        except KeyboardInterrupt as error:
            raise Interrupted(str(error) or "nothing was written") from None

    return whole


@contextmanager
def answered(line: str) -> Iterator[None]:
    """Say ``line`` on stderr as soon as Ctrl-C is pressed within; it raises KeyboardInterrupt when Python goes on."""
    if threading.current_thread() is not threading.main_thread() or not callable(signal.getsignal(signal.SIGINT)):
        yield
        return
    heard, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    thread = threading.Thread(target=_answer, args=(heard, line), daemon=True, name="fnopt-interrupt")
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(wake)  # the reader sees the end
        thread.join()
        os.close(heard)


def _answer(heard: int, line: str) -> None:
    """Say the line once, at the first SIGINT whose number arrives."""
    said = False
    while numbers := os.read(heard, 64):
        if signal.SIGINT in numbers and not said:
            said = True
            print(line, file=sys.stderr, flush=True)
