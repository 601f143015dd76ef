"""Numbers near those of another configuration, and unlike those that are taken already. Pure, on the host."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice, product

import jax.numpy as jnp
import numpy as np

from fnopt.space.choice import Choice
from fnopt.space.entry import Range
from fnopt.space.path import Path
from fnopt.space.perturb import Ranges, perturbed

NEAR, TRIES = 12, 24  # draws near the numbers as they are, and draws in all
MOST = 4096  # combinations of discrete values that are tried in turn

Numbers = Mapping[Path, float]
Fits = Callable[[Numbers], bool]


def unlike(
    numbers: Numbers,
    ranges: Ranges,
    draws: Mapping[Path, Sequence[Sequence[float]]],
    *,
    taken: Collection[Numbers],
    fits: Fits,
    factor: float,
    resample: float,
) -> dict[Path, float]:
    """Numbers as :func:`perturbed` moves them, drawn again as long as they are taken.

    Two that are equal in the type that a model trains in are one. The first draw moves a number by the whole factor f;
    those after it by f^v, v uniform in [−1, 1]; the last ones come from anywhere. Where none of these will do, every
    option of the choices and every whole number of the ranges is tried in turn; then the first draw that fits is taken
    though it is taken already, and the numbers themselves where there is none.

    Args:
        numbers: as they are, by path.
        ranges: what they were drawn from.
        draws: three shares in [0, 1) for each path and try, shape=(TRIES, 3).
        taken: which numbers the result must differ from.
        fits: whether a model takes some numbers.
        factor, resample: as in :func:`perturbed`.

    >>> from fnopt.space import choice
    >>> at, draws = ("l2",), {("l2",): [(0.9, 0.1, 0.0)] * TRIES}
    >>> how = dict(fits=lambda numbers: True, factor=1.2, resample=0.1)
    >>> unlike({at: 0.0}, {at: choice(0.0, 1.0, 2.0)}, draws, taken=[{at: 0.0}, {at: 1.0}], **how)
    {('l2',): 2.0}
    """
    known = {seen(some) for some in taken}
    repeated: dict[Path, float] | None = None
    for k in range(TRIES):
        again = resample if k < NEAR else 1.0
        mine = {
            path: perturbed(ranges[path], x, draws[path][k], factor, again, whole_factor=k == 0)
            for path, x in numbers.items()
        }
        if not fits(mine):
            continue
        if seen(mine) not in known:
            return mine
        repeated = repeated or mine
    for values in islice(product(*(_all(ranges[path], x) for path, x in numbers.items())), MOST):
        mine = dict(zip(numbers, values, strict=True))
        if seen(mine) not in known and fits(mine):
            return mine
    return repeated or dict(numbers)


def seen(numbers: Numbers) -> tuple[float, ...]:
    """Numbers as a model sees them: in the type that it trains in."""
    f = jnp.result_type(float)
    return tuple(float(np.asarray(x, f)) for x in numbers.values())


def _all(space: Range, x: float) -> Iterator[float]:
    """All values of a choice or a range of whole numbers; of a range of real ones the one that is there."""
    if isinstance(space, Choice):
        yield from space.options
    elif space.whole and not space.bell:
        yield from range(space.low, space.high + 1)
    else:
        yield x
