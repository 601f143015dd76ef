"""scikit-learn's RandomizedSearchCV over its MLPClassifier, all cores, the same ranges as ours."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

BATCHES = (32, 64, 128)


class OneMinusLogUniform:
    """1 − 10^r with r uniform, as scipy's distributions are asked."""

    def __init__(self, low: float, high: float):
        self.spread = loguniform(1 - high, 1 - low)

    def rvs(self, random_state: Any = None) -> float:
        """One draw."""
        return float(1 - self.spread.rvs(random_state=random_state))


def space(batch: int, hidden: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    """The ranges for one batch size: scikit-learn's penalty is (alpha/2b) Σ w², so alpha is 2 b times our l2."""
    own = {
        "hidden_layer_sizes": list(hidden),
        "batch_size": [batch],
        "learning_rate_init": loguniform(1e-4, 1e-1),
        "alpha": loguniform(2 * batch * 1e-6, 2 * batch * 1e-1),
        "beta_1": OneMinusLogUniform(0.5, 0.999),
        "beta_2": OneMinusLogUniform(0.9, 0.9999),
    }
    return {f"mlpclassifier__{name}": values for name, values in own.items()}


def search(n: int, epochs: int, folds: int, hidden: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    """The best mean accuracy over the folds, and its standard error."""
    os.environ["PYTHONWARNINGS"] = "ignore"  # in the workers, which start later: so few epochs have not converged
    x, y = load_digits(return_X_y=True)
    net = make_pipeline(StandardScaler(), MLPClassifier(solver="adam", max_iter=epochs, random_state=0))
    spaces = [space(batch, hidden) for batch in BATCHES]
    made = RandomizedSearchCV(net, spaces, n_iter=n, cv=folds, n_jobs=-1, refit=False, random_state=0)
    results = made.fit(x.astype(np.float32), y).cv_results_
    best = int(np.nanargmax(results["mean_test_score"]))
    each = np.array([results[f"split{k}_test_score"][best] for k in range(folds)])
    return dict(
        score=float(each.mean()),
        error=float(each.std(ddof=1) / folds**0.5),
        epochs_trained=float(n * epochs),
        C=None,
        best={name.split("__")[1]: value for name, value in results["params"][best].items()},
    )
