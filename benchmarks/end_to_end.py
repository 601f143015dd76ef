"""A whole search with everything in it: 256 configurations × 5 folds × 30 epochs of digits, each in a fresh process.

python -m benchmarks --only end_to_end
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

import jax

import fnopt as fo
from benchmarks import peers
from benchmarks.fresh import answer, fresh
from benchmarks.table import Row

TITLE = "end to end: seconds from the start of a process to its end; ratio: a contestant's time over ours in full"
WHO = ("fnopt", "fnopt_halving", "sklearn_search", "optuna_search")
FULL, QUICK = (256, 30, 4), (8, 4, 1)  # configurations, epochs, how many of the networks
FOLDS = 5
HIDDEN = ((32,), (64,), (128,), (64, 64))
SPACE = dict(
    batch_size=fo.choice(32, 64, 128),
    lr=fo.log_uniform(1e-4, 1e-1),
    l2=fo.log_uniform(1e-6, 1e-1),
    b1=fo.one_minus_log_uniform(0.5, 0.999),
    b2=fo.one_minus_log_uniform(0.9, 0.9999),
)


def run(quick: bool) -> Iterator[Row]:
    """One row a contestant; its best score must be as good as the first one's, within their standard errors."""
    first: dict[str, Any] | None = None
    for who in WHO:
        if who in peers.NEEDS and (lack := peers.missing(who)):
            yield dict(who=who, note=f"skipped: {', '.join(lack)} is not installed")
            continue
        try:
            made = fresh("benchmarks.end_to_end", who, *(QUICK if quick else FULL))
        except RuntimeError as mistake:
            yield dict(who=who, note=str(mistake).strip().splitlines()[-1], ok=False)
            continue
        first = first or made
        error = (made["error"] ** 2 + first["error"] ** 2) ** 0.5
        behind = first["score"] - made["score"]
        most = max(0.01, 2 * error)
        enough = quick or (behind <= most if who.startswith("fnopt") else -behind <= most)  # a peer may be worse
        row = dict(who=who, **made, ratio=made["wall_s"] / first["wall_s"])
        yield dict(**row, check=f"best score {behind:+.4f} ± {error:.4f} behind the first row's", ok=enough)


def ours(n: int, epochs: int, networks: int, stop: Any) -> Row:
    """Every configuration in five folds; the best by its mean score over them."""
    data = fo.data.digits()
    space = {**SPACE, "hidden": fo.choice(*HIDDEN[:networks]) if networks > 1 else HIDDEN[0]}
    model, key = fo.classifier(), jax.random.key(0)
    sweep = fo.caviar(model, space, data, n=n, epochs=epochs, folds=FOLDS, stop=stop, key=key)
    rows, best = sweep.table(), sweep.best
    return dict(
        score=best.score,
        error=rows[best.config]["standard_error"],
        epochs_trained=float(sum(row["epochs"] for row in rows)),
        C=max(sweep.plan.lanes) if sweep.plan else None,
        best=best.hyper,
    )


def main(who: str, n: int, epochs: int, networks: int) -> None:
    """One contestant, in this process."""
    start = time.perf_counter()
    if who in peers.NEEDS:
        made = peers.load(who).search(n, epochs, FOLDS, HIDDEN[:networks])
    else:
        made = ours(n, epochs, networks, fo.halving() if who == "fnopt_halving" else None)
    answer(n=n, **made, inside_s=time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
