"""The regressor."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from fnopt.sklearn.base import Estimator
from fnopt.sklearn.common import keep
from fnopt.sklearn.outputs import values_of


class FnoptRegressor(RegressorMixin, Estimator):
    """A network that predicts values, one or several an example, as scikit-learn has it.

    Without arguments it is ``fo.fit(fo.regressor(), data)``: it trains by the recipe of ``fo.recipes.default`` until
    the loss of 15 % held-out rows no longer falls. An argument that is given goes over the recipe. With ``max_iter`` it
    is ``fo.fit(…, epochs=max_iter)``: no recipe, no held-out rows, Adam at a constant 0.001 unless said. Draws are not
    those of ``MLPRegressor``.

    Args as :class:`FnoptClassifier`, but for ``class_weight`` and ``label_smoothing``; early stopping looks at R². And:
        loss: ``"squared_error"`` (fnopt's is not halved), ``"poisson"``, or another of ``fo.regressor``.
        standardize_target: train on targets of zero mean and unit variance; on but for ``"poisson"`` unless given.
            Predictions are in the target's unit all the same.

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = FnoptRegressor(hidden_layer_sizes=8, learning_rate_init=0.01, max_iter=20, random_state=0)
    >>> net.fit(X, y).score(X, y) > 0.4
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = None,
        activation: Any = None,
        *,
        loss: str = "squared_error",
        solver: Any = None,
        alpha: float | None = None,
        batch_size: Any = None,
        learning_rate: str | None = None,
        learning_rate_init: Any = None,
        power_t: float | None = None,
        max_iter: int | None = None,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float | None = None,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float | None = None,
        nesterovs_momentum: bool | None = None,
        early_stopping: bool | None = None,
        validation_fraction: float | None = None,
        beta_1: float | None = None,
        beta_2: float | None = None,
        epsilon: float | None = None,
        n_iter_no_change: Any = None,
        max_fun: int | None = None,
        norm: str | None = None,
        init: str | None = None,
        dropout: Any = None,
        l1: float | None = None,
        weight_decay: float | None = None,
        standardize: bool = True,
        standardize_target: bool | None = None,
        hyper: Any = None,
    ):
        keep(self, locals())

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may ask of it."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> np.ndarray:
        """Values in the target's unit, float64, shape=(m,) or (m, outputs)."""
        x = self._checked(X)
        return values_of(self.run_, x)
