"""Command line of the hostile trials."""

import argparse
import os
import random
import signal
import sys
import time

os.environ.setdefault("COLUMNS", "200")

import jax

from benchmarks.abuse.tally import Count


def main() -> int:
    """Print tried, held and failed by kind; the exit code is 1 where something failed."""
    from benchmarks.abuse.kinds import KINDS
    from benchmarks.abuse.studies import clear
    from benchmarks.abuse.tally import count

    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"all unless given: {', '.join(KINDS)}")
    parser.add_argument("--seed", type=int, default=0, help="what positions, fields and orders are drawn from")
    parser.add_argument("--share", type=float, default=1.0, help="the share of each kind that is drawn and tried")
    given = parser.parse_args()
    unknown = [kind for kind in given.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"unknown kind {unknown[0]!r}; known: {', '.join(KINDS)}")
    # A shell ignores these for what it starts in the background, and children would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    start, counts = time.perf_counter(), []
    try:
        for kind in given.kinds or KINDS:
            rng = random.Random(f"{kind} {given.seed}")
            trials = list(KINDS[kind].trials(rng))
            if given.share < 1:
                trials = rng.sample(trials, max(1, round(given.share * len(trials))))
            counts.append(count(kind, trials, lambda text: print(text, flush=True)))
            _line(counts[-1], KINDS[kind].least)
    finally:
        clear()
    failures = tuple(failure for c in counts for failure in c.failures)
    sums = [sum(getattr(c, name) for c in counts) for name in ("tried", "answered", "refused")]
    whole = Count("all", sums[0], failures, *sums[1:], time.perf_counter() - start)
    _line(whole, sum(KINDS[c.kind].least for c in counts))
    spent = os.times()
    print(
        f"seed {given.seed}, jax {jax.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores, "
        f"{sum(spent[:4]):.0f} CPU seconds"
    )
    return int(bool(failures))


def _line(count: Count, least: int) -> None:
    failed = len(count.failures)
    print(
        f"{count.kind:<14} tried {count.tried:>5} of {least:>5}  held {count.tried - failed:>5}  failed {failed:>4}  "
        f"answers {count.answered:>5}  refusals {count.refused:>5}  {count.seconds:6.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
