"""The classifier."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from fnopt.sklearn.base import Estimator
from fnopt.sklearn.common import keep
from fnopt.sklearn.targets import Rows, labels_of


class FnoptClassifier(ClassifierMixin, Estimator):
    """A network that names one of C classes, or says yes or no to each of several labels, as scikit-learn has it.

    Without arguments it is ``fo.fit(fo.classifier(), data)``: it trains by the recipe of ``fo.recipes.default`` until
    the loss of 15 % held-out rows no longer falls. An argument that is given goes over the recipe. With ``max_iter`` it
    is ``fo.fit(…, epochs=max_iter)``: no recipe, no held-out rows, Adam at a constant 0.001 unless said. Draws are not
    those of ``MLPClassifier``.

    Args:
        hidden_layer_sizes: widths of the hidden layers, one or several, () for none.
        activation: ``"relu"``, ``"tanh"``, ``"logistic"``, ``"identity"``, or another of ``fo.nn.activations``.
        solver: ``"adam"``, ``"sgd"``, ``"lbfgs"`` (all rows at once), or another of ``fo.optim``, by name or itself.
            ``"sgd"`` has Nesterov's ``momentum`` 0.9 unless said, as there.
        alpha: ≥ 0; the penalty α/(2b) Σ w² with b the rows of a batch: fnopt's ``l2`` is α/(2b).
        batch_size: rows an update, ≥ 1; ``"auto"`` is min(200, rows).
        learning_rate: ``"constant"``; ``"invscaling"``: rate / (rows seen + 1)^power_t, epoch by epoch; ``"adaptive"``:
            a fifth of the rate after each ``n_iter_no_change`` epochs without improvement.
        learning_rate_init: > 0; the rate, or a schedule of ``fo.schedules``.
        power_t: ≥ 0; 0.5 unless given.
        max_iter: epochs, ≥ 1. All are trained, unless ``early_stopping``, ``tol`` or ``n_iter_no_change`` is given.
        shuffle: whether rows are shuffled before each epoch.
        random_state: what weights, order, dropout and held-out rows draw from; a whole number r is the key r.
        tol: ≥ 0; the least improvement that counts: of the training cost, or of the score under ``early_stopping``.
        verbose: True for a bar on the terminal.
        warm_start: True for ``fit`` to begin at the weights of the last call.
        momentum: in [0, 1); of a solver that has it.
        nesterovs_momentum: False for ``"sgd"`` with classical momentum.
        early_stopping: True holds ``validation_fraction`` of the rows out and ends where their accuracy no longer
            rises, with the best weights; False trains on all rows to the end; None: as the recipe says.
        validation_fraction: in [0, 1); 0.1 under ``early_stopping``, 0.15 in the recipe.
        beta_1, beta_2, epsilon: of a solver that has them.
        n_iter_no_change: epochs without improvement before the end; 10 where one of the rules is on.
        max_fun: the most epochs of ``"lbfgs"``, each of which takes an evaluation at least.
        norm: ``"batch"`` or None.
        init: initial weights, a name of ``fo.nn.initializers``; ``"he"`` unless given.
        dropout: in [0, 1]; the share of hidden units that are dropped, one or one a layer.
        l1: ≥ 0; s of the penalty s Σ|w|.
        weight_decay: ≥ 0; decoupled, of AdamW, which it makes the solver unless one is given.
        standardize: zero mean and unit variance of each input over the training rows.
        hyper: a dict of any other name of fnopt, which goes over the arguments.
        class_weight: None, ``"balanced"``, or {label: weight}: what rows of the class count, times ``sample_weight``.
        label_smoothing: in [0, 1].

    Attributes:
        run_: the ``Run``: ``scores``, ``history``, ``plan``, ``save``, …
        classes_: the labels, sorted; the columns' numbers where y has columns of 0 and 1.
        n_features_in_, feature_names_in_, n_iter_, n_layers_, n_outputs_, loss_, loss_curve_, best_loss_,
        validation_scores_, best_validation_score_, coefs_, intercepts_: as scikit-learn has them.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> net = FnoptClassifier(hidden_layer_sizes=8, learning_rate_init=0.05, max_iter=30, random_state=0)
    >>> net.fit(X, y).score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = None,
        activation: Any = None,
        *,
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
        hyper: Any = None,
        class_weight: Any = None,
        label_smoothing: float | None = None,
    ):
        keep(self, locals())

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may ask of it."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    class_weight: Any
    _numeric = False

    def _remember(self, rows: Rows, classes: Any) -> None:
        """Keep what the labels of a first call stand for."""
        self._labels_ = labels_of(self, rows, classes)
        self.classes_ = self._labels_.classes

    def _task(self) -> str:
        """Whether y has labels, or columns of 0 and 1."""
        return self._labels_.task

    def _weighted(self, rows: Rows) -> Rows:
        """The rows with what their classes count."""
        return rows if self.class_weight is None else self._labels_.weighted(rows, self.class_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """One epoch over X and y, see :meth:`Estimator.partial_fit`.

        Args:
            X: array or data frame, shape=(m, features), finite numbers.
            y: array, shape=(m,), or shape=(m, labels) of 0 and 1.
            sample_weight: shape=(m,), ≥ 0; what each row counts.
            classes: all labels that any call will bring; the first call needs them, unless its y has them all.

        Returns:
            the estimator itself.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                "partial_fit does not know how often each class comes: write class_weight as numbers, {label: weight}"
            )
        return self._one_epoch(X, y, sample_weight, classes)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest label of each row; columns of 0 and 1 where y had them. Arrays of y's type."""
        z = self._outputs(X)
        if self._labels_.task == "labels":
            return (z > 0).astype(self._labels_.dtype)
        return self.classes_[(z.reshape(len(z)) > 0).astype(int) if _single(z) else z.argmax(axis=1)]

    def decision_function(self, X: Any) -> np.ndarray:
        """Logits, shape=(m, classes); shape=(m,) for two classes, the larger the likelier the second."""
        z = self._outputs(X)
        return z.reshape(len(z)) if self._labels_.task == "classes" and _single(z) else z

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of ``predict_proba``."""
        z = self._outputs(X)
        if self._labels_.task == "labels":
            return -np.logaddexp(0, -z)
        if _single(z):
            z = z.reshape(len(z))
            return -np.logaddexp(0, np.stack([z, -z], axis=1))
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape=(m, classes) in the order of ``classes_``; of each label where y had columns."""
        return np.exp(self.predict_log_proba(X))


def _single(z: np.ndarray) -> bool:
    """Whether one logit stands for two classes."""
    return z.ndim == 1 or z.shape[1] == 1
