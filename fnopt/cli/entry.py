"""Where the command line starts and where every mistake ends: one line on stderr and exit code 2."""

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

from fnopt._checks import printable, require
from fnopt.cli.words import terminal

MISTAKE, INTERRUPTED = 2, 130
SHOW = "FNOPT_TRACEBACK"  # set to anything, mistakes show their traceback


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line with these arguments (``sys.argv`` unless given) and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command: 0, 2 for a mistake (one line on stderr), 130 for Ctrl-C.

    >>> run(["--version"])
    fnopt ...
    0
    """
    try:
        require("rich", "cli")
        require("typer", "cli")
        from typer.main import get_command

        from fnopt.cli.app import app
        from fnopt.cli.usage import check

        check(get_command(app), arguments)
        with warnings.catch_warnings():
            warnings.showwarning = _note
            code = app(args=list(arguments) or ["--help"], prog_name="fnopt", standalone_mode=False)
    except KeyboardInterrupt as error:
        return _interrupted(*map(str, error.args))
    except (ValueError, TypeError, OSError, ImportError) as error:
        if os.environ.get(SHOW):
            raise
        return mistake(_text(error))
    except Exception as error:  # of typer, whose classes are known only where it is installed
        if type(error).__name__ == "Abort":
            return _interrupted()
        if not hasattr(error, "format_message"):
            raise
        return mistake(f"{error.format_message()} (fnopt --help shows the way)")  # pyright: ignore
    return code if isinstance(code, int) else 0


def mistake(text: str) -> int:
    """Say on one line what is wrong; the exit code that goes with it."""
    print("error:", printable(terminal(" ".join(text.split()))), file=sys.stderr)
    return MISTAKE


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning as one line, without the place in the code that it comes from."""
    print("note:", printable(terminal(" ".join(str(message).split()))), file=sys.stderr)


def _interrupted(left: str = "nothing was written") -> int:
    """Say what is left of a command that Ctrl-C ended."""
    print(f"interrupted: {printable(left)}", file=sys.stderr)
    return INTERRUPTED


def _text(error: Exception) -> str:
    """The error's own words; with the way to its traceback where no check of fnopt's wrote them."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename!r}" if error.filename else error.strerror
    frames = traceback.extract_tb(error.__traceback__)
    package = os.path.dirname(os.path.dirname(__file__))
    ours = bool(frames) and frames[-1].filename.startswith(package) and "raise" in (frames[-1].line or "")
    return str(error) if ours or isinstance(error, OSError) else f"{error} ({SHOW}=1 shows where)"
