"""One line changed: RandomizedSearchCV over MLPClassifier beside CaviarSearchCV over FnoptClassifier, on digits.

Equal space, equal number of candidates, five folds, 30 epochs each, all cores; each in a process of its own, so that
importing and compiling are in its time. Candidates are drawn by the same random_state. scikit-learn's network stands
behind a StandardScaler, ours scales by itself; its alpha is the same number in both.

    python -m benchmarks.sklearn_search [--n 256] [--epochs 30] [--rounds 1] [--refit]
"""

import argparse
import os
import sys
import time
import warnings
from typing import Any

import numpy as np

from benchmarks.fresh import answer, fresh

WHO = ("ours", "ours_halving", "theirs")
BARS = {"ours": 3.5, "ours_halving": 8.0}  # their time over ours
BATCHES, HIDDEN, FOLDS = (32, 64, 128), [(32,), (64,), (128,), (64, 64)], 5


def space(prefix: str) -> list[dict[str, Any]]:
    """The distributions, by the names of both: one dict a batch size, as alpha goes with it."""
    from scipy.stats import loguniform

    from benchmarks.peers.sklearn_search import OneMinusLogUniform

    own = [
        {
            "hidden_layer_sizes": HIDDEN,
            "batch_size": [batch],
            "learning_rate_init": loguniform(1e-4, 1e-1),
            "alpha": loguniform(2 * batch * 1e-6, 2 * batch * 1e-1),
            "beta_1": OneMinusLogUniform(0.5, 0.999),
            "beta_2": OneMinusLogUniform(0.9, 0.9999),
        }
        for batch in BATCHES
    ]
    return [{prefix + name: values for name, values in some.items()} for some in own]


def search(who: str, n: int, epochs: int, refit: bool) -> Any:
    """The search of one contestant, fitted."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    same = dict(n_iter=n, cv=FOLDS, random_state=0, refit=refit)
    if who == "theirs":
        from sklearn.model_selection import RandomizedSearchCV
        from sklearn.neural_network import MLPClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        os.environ["PYTHONWARNINGS"] = "ignore"  # in the workers: so few epochs have not converged
        net = make_pipeline(StandardScaler(), MLPClassifier(solver="adam", max_iter=epochs, random_state=0))
        made = RandomizedSearchCV(net, space("mlpclassifier__"), n_jobs=-1, **same)
        return made.fit(x.astype(np.float32), y)
    import fnopt as fo
    from fnopt.sklearn import CaviarSearchCV, FnoptClassifier

    stop = fo.halving() if who == "ours_halving" else None
    net = FnoptClassifier(solver="adam", max_iter=epochs, random_state=0)
    return CaviarSearchCV(net, space(""), stop=stop, **same).fit(x, y)


def main(who: str, n: int, epochs: int, refit: bool) -> None:
    """One contestant, in this process."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = search(who, n, epochs, refit)
    best = made.best_index_
    each = np.array([made.cv_results_[f"split{k}_test_score"][best] for k in range(FOLDS)])
    score, error = float(each.mean()), float(each.std(ddof=1) / FOLDS**0.5)
    fitting = getattr(made, "refit_time_", 0.0)
    answer(score=score, error=error, inside_s=time.perf_counter() - start, refit_s=fitting)


def processor() -> float:
    """Seconds of the processor that all processes took which this one has started and seen end."""
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def race() -> int:
    """A line a contestant and round, and 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--refit", action="store_true", help="fit the best on all rows as well, in all of them")
    args = parser.parse_args()
    print(f"load at the start {os.getloadavg()[0]:.2f}; {args.n} candidates, {FOLDS} folds, {args.epochs} epochs")
    ratios: dict[str, list[float]] = {who: [] for who in BARS}
    for _ in range(args.rounds):
        found = {}
        for who in WHO:
            before = processor()
            row = fresh("benchmarks.sklearn_search", who, args.n, args.epochs, int(args.refit))
            found[who] = {**row, "cpu_s": processor() - before}
            print(
                f"{who:<13} {row['wall_s']:6.1f} s, refit {row['refit_s']:4.1f} s of it, processor "
                f"{found[who]['cpu_s']:6.1f} s; best {row['score']:.4f} ± {row['error']:.4f}",
                flush=True,
            )
        for who, row in found.items():
            ratio, work = (found["theirs"][name] / row[name] for name in ("wall_s", "cpu_s"))
            print(f"{who:<13} {ratio:.2f} times as fast as theirs, by the processor's time {work:.2f}", flush=True)
            if who in ratios:
                ratios[who].append(ratio)
    middle = {who: float(np.median(some)) for who, some in ratios.items()}
    print(", ".join(f"{who} {middle[who]:.2f} (bar {bar})" for who, bar in BARS.items()))
    return int(any(middle[who] < bar for who, bar in BARS.items()))


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in WHO:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), bool(int(sys.argv[4])))
    else:
        sys.exit(race())
