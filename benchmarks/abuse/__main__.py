"""Command line of the hostile trials."""

import argparse
import itertools
import os
import random
import sys
import time

os.environ.setdefault("COLUMNS", "200")

import jax


def main() -> int:
    """Print tried, held and failed by kind; the exit code is 1 where something failed."""
    from benchmarks.abuse.kinds import KINDS
    from benchmarks.abuse.studies import clear
    from benchmarks.abuse.tally import count

    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"all unless given: {', '.join(KINDS)}")
    parser.add_argument("--seed", type=int, default=0, help="what positions, fields and orders are drawn from")
    parser.add_argument("--share", type=float, default=1.0, help="the share of each kind that is tried")
    given = parser.parse_args()
    unknown = [kind for kind in given.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"unknown kind {unknown[0]!r}; known: {', '.join(KINDS)}")
    start, counts = time.perf_counter(), []
    try:
        for kind in given.kinds or KINDS:
            trials = KINDS[kind].trials(random.Random(f"{kind} {given.seed}"))
            most = None if given.share >= 1 else max(1, round(given.share * KINDS[kind].least))
            counts.append(count(kind, itertools.islice(trials, most), lambda text: print(text, flush=True)))
            _line(counts[-1].kind, counts[-1].tried, len(counts[-1].failures), KINDS[kind].least, counts[-1].seconds)
    finally:
        clear()
    tried, failed = sum(c.tried for c in counts), sum(len(c.failures) for c in counts)
    _line("all", tried, failed, sum(KINDS[c.kind].least for c in counts), time.perf_counter() - start)
    print(f"seed {given.seed}, jax {jax.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    return int(failed > 0)


def _line(kind: str, tried: int, failed: int, least: int, seconds: float) -> None:
    print(f"{kind:<22} tried {tried:>5} of {least:>5}  held {tried - failed:>5}  failed {failed:>4}  {seconds:6.1f} s")


if __name__ == "__main__":
    sys.exit(main())
