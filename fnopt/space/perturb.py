"""Changing a number that a space drew: a little up or down in its own scale, or drawn again. Pure, on the host."""

from collections.abc import Collection, Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from fnopt.space.choice import Choice
from fnopt.space.distributions import Distribution
from fnopt.space.draw import drawn_at
from fnopt.space.entry import Range
from fnopt.space.epochs import NAME
from fnopt.space.path import Path
from fnopt.space.search_space import SearchSpace
from fnopt.space.stopping import STOP

Ranges = Mapping[Path, Range]


def ranges_of(space: SearchSpace, structure: Collection[str]) -> dict[Path, Range]:
    """The numbers that a space draws, by path.

    Structure is none of them, nor is a choice between other things than numbers, or one that a ``when`` asks for.

    >>> from fnopt.space import choice, log_uniform
    >>> ranges_of(SearchSpace(dict(lr=log_uniform(1e-3, 1.0), hidden=choice(4, 8), l2=choice(0.0, 1e-4))), {"hidden"})
    {('l2',): choice(0.0, 0.0001), ('lr',): log_uniform(0.001, 1)}
    """
    fixed = {*structure, NAME, STOP, *(name for given in space.conditions.values() for name in given)}
    return {
        path: leaf
        for path, leaf in space.drawn.items()
        if path[0] not in fixed and (isinstance(leaf, Distribution) or leaf.numeric)
    }


def perturbed(
    space: Range, x: float, draws: Sequence[float], factor: float, resample: float, whole_factor: bool = True
) -> float:
    """Another value near ``x``, or anywhere in the space.

    With probability ``resample`` it is drawn again. Else it becomes x·factor or x/factor, each alike; of a
    ``one_minus_log_uniform`` 1 − x does; a choice of numbers goes to the next larger or smaller option. A whole number
    moves by 1 at least. What leaves the range stands at its end; a bell's range is its mean ± 3 standard deviations.
    Without ``whole_factor`` it becomes x·factor^v, v = 1 − 2·(the second share), between the two.

    Args:
        space: what ``x`` was drawn from.
        x: the number now.
        draws: three shares in [0, 1): whether to draw again, which way, and where.
        factor: > 1.
        resample: in [0, 1].
        whole_factor: whether to move by all of the factor.

    >>> from fnopt.space import one_minus_log_uniform, uniform
    >>> round(perturbed(uniform(0.0, 1.0), 0.5, (0.9, 0.1, 0.0), factor=1.2, resample=0.1), 4)
    0.6
    >>> round(perturbed(one_minus_log_uniform(0.5, 0.999), 0.9, (0.9, 0.6, 0.0), factor=2.0, resample=0.1), 4)
    0.95
    """
    again, way, where = draws
    if again < resample:
        return drawn_at(space, where)
    up = way < 0.5
    if isinstance(space, Choice):
        options = sorted(dict.fromkeys(space.options))
        return options[min(max(options.index(x) + (1 if up else -1), 0), len(options) - 1)]
    ratio = factor ** (1 - 2 * way) if not whole_factor else factor if up else 1 / factor
    value = 1 - (1 - x) * ratio if space.kind == "one_minus_log_uniform" else x * ratio
    if space.whole:
        moved = round(value)
        value = moved if moved != x else x + (1 if up else -1)
    low, high = space.usual
    value = min(max(value, low), high)
    return int(value) if space.whole else float(np.asarray(value, jnp.result_type(float)))
