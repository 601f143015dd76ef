"""Ctrl-C answered at once, also while the main thread is in compiled code, where Python hears of it only afterwards."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any


class Interrupted(Exception):
    """Ctrl-C, with what it leaves, in words: an exception of our own, since typer ends on its own way with Python's."""


BEGUN: list[str] = []  # the commands that this process came to
LOST = "_xla_gc_callback"  # JAX's own, in which Python drops an exception with a traceback


def never_lost() -> None:
    """Let Ctrl-C wait where an exception would be dropped; a handler of the caller's, and SIG_IGN, stay."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _hear)


def _hear(number: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_code.co_name == LOST:
        threading.Timer(0.01, signal.raise_signal, (number,)).start()
        return
    raise KeyboardInterrupt


_hear.__dict__["plain"] = True  # it stands for Python's own, see ``fnopt.sweep.signals.is_plain``


def spoken(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose Ctrl-C, also while it imports, is an ``Interrupted``; ``BEGUN`` then holds its name."""

    @wraps(command)
    def whole(*given: Any, **named: Any) -> Any:
        BEGUN.append(command.__name__)
        try:
            return command(*given, **named)
        except KeyboardInterrupt as error:
            raise Interrupted(str(error) or "nothing was written") from None

    return whole


@contextmanager
def answered(line: str) -> Iterator[None]:
    """Say ``line`` on stderr as soon as Ctrl-C is pressed within; KeyboardInterrupt follows when Python continues."""
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
