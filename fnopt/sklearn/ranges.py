"""fnopt's ranges as scikit-learn draws from distributions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
from sklearn.utils import check_random_state

from fnopt.space import Choice, Distribution, When, is_space
from fnopt.space.entry import has_ranges


@dataclass(frozen=True)
class Draws:
    """A value that holds ranges, with the method that scikit-learn draws by."""

    value: Any

    def rvs(self, random_state: Any = None) -> Any:
        """One draw."""
        return drawn(self.value, check_random_state(random_state))


def drawable(distributions: Any) -> Any:
    """What ``RandomizedSearchCV`` takes for ``param_distributions``, of what may hold fnopt's ranges.

    A choice between plain values is a list of them, so that a space of choices alone is drawn without replacement, as
    one of lists is.

    Raises:
        TypeError: for a condition, with scikit-learn's way to say it.

    >>> from fnopt.space import choice
    >>> drawable({"solver": choice("adam", "sgd"), "alpha": [0.1, 0.2]})
    {'solver': ['adam', 'sgd'], 'alpha': [0.1, 0.2]}
    """
    if isinstance(distributions, list | tuple):
        return [drawable(one) for one in distributions]
    if not isinstance(distributions, Mapping):
        return distributions
    return {name: _one(name, value) for name, value in distributions.items()}


def _one(name: str, value: Any) -> Any:
    if isinstance(value, When):
        conditions = value.conditions(name)
        raise TypeError(
            f"{name}={value!r}: give a list of dicts instead, one for each case, as in "
            f"[dict({', '.join(f'{k}=[{v!r}]' for k, v in conditions.items())}, {name}=…), dict(…)]"
        )
    if isinstance(value, Choice) and not any(map(has_ranges, value.options)):
        return list(value.options)
    return Draws(value) if not hasattr(value, "rvs") and has_ranges(value) else value


def drawn(value: Any, rng: Any) -> Any:
    """A value with a number drawn for each of its ranges.

    >>> from fnopt.space import integer
    >>> drawn((integer(8, 9), 4), check_random_state(0))
    (9, 4)
    """
    if isinstance(value, Choice):
        return drawn(value.options[rng.randint(len(value.options))], rng)
    if isinstance(value, Distribution):
        return _number(value, rng.uniform())
    some, shape = jax.tree.flatten(value, is_leaf=lambda x: is_space(x) or x is None)
    return shape.unflatten([drawn(leaf, rng) if is_space(leaf) else leaf for leaf in some])


def _number(space: Distribution, u: float) -> Any:
    """The value at the share ``u``; of whole numbers each as likely as its part of the scale."""
    if not space.whole:
        return space.from_unit(u)
    x = space.unscaled((1 - u) * space.scaled(space.low) + u * space.scaled(space.high + 1))
    return min(max(math.floor(x), space.low), space.high)
