"""Proposing configurations: random, Sobol and grid, each stable as their number grows, whatever the order of names."""

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import product
from math import prod
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import one_of, whole
from fnopt._compile import ONCE, TRACES
from fnopt.space import Choice, Distribution, SearchSpace
from fnopt.space.choice import normal
from fnopt.space.draw import BLOCK, values
from fnopt.space.entry import Picked, Range, extremes, has_ranges
from fnopt.space.path import Path, leaves, salt
from fnopt.space.search_space import Hyper

GRID = 5  # values of a range in a grid that does not say `points`
COUNTED = 4096  # combinations of a discrete space that are counted one by one
SOBOL = 2**30  # points of a Sobol search, of SciPy's 30 bits


def propose(
    space: Mapping[str, Any], n: int | None, key: chex.PRNGKey, search: str, base: Mapping[str, Any] | None = None
) -> list[Hyper]:
    """The first ``n`` configurations of a search; a plain value in the space is the same in all.

    Args:
        space: name to space or value; a schedule or a tuple may hold spaces.
        n: how many, ≥ 1; None takes the whole grid.
        key: what random draws come from: number i is ``fold_in(key, i)``, whatever ``n``.
        base: what names that the space does not hold are; conditions of ``when`` look there too.
        search: ``"random"``, ``"sobol"`` or ``"grid"`` (every combination; of the names in alphabetical order the last
            varies fastest).

    Raises:
        ValueError: for an unknown search, n < 1, or a grid asked for more than it holds.
    """
    one_of("search", search, ("random", "sobol", "grid"))
    n = None if n is None else whole("n", n)
    if n is None and search != "grid":
        raise ValueError(f"a {search} search has no end; say how many configurations: n=…")
    made = space if isinstance(space, SearchSpace) else SearchSpace(space, base)
    if search == "grid":
        return _grid(made, n)
    assert n is not None
    if not made.drawn:
        return [made.configuration({}) for _ in range(n)]
    words = _random(made, n, key) if search == "random" else _sobol(made, n, key)
    drawn = values(made.drawn, words)
    return [made.configuration({path: some[i] for path, some in drawn.items()}) for i in range(n)]


def size(space: SearchSpace, most: int) -> int | None:
    """How many different configurations a discrete space holds; None where they are more than ``most``."""
    if any(isinstance(leaf, Distribution) and not leaf.whole for leaf in space.drawn.values()):
        return None
    count = prod(leaf.high - leaf.low + 1 if isinstance(leaf, Distribution) else len(leaf.options)
                 for leaf in space.drawn.values())  # fmt: skip
    if count <= min(most, COUNTED):
        return len(_combinations(space, {path: _points(leaf, most) for path, leaf in space.drawn.items()}, None))
    return count if count <= most else None


def _random(space: SearchSpace, n: int, key: chex.PRNGKey) -> np.ndarray:
    salts = np.asarray([salt(path) for path in space.drawn], np.uint32)
    blocks = [_block(key, np.int32(b * BLOCK), salts) for b in range(-(-n // BLOCK))]
    return np.concatenate(jax.device_get(blocks))[:n]


@partial(jax.jit, compiler_options=ONCE)
def _block(key: chex.PRNGKey, first: Any, salts: Any) -> Any:
    """Words for BLOCK configurations and each path, shape=(BLOCK, paths): from key, configuration and path."""
    TRACES["propose"] += 1

    def one(i: Any) -> Any:
        mine = jax.random.fold_in(key, first + i)
        return jax.vmap(
            lambda s: jax.random.bits(jax.random.fold_in(jax.random.fold_in(mine, s[0]), s[1]), (), "uint32")
        )(salts)

    return jax.vmap(one)(jnp.arange(BLOCK))


def _sobol(space: SearchSpace, n: int, key: chex.PRNGKey) -> np.ndarray:
    """Sobol points, scrambled by the key (Owen, 1998), from SciPy, which JAX brings along."""
    from scipy.stats import qmc

    most = qmc.Sobol.MAXDIM
    if len(space.drawn) > most:
        raise ValueError(
            f"a sobol search takes {most} ranges and choices at most, and this space has {len(space.drawn)}: "
            'take search="random"'
        )
    if n > SOBOL:
        raise ValueError(f'a sobol search has {SOBOL} configurations at most, got n={n}: take search="random"')
    seed = int(jax.random.bits(key, (), jnp.uint32))
    points = qmc.Sobol(len(space.drawn), scramble=True, rng=np.random.default_rng(seed))
    u = points.random_base2(max((n - 1).bit_length(), 0))[:n]
    return np.minimum(u * 2.0**32, 2**32 - 1).astype(np.uint32)


def _grid(space: SearchSpace, n: int | None) -> list[Hyper]:
    axes = {path: _points(leaf, GRID) for path, leaf in space.drawn.items()}
    most = prod(len(axis) for axis in axes.values())
    if n is not None and n > most:
        raise ValueError(f"the grid holds {most} configurations, n={n} asks for more; leave out n, or raise points=")
    found = _combinations(space, axes, n)
    if n is not None and len(found) < n:
        raise ValueError(f"the grid holds {len(found)} different configurations, n={n} asks for more; leave out n")
    return found


def _combinations(space: SearchSpace, axes: Mapping[Path, list[Any]], n: int | None) -> list[Hyper]:
    """The first ``n`` different configurations of a grid; a blank name makes combinations alike."""
    found: dict[Any, Hyper] = {}
    for some in product(*axes.values()):
        hyper = space.configuration(dict(zip(axes, some, strict=True)))
        found.setdefault(_identity(hyper), hyper)
        if len(found) == n:
            break
    return list(found.values())


def _identity(hyper: Hyper) -> Any:
    """What distinguishes configurations: all values and their types."""
    some = leaves(hyper, lambda x: x is None)
    plain = [(path, normal(leaf)) for path, leaf in some]
    return (str(jax.tree.structure(hyper)), tuple((path, type(x).__name__, x) for path, x in plain))


def _points(space: Range, default: int) -> list[Any]:
    """The values of one axis of a grid: ``points`` of a range, ends included, or all options."""
    if isinstance(space, Choice):
        return [Picked(k) if has_ranges(option) else option for k, option in enumerate(space.options)]
    return list(grid_points(space, default))


def grid_points(space: Range, default: int) -> Iterable[Any]:
    """The values of one axis of a grid: ``points`` of a range, ends included, or all options."""
    if isinstance(space, Choice):
        return extremes(space)
    if space.whole and space.points is None and space.high - space.low < default:
        return list(range(space.low, space.high + 1))
    k = space.points or default
    u = (np.arange(k) + 0.5) / k if space.bell else np.linspace(0, 1, k) if k > 1 else np.array([0.5])
    if space.whole:
        return list(dict.fromkeys(space.from_unit(float(share)) for share in u))
    return list(dict.fromkeys(space.exact(np.float32(space.from_unit(float(share)))) for share in u))
