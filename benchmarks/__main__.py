"""Everything that is measured, as tables and as JSON.

python -m benchmarks [--quick] [--only steps,end_to_end,…] [--out results.json]
"""

import argparse
import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.table import Row, plain, show

NAMES = ("steps", "single_fit", "updates", "costs", "growth", "end_to_end", "regret")  # each has TITLE and run(quick)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; 1 if a check failed or a benchmark broke off."""
    asked = parser().parse_args(arguments)
    names = asked.only.split(",") if asked.only else NAMES
    if unknown := [name for name in names if name not in NAMES]:
        parser().error(f"--only has {', '.join(unknown)}; there are {', '.join(NAMES)}")
    facts = machine.facts()
    print("\n".join(f"{name:<14}{value}" for name, value in facts.items()), flush=True)
    results: dict[str, Any] = {}
    for name in names:
        results[name] = measured(name, asked.quick)
        if asked.out:
            asked.out.write_text(json.dumps(plain(dict(machine=facts, quick=asked.quick, results=results)), indent=1))
    bad = [name for name, result in results.items() if not result["ok"]]
    print("\nall checks hold" if not bad else f"\nFAILED: {', '.join(bad)}")
    return len(bad) > 0


def measured(name: str, quick: bool) -> dict[str, Any]:
    """The rows of one benchmark, printed; one that breaks off keeps what it has and says why."""
    rows: list[Row] = []
    start, error = time.perf_counter(), None
    module = importlib.import_module(f"benchmarks.{name}")
    try:
        for row in module.run(quick):
            rows.append(row)
            print(plain(row), file=sys.stderr, flush=True)  # a run that is broken off has shown what it found
    except Exception as mistake:
        error = f"{type(mistake).__name__}: {mistake}"
        traceback.print_exc()
    taken = time.perf_counter() - start
    print(f"\n{show(module.TITLE, rows)}\n  {taken:.0f} s{f', broken off: {error}' if error else ''}", flush=True)
    ok = error is None and all(row.get("ok", True) for row in rows)
    return dict(title=module.TITLE, seconds=taken, ok=ok, error=error, rows=rows)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; see benchmarks/README.md.")
    made.add_argument("--quick", action="store_true", help="a smaller version of each, minutes in all")
    made.add_argument("--only", default="", help=f"some of {','.join(NAMES)}")
    made.add_argument("--out", type=Path, help="a JSON file to write")
    return made


if __name__ == "__main__":
    sys.exit(main())
