"""Where the command line starts and where every mistake ends: one line on stderr and exit code 2."""

import codecs
import os
import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

from fnopt._checks import printable, require
from fnopt.cli.exit_codes import INTERRUPTED, MISTAKE
from fnopt.cli.interrupts import BEGUN, Interrupted, never_lost
from fnopt.cli.words import terminal

QUIET = "TF_CPP_MIN_LOG_LEVEL"  # 3: of the compiler's own lines only those before a crash reach the terminal
SHOW = "FNOPT_TRACEBACK"  # set to anything, mistakes show their traceback
PLAIN = {  # what stands for a character that a terminal's encoding lacks
    "×": "x",
    "–": "-",
    "—": "-",
    "−": "-",
    "…": "...",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "±": "+-",
    "µ": "u",
    "·": "*",
    "÷": "/",
    "²": "2",
    "³": "3",
    "∞": "inf",
}
FULL = re.compile(r"out of memory|RESOURCE_EXHAUSTED|failed to allocate|bad_alloc", re.IGNORECASE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line with these arguments (``sys.argv`` unless given) and exit with its code."""
    _open_streams()
    never_lost()
    code = run(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except OSError as error:  # a full disk, or a reader that has gone
        code = code or mistake(_text(error))
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # else Python says the same once more as it ends
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command: 0, 2 for a mistake (one line on stderr), 130 for Ctrl-C.

    >>> run(["--version"])
    fnopt ...
    0
    """
    _plain_streams()
    os.environ.setdefault(QUIET, "3")
    try:
        require("rich", "cli")
        require("typer", "cli")
        from typer.main import get_command

        from fnopt.cli.app import app
        from fnopt.cli.usage import check

        check(get_command(app), arguments)
        BEGUN.clear()
        with warnings.catch_warnings():
            warnings.showwarning = _note
            code = app(args=list(arguments) or ["--help"], prog_name="fnopt", standalone_mode=False)
    except KeyboardInterrupt:
        return _interrupted("nothing was written")
    except Interrupted as error:
        return _interrupted(str(error))
    except Exception as error:
        if type(error).__name__ == "Abort":  # of typer, whose classes are known only where it is installed
            return _interrupted("nothing was written")
        if hasattr(error, "format_message"):
            return mistake(f"{error.format_message()} (fnopt --help shows the way)")  # pyright: ignore
        if os.environ.get(SHOW):
            raise
        return mistake(_text(error))
    if code == INTERRUPTED and not BEGUN:  # typer ends without a word where it is interrupted itself
        return _interrupted("nothing was begun")
    return code if isinstance(code, int) else 0


def mistake(text: str) -> int:
    """Say on one line what is wrong; the exit code that goes with it."""
    print("error:", printable(terminal(" ".join(text.split()))), file=sys.stderr)
    return MISTAKE


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning as one line, without the place in the code that it comes from."""
    print("note:", printable(terminal(" ".join(str(message).split()))), file=sys.stderr)


def _open_streams() -> None:
    """Open a closed stream on nothing: else the next file that is opened takes its number, and gets what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


def _plain_streams() -> None:
    """Let every line through, whatever a terminal's encoding lacks."""
    codecs.register_error("fnopt", _plainly)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="fnopt")


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text), error.end


def _interrupted(left: str) -> int:
    """Say what is left of a command that Ctrl-C ended."""
    print(f"interrupted: {printable(left)}", file=sys.stderr)
    return INTERRUPTED


def _text(error: Exception) -> str:
    """The error's own words where a check of fnopt's wrote them; else what it is, and the way to its traceback."""
    words = str(error).strip()
    if isinstance(error, MemoryError) or (type(error).__name__ == "JaxRuntimeError" and FULL.search(words)):
        why = f" ({words.splitlines()[0]:.200})" if words else ""
        return f"too little memory{why}: take smaller layers, smaller batches or fewer rows"
    if isinstance(error, RecursionError):
        return f"a file or an option is nested too deep ({SHOW}=1 shows where)"
    if isinstance(error, OSError):
        if error.strerror:
            return f"{error.strerror}: {os.fsdecode(error.filename)!r}" if error.filename else error.strerror
        return words or type(error).__name__
    if isinstance(error, ImportError) or (isinstance(error, ValueError | TypeError) and _checked(error)):
        return words
    return f"this is a fault of fnopt's own, not of yours: {type(error).__name__}: {words:.300} ({SHOW}=1 shows where)"


def _checked(error: Exception) -> bool:
    """Whether a line of fnopt's own raised it, which then has the words for it."""
    frames = traceback.extract_tb(error.__traceback__)
    package = os.path.dirname(os.path.dirname(__file__))
    return bool(frames) and frames[-1].filename.startswith(package) and "raise" in (frames[-1].line or "")
