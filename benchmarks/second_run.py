"""``fnopt sweep digits`` twice on a new machine: when the first configuration is finished, and whether files agree.

Each is a process of its own; both share one new folder of compiled programs.

python -m benchmarks.second_run [--pairs 1] [--n 256]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.fresh import answer, fresh

MOST = 0.5  # of the first time


def watched(folder: str, programs: str, n: str) -> None:
    """One search in this process; it answers when its first configuration was finished, counted from its start."""
    start = time.perf_counter()
    os.environ["FNOPT_PROGRAMS"] = programs
    from fnopt.cli import show
    from fnopt.cli.entry import run

    watch_for, first = show.watch_for, []

    def looking(*about: Any) -> Any:
        watch = watch_for(*about)
        done = watch.done

        def seen(results: Any) -> None:
            if not first and any(result.status == "done" for result in results):
                first.append(time.perf_counter() - start)
            done(results)

        watch.done = seen  # pyright: ignore[reportAttributeAccessIssue]
        return watch

    show.watch_for = looking
    code = run(["sweep", "digits", "--n", n, "--out", folder])
    answer(code=code, first_s=first[0], inside_s=time.perf_counter() - start)


def main() -> int:
    """One line a pair, then the medians; 1 where files differ or the second is too slow."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--n", default="256", help="configurations")
    given = parser.parse_args()
    ratios, equal = [], True
    for _ in range(given.pairs):
        with tempfile.TemporaryDirectory() as home:
            folders, programs = [Path(home, name) for name in ("cold", "warm")], str(Path(home, "programs"))
            cold, warm = (fresh("benchmarks.second_run", "--", str(folder), programs, given.n) for folder in folders)
            same = len({(folder / "results.csv").read_bytes() for folder in folders}) == 1
        ratios.append(warm["first_s"] / cold["first_s"])
        equal &= same and cold["code"] == warm["code"] == 0
        print(
            f"first finished after {cold['first_s']:.1f} s cold, {warm['first_s']:.1f} s then: {ratios[-1]:.2f}; "
            f"in all {cold['wall_s']:.1f} and {warm['wall_s']:.1f} s; results.csv {'equal' if same else 'DIFFERS'}",
            flush=True,
        )
    print(f"median of the ratios {statistics.median(ratios):.2f}, at most {MOST}")
    return int(not equal or statistics.median(ratios) > MOST)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--"]:
        watched(*sys.argv[2:])
    else:
        sys.exit(main())
