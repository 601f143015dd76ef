"""Hostile names of columns, targets, classes, categories and files, from the table to the predictions."""

import csv
import io
import random
import shutil
from collections.abc import Callable, Iterator

from benchmarks.abuse.outcome import command
from benchmarks.abuse.studies import scratch
from benchmarks.abuse.tally import Failed, Trial

NAMES = (
    '\x1b]0;title\x07', '\x1b[31mred', 'a\rb', 'a\nb', 'a\r\nb', '\x00', 'a\x00b', '\x7f', '\x9b31m',
    '\u202eright to left', '\u2066x\u2069', '=1+1', '+1', '-1+2', '@sum', '\t', 'a\tb', ' a ', "'", '"', '""', ',',
    ';', 'a,b', 'a;b', '\\', '\\n', '$(id)', '`id`', '../x', '/etc/passwd', 'nan', 'NA', 'None', 'null', 'inf',
    'True', '1e5', '0x10', '\xe9', '\xdf', '\u0130', '\U0001d538', '\u2028', '\u200b', "x" * 5000, '%s%n', '{0}',
    '{x}', '[bold]x[/bold]', '[/]', '<script>', '&amp;', 'a|b', 'score', 'config', 'status', 'epochs', 'rank', '#c',
    '\ufeffa', '\ud7ff', '\u65e5\u672c\u8a9e', 'a.b', 'a/b', '*', '?', '[a]', '-', '--n',
)  # fmt: skip
WHERE = ("feature", "target", "class", "category", "file", "folder")


def of_names(rng: random.Random) -> Iterator[Trial]:
    """150 names, each in one place: nothing raw on the terminal, and predictions that read back."""
    plan = [(where, name) for where in WHERE for name in NAMES]
    rng.shuffle(plan)
    for where, name in plan[:150]:
        yield Trial(f"{where} {name[:30]!r}", _used(where, name))


def _used(where: str, name: str) -> Callable[[], None]:
    def do() -> None:
        folder = scratch()
        names = {
            "feature": "weight",
            "target": "kind",
            "class": "dog",
            "category": "black",
            "file": "pets",
            "folder": "o",
        }
        names[where] = name
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerow([names["feature"], "colour", names["target"]])
        for k in range(40):
            colour = names["category"] if k % 3 else "white"
            writer.writerow([f"{4 + k % 2 * 9 + k * 0.01:.2f}", colour, "cat" if k % 2 else names["class"]])
        try:
            path = folder / f"{names['file']}.csv"
            path.write_text(text.getvalue(), encoding="utf-8", newline="")
            out = folder / names["folder"]
            out.parent.mkdir(parents=True, exist_ok=True) if "/" not in names["folder"] else None
        except (OSError, ValueError):
            return  # the system has no such name
        (folder / "s.toml").write_text('lr = {log_uniform = [1e-2, 1e-1]}\nhidden = [4]\noptimizer = "momentum"\n')
        if "/" in names["folder"]:
            out = folder / "inside" / "x" / names["folder"].lstrip("/")
        shown = command(
            "sweep", str(path), "--target", names["target"], "--space", str(folder / "s.toml"), "--n", "1",
            "--epochs", "2", "--out", str(out),
        )  # fmt: skip
        if shown.code == 0:
            predicted = command("predict", str(out), str(path), "--out", str(folder / "p.csv"))
            if predicted.code == 0:
                _reads_back(folder / "p.csv", names)
        shutil.rmtree(folder, ignore_errors=True)

    return do


def _reads_back(path: "object", names: dict[str, str]) -> None:
    with open(str(path), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if len(rows) != 41:
        raise Failed(f"{len(rows) - 1} predictions read back of 40")
    if rows[0][0] != names["target"].strip() and rows[0][0] != names["target"]:
        raise Failed(f"the target reads back as {rows[0][0]!r}")
    odd = {row[0] for row in rows[1:]} - {"cat", names["class"], names["class"].strip()}
    if odd and names["class"] == "dog":
        raise Failed(f"a class reads back as {odd}")
