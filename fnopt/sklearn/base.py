"""What the classifier and the regressor share: fitting, going on with fitting, outputs, and what was learned."""

import warnings
from typing import Any, cast

import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fnopt._types import Dataset
from fnopt.run import Run, fit
from fnopt.sklearn.arguments import Size, Training, training_of
from fnopt.sklearn.continued import more_on
from fnopt.sklearn.outputs import outputs_of
from fnopt.sklearn.targets import FLOATS, Rows, as_dataset, checked

NET = ("hidden", "activation", "norm", "init")  # structure that weights have the shape of


class Estimator(BaseEstimator):
    """A network as scikit-learn's estimator; see :class:`FnoptClassifier` and :class:`FnoptRegressor`."""

    early_stopping: Any
    random_state: Any
    verbose: Any
    warm_start: Any
    _numeric = True  # whether y holds values
    _labels_: Any  # ``Labels`` of a classifier, None of a regressor
    _goes_on: bool  # whether the next ``partial_fit`` has the last one's state of training

    def _remember(self, rows: Rows, classes: Any) -> None:
        """Keep what the labels of a first call stand for."""
        del rows, classes
        self._labels_ = None

    def _task(self) -> str:
        """The kind of target that was seen."""
        return "values"

    def _weighted(self, rows: Rows) -> Rows:
        """The rows with what their classes count."""
        return rows

    def _prepared(self, x: Any, y: Any, weight: Any, *, reset: bool, classes: Any = None) -> Dataset:
        """The data of a call, with what is remembered of them."""
        rows = checked(self, x, y, weight, numeric=self._numeric, reset=reset)
        if reset:
            self._remember(rows, classes)
        return as_dataset(self, self._weighted(rows), self._labels_)

    def _training(self, data: Dataset, **changes: Any) -> Training:
        """What the arguments ask for, of these data."""
        size = Size(self._task(), len(data), data.x.shape[1])
        return training_of({**self.get_params(deep=False), **changes}, size)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train on X and y; with ``warm_start`` from the weights of the last call.

        Args:
            X: array or data frame, shape=(m, features), finite numbers.
            y: array, shape=(m,) or (m, outputs).
            sample_weight: shape=(m,), ≥ 0; what each row counts. A row of weight 0 is as if it were not there.

        Returns:
            the estimator itself.

        Raises:
            ValueError, TypeError: for data and arguments that cannot be, and where training diverges.
        """
        warm = bool(self.warm_start) and hasattr(self, "run_")
        data = self._prepared(X, y, sample_weight, reset=not warm)
        self._learn(self._training(data), data, self.run_ if warm else None)
        self._goes_on = False
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """One epoch over X and y, from where the last call ended: weights, moments and updates made go on.

        Inputs are scaled as in the first call, by its rows. What no argument says has the value that it has in
        ``fo.fit(…, epochs=1)``: Adam with a constant rate, and no recipe.

        Args:
            X: array or data frame, shape=(m, features), finite numbers.
            y: array, shape=(m,) or (m, outputs).
            sample_weight: shape=(m,), ≥ 0; what each row counts.

        Returns:
            the estimator itself.

        Raises:
            ValueError: for data of other columns or classes than those of the first call, under ``early_stopping``,
                and where training diverges.
        """
        return self._one_epoch(X, y, sample_weight)

    def _one_epoch(self, x: Any, y: Any, weight: Any, classes: Any = None) -> Any:
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: no rows are held out of its parts")
        first = not hasattr(self, "run_")
        data = self._prepared(x, y, weight, reset=first, classes=classes)
        going = None if first or not self._goes_on else self.run_.going  # a run that was unpickled has none
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="no example of class")  # another call brings it
            if going is not None:
                self._take(more_on(self.run_, going, data))
            else:
                training = self._training(data, max_iter=1, tol=None, n_iter_no_change=None)
                self._learn(training, data, None if first else self.run_)
        self._goes_on = True
        return self

    def _learn(self, training: Training, data: Dataset, before: Run | None) -> None:
        """Train, from the weights and with the scaling of an earlier run where there is one."""
        start: dict[str, Any] = {}
        hyper = training.hyper
        if before is not None:
            start = {"params": (before.params, before.stats), "encoding": before.encoding}
            hyper = {**_net(before), **hyper}
        rest = {"stop": training.stop, "objective": training.objective, "holdout": training.holdout, **start}
        progress = bool(self.verbose)
        self._take(
            fit(training.model, data, hyper=hyper, epochs=training.epochs, key=self._key(), progress=progress, **rest)
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is something learned."""
        return hasattr(self, "run_")

    def _take(self, run: Run) -> None:
        """Keep a run; ValueError where it diverged, as its weights answer nothing."""
        if run.status == "diverged":
            raise ValueError(f"training diverged: {run.why}; take a smaller learning_rate_init, or clean the inputs")
        self.run_ = run

    def _key(self) -> jax.Array:
        """What a training draws from: key ``random_state`` for a whole number, else one that it draws."""
        state = self.random_state
        if isinstance(state, int | np.integer):
            return jax.random.key(int(state))
        return jax.random.key(int(check_random_state(state).randint(2**31 - 1)))

    def _checked(self, x: Any) -> np.ndarray:
        """Rows to answer for; NotFittedError before ``fit``, and ValueError for rows of other columns."""
        check_is_fitted(self)
        return cast(Any, validate_data)(self, x, dtype=FLOATS, reset=False)

    def _outputs(self, x: Any) -> np.ndarray:
        """What the network gives for some rows, float64."""
        x = self._checked(x)
        return outputs_of(self.run_, x)

    @property
    def n_iter_(self) -> int:
        """Epochs trained."""
        return self.run_.epochs

    @property
    def loss_curve_(self) -> list[float]:
        """The mean training cost of each epoch."""
        return [float(cost) for cost in self.run_.history["cost"]]

    @property
    def loss_(self) -> float:
        """The last of them."""
        return self.loss_curve_[-1]

    @property
    def best_loss_(self) -> float:
        """The least of them."""
        return min(self.loss_curve_)

    @property
    def validation_scores_(self) -> list[float] | None:
        """The score of the held-out rows after each epoch: accuracy, or R²; None where none were held out."""
        scores = self.run_.history.get("dev")
        if not scores:
            return None
        return [float(score) for score in scores["r2" if self.run_.model.task == "values" else "accuracy"]]

    @property
    def best_validation_score_(self) -> float | None:
        """The greatest of them."""
        scores = self.validation_scores_
        return None if scores is None else max(scores)

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, shape=(inputs, units); they act on inputs as ``run_.encoding`` scales them."""
        return [np.asarray(layer["weight"]) for layer in self._layers()]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer, shape=(units,); under batch norm the shifts."""
        return [np.asarray(layer["bias"] if "bias" in layer else layer["shift"]) for layer in self._layers()]

    def _layers(self) -> list[Any]:
        params: Any = self.run_.params
        names = sorted((name for name in params if name != "output"), key=lambda name: int(name.split("_")[1]))
        return [params[name] for name in (*names, "output")]

    @property
    def n_layers_(self) -> int:
        """How many layers there are, inputs and outputs included."""
        return len(self._layers()) + 1

    @property
    def n_outputs_(self) -> int:
        """How many numbers the network puts out."""
        return self.run_.encoding.outputs


def _net(run: Run) -> dict[str, Any]:
    """The structure that a run's weights have the shape of."""
    names = ("hidden", "init") if run.hyper.get("hidden") == () else NET
    return {name: run.hyper[name] for name in names if name in run.hyper}
