"""What a sweep looks like on a terminal: aligned facts, a bar with the best so far, the leaderboard."""

import shutil
import sys
from typing import Any

from rich.console import Console

from fnopt._checks import printable
from fnopt.run import Bar, Sweep
from fnopt.run.drawn import folded, paragraph, tables_of
from fnopt.run.leaderboard import leaderboard, parts_of
from fnopt.run.progress import Board, Lines
from fnopt.run.remarks import remarks
from fnopt.sweep.drive import Watch
from fnopt.train import Objective

MARGIN = 12


def say(name: str, *lines: str, margin: int = 0) -> None:
    """A fact: its name, and what is so, on one line or on several that stand below each other.

    On a terminal a line that is too long is broken at blanks and continues under its column, ``margin`` cells in.
    """
    for k, line in enumerate(lines):
        whole = f"{'' if k else name:<{MARGIN}}{printable(line)}"
        print(*folded(whole, _width(), MARGIN + margin), sep="\n", flush=True)


def _width() -> int | None:
    """The cells of a terminal's line; None where there is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show(sweep: Sweep) -> None:
    """The leaderboard on stdout: a drawn table where a terminal is wide enough for it, plain text elsewhere."""
    head, rows, tail = parts_of(sweep)
    width = _width()
    tables = [] if width is None else tables_of(rows, width)
    if width is None or not tables:
        print(leaderboard(sweep), flush=True)
        return
    console = Console(markup=False, highlight=False, width=width)
    print(paragraph(head, width), end="\n\n")
    console.print(*tables, sep="\n\n")
    for line in [*([tail] if tail else []), *remarks(sweep)]:
        print(paragraph(line, width))
    sys.stdout.flush()


def watch_for(objective: Objective) -> Watch:
    """A bar and a leaderboard on stderr where it is a terminal, a line as each tenth is done elsewhere."""
    return Board(objective, Console(stderr=True)) if sys.stderr.isatty() else Lines(objective)


def training(number: int, repeat: int) -> Bar | bool:
    """A bar for a training of the winner on a terminal, nothing elsewhere."""
    what = "retraining" if repeat == 1 else f"retraining {number} of {repeat}"
    return Bar(what, Console(stderr=True)) if sys.stderr.isatty() else False


def stop(watch: Any) -> None:
    """Leave the terminal as it was, also after Ctrl-C."""
    if isinstance(watch, Bar):
        watch.stop()
