"""What a sweep looks like on a terminal: aligned facts, a bar with the best so far, the leaderboard."""

import re
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from fnopt.run import Bar, Sweep
from fnopt.run.leaderboard import leaderboard, parts_of
from fnopt.run.progress import Board
from fnopt.sweep.drive import Silent, Watch
from fnopt.train import Objective

MARGIN = 12


def say(name: str, *lines: str) -> None:
    """A fact: its name, and what is so, on one line or on several that stand below each other."""
    for k, line in enumerate(lines):
        print(f"{'' if k else name:<{MARGIN}}{line}", flush=True)


def show(sweep: Sweep) -> None:
    """The leaderboard on stdout: a drawn table where a terminal is wide enough for it, plain text elsewhere."""
    console = Console(markup=False, highlight=False)
    head, (names, *rows), tail = parts_of(sweep)
    titles = [re.sub("[/_]", r"\g<0>\n", name) for name in names]  # on two lines where a name has two words
    cells = [[*title.split("\n"), *column] for title, *column in zip(titles, *rows, strict=True)]
    if not sys.stdout.isatty() or sum(max(map(len, some)) + 1 for some in cells) - 1 > console.width:
        print(leaderboard(sweep), flush=True)
        return
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    for k, row in enumerate(rows):
        table.add_row(*row, style="bold green" if k == 0 else None)
    console.print(head, "", table, *([tail] if tail else []), sep="\n", soft_wrap=True)


def watch_for(task: str, objective: Objective) -> Watch:
    """A bar and a leaderboard on stderr where it is a terminal, nothing elsewhere."""
    return Board(task, objective, Console(stderr=True)) if sys.stderr.isatty() else Silent()


def stop(watch: Any) -> None:
    """Leave the terminal as it was, also after Ctrl-C."""
    if isinstance(watch, Bar):
        watch.stop()
