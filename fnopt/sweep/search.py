"""Proposing configurations: random, Sobol and grid, each stable as their number grows."""

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import product
from math import prod
from typing import Any
from zlib import crc32

import chex
import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import one_of, whole
from fnopt._compile import ONCE, TRACES
from fnopt.space.choice import Choice
from fnopt.space.distributions import Distribution
from fnopt.space.draw import quantiles
from fnopt.space.search_space import Flat, Hyper, configuration, flatten

BLOCK = 256  # configurations drawn at once: configuration i does not depend on how many are drawn
GRID = 5  # values of a range in a grid that does not say `points`


def propose(
    space: Mapping[str, Any], n: int | None, key: chex.PRNGKey, search: str, base: Mapping[str, Any] | None = None
) -> list[Hyper]:
    """The first ``n`` configurations of a search; a plain value in the space is the same in all.

    Args:
        space: name to space or value; a schedule or a tuple may hold spaces.
        n: how many, ≥ 1; None takes the whole grid.
        key: what random draws come from: number i is ``fold_in(key, i)``, whatever ``n``.
        base: what names that the space does not hold are; conditions of ``when`` look there too.
        search: ``"random"``, ``"sobol"`` or ``"grid"`` (every combination; the last name varies fastest).

    Raises:
        ValueError: for an unknown search, n < 1, or a grid asked for more than it holds.
    """
    one_of("search", search, ("random", "sobol", "grid"))
    n = None if n is None else whole("n", n)
    if n is None and search != "grid":
        raise ValueError(f"a {search} search has no end; say how many configurations: n=…")
    flat = flatten(space, base or {})
    if search == "grid":
        return _grid(flat, n)
    assert n is not None
    draws = _random(flat, n, key) if search == "random" else _sobol(flat, n, key)
    return [configuration(flat, {name: values[i] for name, values in draws.items()}) for i in range(n)]


def _random(flat: Flat, n: int, key: chex.PRNGKey) -> dict[str, list[Any]]:
    if not flat.drawn:
        return {}
    salts = np.asarray([crc32(name.encode()) for name in flat.drawn], np.uint32)
    blocks = [_uniform_block(key, np.int32(b * BLOCK), salts) for b in range(-(-n // BLOCK))]
    return _values(flat, np.concatenate(jax.device_get(blocks)))


@partial(jax.jit, compiler_options=ONCE)
def _uniform_block(key: chex.PRNGKey, first: Any, salts: Any) -> Any:
    """u for BLOCK configurations and each name, shape=(BLOCK, names): from the key, the configuration and the name."""
    TRACES["propose"] += 1

    def one(i: Any) -> Any:
        mine = jax.random.fold_in(key, first + i)
        return jax.vmap(lambda salt: jax.random.uniform(jax.random.fold_in(mine, salt)))(salts)

    return jax.vmap(one)(jnp.arange(BLOCK))


def _sobol(flat: Flat, n: int, key: chex.PRNGKey) -> dict[str, list[Any]]:
    """Sobol points, scrambled by the key (Owen, 1998), from SciPy, which JAX brings along."""
    from scipy.stats import qmc

    if not flat.drawn:
        return {}
    seed = int(jax.random.bits(key, (), jnp.uint32))
    points = qmc.Sobol(len(flat.drawn), scramble=True, rng=np.random.default_rng(seed))
    whole = points.random_base2(max((n - 1).bit_length(), 0))
    return _values(flat, whole.astype(jnp.result_type(float)))


def _values(flat: Flat, u: np.ndarray) -> dict[str, list[Any]]:
    """Each name's values at its column of u, as plain Python values that carry their float exactly."""
    u = np.pad(u, ((0, -len(u) % BLOCK), (0, 0)))  # whole blocks: one program for every n
    spaces = {name: leaf for name, leaf in flat.drawn.items() if isinstance(leaf, Distribution)}
    columns = dict(zip(flat.drawn, range(len(flat.drawn)), strict=True))
    blocks = [
        jax.device_get(quantiles(spaces, {name: u[k : k + BLOCK, columns[name]] for name in spaces}))
        for k in range(0, u.shape[0], BLOCK)
    ]
    numbers = {name: np.concatenate([block[name] for block in blocks]) for name in spaces}
    out: dict[str, list[Any]] = {}
    for name, leaf in flat.drawn.items():
        if isinstance(leaf, Choice):
            out[name] = [leaf.options[k] for k in np.asarray(leaf.quantile(u[:, columns[name]])).tolist()]
        else:
            out[name] = numbers[name].astype(int if leaf.whole else float).tolist()
    return out


def _grid(flat: Flat, n: int | None) -> list[Hyper]:
    axes = {name: list(grid_points(leaf, GRID)) for name, leaf in flat.drawn.items()}
    size = prod(len(axis) for axis in axes.values())
    if n is not None and n > size:
        raise ValueError(f"the grid holds {size} configurations, n={n} asks for more; leave out n, or raise points=")
    found: dict[str, Hyper] = {}
    for values in product(*axes.values()):
        hyper = configuration(flat, dict(zip(axes, values, strict=True)))
        found.setdefault(repr(hyper), hyper)  # a blank name makes combinations alike
        if len(found) == n:
            break
    if n is not None and len(found) < n:
        raise ValueError(f"the grid holds {len(found)} different configurations, n={n} asks for more; leave out n")
    return list(found.values())


def grid_points(space: Any, default: int) -> Iterable[Any]:
    """The values of one axis of a grid: ``points`` of a range, ends included, or all options."""
    if isinstance(space, Choice):
        return space.options
    if space.whole and space.points is None and space.high - space.low < default:
        return [int(v) for v in np.arange(space.low, space.high + 1)]
    k = space.points or default
    bell = space.kind in ("normal", "log_normal")
    u = (np.arange(k) + 0.5) / k if bell else np.linspace(0, 1, k) if k > 1 else np.array([0.5])
    values = np.asarray(space.quantile(jnp.asarray(u, jnp.result_type(float))))
    return list(dict.fromkeys(map(int if space.whole else float, values)))
