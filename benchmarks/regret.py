"""What a search finds in the same time: ours with hyperband against Optuna's TPE with its hyperband, on five data sets.

Regret is (retrained dev loss of the configuration found) − (the smallest such loss that any run found on this data
set): ≥ 0, and 0 for the best run of all. "Retrained" is a mean over fresh keys by ``fo.fit`` for both contestants, on
the train part alone and for all epochs, outside the clock; the search's own lucky draw is not in it. ``test_regret`` is
the same with the loss of a held-out part that no search saw; its "best known" is the smallest test loss of any run's
configuration, so it is ≥ 0 too. The parts are the same for all runs: only the search's seed varies.

python -m benchmarks --only regret
"""

import json
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import jax

import fnopt as fo
from benchmarks import peers
from benchmarks.fresh import answer, fresh
from benchmarks.table import Row

TITLE = "regret: retrained loss above the best known of any run, after equal wall time with compilation; medians"
DATA = ("digits", "breast_cancer", "wine", "iris", "diabetes")
FULL: dict[str, Any] = dict(data=DATA, seeds=10, n=243, epochs=27, networks=3)
QUICK: dict[str, Any] = dict(data=("iris",), seeds=1, n=9, epochs=9, networks=1)
ETA, RETRAININGS = 3, 3
HIDDEN, BATCHES = ((16,), (32,), (32, 32)), (16, 32, 64)
SPACE = dict(
    batch_size=fo.choice(*BATCHES),
    lr=fo.log_uniform(1e-4, 1e-1),
    l2=fo.log_uniform(1e-6, 1e-1),
    b1=fo.one_minus_log_uniform(0.5, 0.999),
)
Runs = dict[str, list[dict[str, Any]]]


def run(quick: bool) -> Iterator[Row]:
    """Ours sets the time, the peer gets the same; one row a data set and contestant."""
    size = QUICK if quick else FULL
    lack = peers.missing("optuna_hyperband")
    for data in size["data"]:
        runs: Runs = {"fnopt": [], "optuna": []}
        for seed in range(size["seeds"]):
            common = data, seed, size["n"], size["epochs"], size["networks"]
            mine = fresh("benchmarks.regret", "fnopt", *common, 0)
            runs["fnopt"].append(mine)
            if not lack:
                runs["optuna"].append(fresh("benchmarks.regret", "optuna", *common, mine["search_s"]))
        yield from compared(data, {who: some for who, some in runs.items() if some})
    if lack:
        yield dict(who="optuna", note=f"skipped: {', '.join(lack)} is not installed")


def compared(data: str, runs: Runs) -> Iterator[Row]:
    """The regrets of all runs on one data set; a check that both had the same time."""
    known, tested = (min(r[part] for some in runs.values() for r in some) for part in ("dev", "test"))
    wins = sum(a["dev"] < b["dev"] for a, b in zip(runs["fnopt"], runs.get("optuna", []), strict=False))
    ours = [r["search_s"] for r in runs["fnopt"]]
    for who, some in runs.items():
        regrets = [r["dev"] - known for r in some]
        over = statistics.median(r["search_s"] - t for r, t in zip(some, ours, strict=True))
        yield dict(
            data=data,
            who=who,
            seeds=len(some),
            regret=statistics.median(regrets),
            worst=max(regrets),
            test_regret=statistics.median(r["test"] - tested for r in some),
            best_known=known,
            wins=wins if who == "fnopt" else len(some) - wins,
            search_s=statistics.median(r["search_s"] for r in some),
            trials=statistics.median(r["trials"] for r in some),
            trained_epochs=statistics.median(r["epochs"] for r in some),
            check=f"{over:+.1f} s beside our time; the winner trained in full in {sum(r['full'] for r in some)} runs",
            ok=over < max(5.0, 0.25 * statistics.median(ours)),  # a trial that has begun is ended
            runs=some,
        )


def parts(name: str) -> Any:
    """Train, dev and test, the same for all."""
    whole = fo.data.load(name)
    return fo.data.split(whole, (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=whole.classes is not None)


def model_of(train: Any) -> Any:
    """A classifier, or a regressor where there are no classes."""
    return fo.classifier() if train.classes is not None else fo.regressor()


def ours(train: Any, dev: Any, seed: int, n: int, epochs: int, networks: int) -> Row:
    """Hyperband over ``n`` configurations."""
    sweep = fo.caviar(
        model_of(train),
        {**SPACE, "hidden": fo.choice(*HIDDEN[:networks])},
        train,
        dev,
        n=n,
        epochs=epochs,
        objective="dev/loss",
        stop=fo.hyperband(eta=ETA),
        key=jax.random.key(seed),
    )
    rows, best = sweep.table(), sweep.best
    trained = float(sum(row["epochs"] for row in rows))
    return dict(hyper=best.hyper, trials=n, epochs=trained, full=rows[best.config]["epochs"] >= epochs)


def main(who: str, data: str, seed: int, n: int, epochs: int, networks: int, budget: float) -> None:
    """One search on the clock, then the retraining of what it found, off the clock."""
    train, dev, test = parts(data)
    optuna = None if who == "fnopt" else peers.load("optuna_hyperband")  # importing is off the clock, for both
    start = time.perf_counter()
    if optuna is None:
        found = ours(train, dev, seed, n, epochs, networks)
    else:
        found = optuna.search(train, dev, seed, epochs, networks, budget)
    taken = time.perf_counter() - start
    hyper = found.pop("hyper")
    again = [
        fo.fit(model_of(train), train, dev, hyper=hyper, epochs=epochs, key=jax.random.key(1000 + k))
        for k in range(RETRAININGS)
    ]
    scores = {
        part: statistics.mean(run.evaluate(some)["loss"] for run in again)
        for part, some in (("dev", dev), ("test", test))
    }
    answer(**found, **scores, search_s=taken, hyper=json.loads(json.dumps(hyper, default=float)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7]), budget=float(sys.argv[7]))
