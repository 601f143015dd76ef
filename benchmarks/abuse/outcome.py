"""What a command or a call answered, and whether a user can be shown it."""

import contextlib
import io
import os
import re
import traceback
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import fnopt
from benchmarks.abuse.tally import SEEN, Failed
from fnopt.cli.entry import run

PACKAGE = os.path.dirname(fnopt.__file__)
PYTHON = re.compile(
    r"Traceback|object has no attribute|NoneType|unhashable|not subscriptable|object is not iterable|KeyError|"
    r"unsupported operand|list index out of range|tuple index out of range|cannot unpack|values to unpack|"
    r"positional argument|unexpected keyword|not supported between|must be real number, not|JaxRuntimeError|"
    r"object is not callable|TracerBool|codec can't|has no len\(\)|fault of fnopt|maximum recursion|"
    r"multiple values for|required positional|Exceeds the limit \(4300|expected str, bytes"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Outcome(NamedTuple):
    """A command's exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that a terminal would show."""
        return self.out + self.err


def command(*arguments: str, stdout: io.TextIOBase | None = None) -> Outcome:
    """Run ``fnopt`` in this process; checks what holds for every command, whatever its arguments.

    Raises:
        Failed: for a traceback, Python's own words, a raw control character, an exit code that is not 0, 2 or 130, and
            an error that is not one line.
    """
    out, err = stdout or io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("always")
        try:
            code = run(list(arguments))
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except Exception as error:
            raise Failed(f"traceback {type(error).__name__}: {str(error)[:120]!r} at {_place(error)}") from error
    SEEN["refused" if code == 2 else "answered"] += 1
    shown = Outcome(code, out.getvalue() if isinstance(out, io.StringIO) else "", err.getvalue())
    if code not in (0, 2, 130):
        raise Failed(f"exit code {code}")
    if code == 2 and len([line for line in shown.err.splitlines() if line.startswith("error:")]) != 1:
        raise Failed(f"an error of not one line: {shown.err[-200:]!r}")
    readable(shown.text)
    return shown


def readable(text: str) -> None:
    """Raise ``Failed`` for words of Python's and for control characters in what a user is shown."""
    if found := PYTHON.search(text):
        raise Failed(f"Python's words {found.group()!r} in {_around(text, found)!r}")
    if found := CONTROL.search(text):
        raise Failed(f"a raw control character {found.group()!r} in {_around(text, found)!r}")


def _around(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - 60) : found.end() + 60]


class Refused(NamedTuple):
    """A call was refused in words for its user."""

    why: str


def called(call: Callable[[], Any]) -> Any:
    """What a call returns, or ``Refused``.

    Raises:
        Failed: for an exception that no check of fnopt's raised, and for one with Python's own words.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = call()
            SEEN["answered"] += 1
            return answer
        except (ValueError, TypeError, OSError, ImportError, KeyboardInterrupt) as error:
            if isinstance(error, ValueError | TypeError) and not _ours(error):
                raise Failed(f"{type(error).__name__} {str(error)[:120]!r} of {_place(error)}") from error
            readable(str(error))
            SEEN["refused"] += 1
            return Refused(str(error))
        except Exception as error:
            raise Failed(f"{type(error).__name__} {str(error)[:120]!r} at {_place(error)}") from error


def _ours(error: BaseException) -> bool:
    """Whether a line of fnopt's raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(PACKAGE)


def _place(error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(PACKAGE)]
    return f"{os.path.relpath(frames[-1].filename, PACKAGE)}:{frames[-1].lineno}" if frames else "?"
