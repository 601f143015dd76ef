"""Which inputs matter to a trained model: how much worse it is when one of them is shuffled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import chex
import jax
import numpy as np

from fnopt import _html as html
from fnopt._checks import printable, whole
from fnopt.analysis.noise import mean_error

SHOWN = 20  # inputs that are printed
FIRST = 5  # of them in one line


class Answers(Protocol):
    """``predict(x) -> answers``, as ``run.predict``."""

    def __call__(self, x: Any, /) -> Any:
        """What the model answers."""
        ...


class Judge(Protocol):
    """``score(y, answers) -> number``, as ``fo.metrics.accuracy``."""

    def __call__(self, y: Any, answers: Any, /) -> Any:
        """How good the answers are."""
        ...


@dataclass(frozen=True)
class InputImportances:
    """What :func:`permutation_importance` found; printed, a line an input, the greatest drop first.

    ``drops`` is how much the score got worse in each repeat, shape=(inputs, repeats); ``score`` is that of the data as
    they are.
    """

    names: tuple[str, ...]
    drops: np.ndarray = field(repr=False)
    score: float

    @property
    def mean(self) -> np.ndarray:
        """The mean drop of each input, shape=(inputs,)."""
        return self.drops.mean(axis=1)

    @property
    def errors(self) -> np.ndarray:
        """Its standard error over the repeats, shape=(inputs,); NaN with one repeat."""
        return np.array([mean_error(row) for row in self.drops])

    @property
    def order(self) -> tuple[str, ...]:
        """The inputs, the most important first."""
        return tuple(self.names[d] for d in np.argsort(-self.mean, kind="stable"))

    def line(self, metric: str = "score", most: int = FIRST) -> str:
        """The inputs that matter most, in one line.

        >>> InputImportances(("a", "b"), np.array([[0.1, 0.2], [0.5, 0.6]]), 0.3).line("loss")
        'inputs: b 0.55, a 0.15 (how much worse the loss is with one shuffled)'
        """
        mean = dict(zip(self.names, self.mean.tolist(), strict=True))
        told = ", ".join(f"{printable(name)} {mean[name]:.2g}" for name in self.order[:most])
        more = f", {len(self.names) - most} more" if len(self.names) > most else ""
        return f"inputs: {told}{more} (how much worse the {metric} is with one shuffled)"

    def _repr_html_(self) -> str:
        return html.page(html.block(self))

    def __str__(self) -> str:
        mean, errors = self.mean, self.errors
        order = np.argsort(-mean, kind="stable")
        names = [printable(self.names[d]) for d in order[:SHOWN]]
        width = max(map(len, names), default=0)
        lines = [f"score {self.score:.4g}; how much worse it is with an input shuffled:"]
        for name, d in zip(names, order, strict=False):
            error = "" if np.isnan(errors[d]) else f" ± {errors[d]:.4f}"
            lines.append(f"{name.ljust(width)}  {mean[d]:.4f}{error}")
        return "\n".join([*lines, *([f"… and {len(order) - SHOWN} more"] if len(order) > SHOWN else [])])


def permutation_importance(
    predict: Answers,
    x: Any,
    y: Any,
    score: Judge,
    key: chex.PRNGKey,
    repeats: int = 5,
    *,
    higher: bool = True,
    groups: Mapping[str, Sequence[int]] | None = None,
) -> InputImportances:
    """How much worse the score is when an input's values are shuffled among the examples, all else as it is.

    What stands in one input may stand in another too: of two that say the same, either alone can be shuffled with
    little harm. It says what this model looks at, not what could be learned; take data that it was not trained on.

    Args:
        predict: ``predict(x) -> answers``.
        x: shape=(m, …), the inputs as ``predict`` takes them; a cell of what is not flat is an input.
        y: shape=(m, …), the truth.
        score: ``score(y, answers) -> number``.
        key: what the orders are drawn from; all inputs see the same.
        repeats: orders, ≥ 1.
        higher: whether more of the score is better.
        groups: by name, the numbers of the cells of an example that are shuffled together, as the columns of one
            category; each cell alone unless given.

    Returns:
        an ``InputImportances``.

    Raises:
        ValueError: for fewer than two examples, and for a number beyond the cells.

    Source: Breiman, "Random forests", 2001, section 10, https://doi.org/10.1023/A:1010933404324; Fisher, Rudin and
    Dominici, "All models are wrong, but many are useful", 2019, https://jmlr.org/papers/v20/18-760.html.

    >>> x = np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
    >>> def agree(y, f):
    ...     return -np.mean((y - f) ** 2)
    >>> found = permutation_importance(lambda x: x[:, 0], x, x[:, 0], agree, jax.random.key(0), repeats=2)
    >>> found.order[0], bool(found.mean[0] > 0), float(found.mean[1])
    ('0', True, 0.0)
    """
    x = np.asarray(x)
    m = len(x)
    if m < 2:
        raise ValueError(f"`x` must hold two examples or more to be shuffled, got {m}")
    cells = x.reshape(m, -1)
    if groups is None:
        groups = {str(d): (d,) for d in range(cells.shape[1])}
    for name, cells_of in groups.items():
        if not all(0 <= d < cells.shape[1] for d in cells_of):
            raise ValueError(f"group {name!r} has the cells {list(cells_of)}; an example has {cells.shape[1]}")
    keys = [jax.random.fold_in(key, r) for r in range(whole("repeats", repeats))]
    orders = [np.asarray(jax.random.permutation(k, m)) for k in keys]
    sign = 1.0 if higher else -1.0
    whole_score = float(score(y, predict(x)))
    drops = np.empty((len(groups), len(orders)))
    for d, cells_of in enumerate(groups.values()):
        for r, order in enumerate(orders):
            shuffled = cells.copy()
            shuffled[:, list(cells_of)] = cells[order][:, list(cells_of)]
            drops[d, r] = sign * (whole_score - float(score(y, predict(shuffled.reshape(x.shape)))))
    return InputImportances(tuple(groups), drops, whole_score)
