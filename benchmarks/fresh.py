"""A contestant in a process of its own, so that importing and compiling are paid by each."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MARK = "RESULT "


def fresh(module: str, *arguments: Any) -> dict[str, Any]:
    """What ``python -m module arguments`` answers, with ``wall_s``, its whole life from start to end.

    Raises:
        RuntimeError: where it failed, with the last lines of what it said.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    wall = time.perf_counter() - start
    answers = [line.removeprefix(MARK) for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not answers:
        raise RuntimeError(f"{' '.join(command[1:])} failed: {done.stderr[-1000:]}")
    return {**json.loads(answers[-1]), "wall_s": wall}


def answer(**values: Any) -> None:
    """Told to the process that asked."""
    print(MARK + json.dumps(values), flush=True)
