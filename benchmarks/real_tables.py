"""Tables as people have them, read and trained with nothing but a target: what became of each, and whether it ran.

    python -m benchmarks.real_tables [FOLDER]

FOLDER holds the files that the table below names (tables in $FNOPT_DATA unless given). Each is searched by
``fnopt sweep`` with one small configuration: the question is whether the file is read and trained, not how well.
"""

import io
import os
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from fnopt.cli.entry import run

FOLDER = Path(os.environ.get("FNOPT_DATA", "data")) / "tables"
TARGETS = {
    "titanic": "survived",
    "titanic_kaggle": "Survived",
    "penguins": "species",
    "mpg": "mpg",
    "taxis": "tip",
    "diamonds": "price",
    "tips": "tip",
    "bikeshare": "count",
    "hitters": "Salary",
    "bank": "y",
    "student": "WinterGrade",
    "insurance": "charges",
    "mushrooms": "type",
    "winew_semi": "quality",
}
HEADLESS = {"abalone": 9, "auto_imports": 26, "horse-colic": 23, "pima-indians-diabetes": 9}
SPACE = 'lr = {log_uniform = [1e-3, 1e-2]}\nhidden = [8]\noptimizer = "adam"\nbatch_size = 256\n'


def sweep(path: Path, options: list[str], space: Path, out: Path) -> tuple[int, str, str]:
    """The exit code of one sweep, what it printed, and what it said on stderr."""
    said, errors = io.StringIO(), io.StringIO()
    small = ["--n", "2", "--epochs", "2", "--space", str(space), "--out", str(out)]
    with redirect_stdout(said), redirect_stderr(errors):
        code = run(["sweep", str(path), *options, *small])
    return code, said.getvalue(), errors.getvalue()


def facts(said: str, name: str) -> list[str]:
    """The lines of one block of what a sweep prints, such as data."""
    lines = said.splitlines()
    start = next((k for k, line in enumerate(lines) if line.startswith(f"{name} ")), len(lines))
    block = lines[start : start + 1]
    for line in lines[start + 1 :]:
        if not line.startswith(" " * 12):
            break
        block.append(line)
    return [line[12:].strip() for line in block]


def main() -> int:
    """Print a table; the exit code is 0 where at least 14 of 18 files are read and trained."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    jobs = [(name, ["--target", target]) for name, target in TARGETS.items()]
    jobs += [(name, ["--no-header", "--target", str(number)]) for name, number in HEADLESS.items()]
    trained = 0
    print("| file | read | trained | what was said |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as made:
        space = Path(made, "space.toml")
        space.write_text(SPACE)
        for name, options in jobs:
            start = time.perf_counter()
            code, said, errors = sweep(folder / f"{name}.csv.gz", options, space, Path(made, name))
            read, *notes = facts(said, "data") or [f"refused: {errors.strip()}"]
            test = " ".join(facts(said, "test")[:1])
            trained += code == 0
            state = f"{test}, {time.perf_counter() - start:.1f} s" if code == 0 else f"exit {code}: {errors.strip()}"
            print(f"| {name} | {read.removeprefix(name + ': ')} | {state} | {' · '.join(notes)} |", flush=True)
    print(f"\n{trained} of {len(jobs)} files are read and trained")
    return 0 if trained >= 14 else 1


if __name__ == "__main__":
    sys.exit(main())
