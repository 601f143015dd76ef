"""Proposing configurations: random, Sobol and grid, each stable as their number grows."""

from collections.abc import Mapping
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
from fnopt._compile import ONCE
from fnopt.sweep.lanes import TRACES
from fnopt.sweep.space import Choice, Space, When, grid_points, is_space

BLOCK = 256  # configurations drawn at once: configuration i does not depend on how many are drawn
GRID = 5  # values of a range in a grid that does not say `points`

Hyper = dict[str, Any]
_LEAF = jax.tree.structure(0)


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
    flat = _flatten(space, base or {})
    if search == "grid":
        return _grid(flat, n)
    assert n is not None
    draws = _random(flat, n, key) if search == "random" else _sobol(flat, n, key)
    return [_configuration(flat, {name: values[i] for name, values in draws.items()}) for i in range(n)]


def taken_apart(space: Mapping[str, Any]) -> dict[str, Space | Choice]:
    """What a space draws, by dotted name."""
    return _flatten(space, {}).drawn


def drawn(space: Space | Choice, u: float) -> Any:
    """The value of one space at the share ``u`` of its draws, as a proposal has it."""
    if isinstance(space, Choice):
        return space.options[min(int(u * len(space.options)), len(space.options) - 1)]
    value = jax.device_get(_quantiles({"": space}, {"": jnp.asarray(u, jnp.result_type(float))}))[""]
    return int(value) if space.whole else float(value)


class _Flat:
    """A space taken apart: its leaves by dotted name, and how to put values back."""

    def __init__(self, space: Mapping[str, Any], base: Mapping[str, Any]):
        self.base = base
        self.conditions: dict[str, dict[str, Any]] = {}
        self.leaves: dict[str, Any] = {}
        self.trees: dict[str, tuple[Any, list[str]]] = {}
        for name, value in space.items():
            if isinstance(value, When):
                self.conditions[name] = value.conditions(name)
                value = value.value_of(name)
            paths, treedef = jax.tree_util.tree_flatten_with_path(value, is_leaf=_is_leaf)
            names = [name + "".join(f".{jax.tree_util.keystr((k,), simple=True)}" for k in path) for path, _ in paths]
            if not any(is_space(leaf) for _, leaf in paths):
                names, treedef, paths = [name], jax.tree.structure(0), [((), value)]
            self.trees[name] = (treedef, names)
            self.leaves.update(zip(names, (leaf for _, leaf in paths), strict=True))
        self.drawn = {name: leaf for name, leaf in self.leaves.items() if is_space(leaf)}
        # Names that are one leaf, and need not be put together for each configuration.
        self.single = {name: names[0] for name, (tree, names) in self.trees.items() if tree == _LEAF}


def _is_leaf(x: Any) -> bool:
    return is_space(x) or x is None


def _flatten(space: Mapping[str, Any], base: Mapping[str, Any]) -> _Flat:
    if not isinstance(space, Mapping):
        raise TypeError(f"a space is a dict of name to space or value, got {type(space).__name__}")
    return _Flat(space, base)


def _configuration(flat: _Flat, values: Mapping[str, Any]) -> Hyper:
    """Values put back under their names; a name whose condition does not hold is left out."""
    hyper: Hyper = {}
    for name, (treedef, names) in flat.trees.items():
        if (leaf := flat.single.get(name)) is not None:
            hyper[name] = values[leaf] if leaf in values else flat.leaves[leaf]
        else:
            hyper[name] = jax.tree.unflatten(treedef, [values.get(leaf, flat.leaves[leaf]) for leaf in names])
    while flat.conditions:  # a name that is left out takes those with it that depend on it
        given = {**{k: v for k, v in flat.base.items() if k not in flat.trees}, **hyper}
        kept = {name: value for name, value in hyper.items() if _holds(flat.conditions.get(name, {}), given)}
        if len(kept) == len(hyper):
            break
        hyper = kept
    return hyper


def _holds(conditions: Mapping[str, Any], hyper: Hyper) -> bool:
    def same(wanted: Any, got: Any) -> bool:
        got = getattr(got, "name", got)  # an optimizer goes by its name
        return any(got == getattr(w, "name", w) for w in (wanted if isinstance(wanted, list) else [wanted]))

    return all(name in hyper and same(wanted, hyper[name]) for name, wanted in conditions.items())


def _random(flat: _Flat, n: int, key: chex.PRNGKey) -> dict[str, list[Any]]:
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


def _sobol(flat: _Flat, n: int, key: chex.PRNGKey) -> dict[str, list[Any]]:
    """Sobol points, scrambled by the key (Owen, 1998), from SciPy, which JAX brings along."""
    from scipy.stats import qmc

    if not flat.drawn:
        return {}
    seed = int(jax.random.bits(key, (), jnp.uint32))
    points = qmc.Sobol(len(flat.drawn), scramble=True, rng=np.random.default_rng(seed))
    whole = points.random_base2(max((n - 1).bit_length(), 0))
    return _values(flat, whole.astype(jnp.result_type(float)))


def _values(flat: _Flat, u: np.ndarray) -> dict[str, list[Any]]:
    """Each name's values at its column of u, as plain Python values that carry their float exactly."""
    u = np.pad(u, ((0, -len(u) % BLOCK), (0, 0)))  # whole blocks: one program for every n
    spaces = {name: leaf for name, leaf in flat.drawn.items() if isinstance(leaf, Space)}
    columns = dict(zip(flat.drawn, range(len(flat.drawn)), strict=True))
    blocks = [
        jax.device_get(_quantiles(spaces, {name: u[k : k + BLOCK, columns[name]] for name in spaces}))
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


@partial(jax.jit)
def _quantiles(spaces: dict[str, Space], u: dict[str, Any]) -> dict[str, Any]:
    TRACES["propose"] += 1
    f = jnp.result_type(float)
    bounds = jax.tree.map(lambda x: jnp.asarray(x, f), spaces)
    return {name: space.quantile(u[name]) for name, space in bounds.items()}


def _grid(flat: _Flat, n: int | None) -> list[Hyper]:
    axes = {name: list(grid_points(leaf, GRID)) for name, leaf in flat.drawn.items()}
    size = prod(len(axis) for axis in axes.values())
    if n is not None and n > size:
        raise ValueError(f"the grid holds {size} configurations, n={n} asks for more; leave out n, or raise points=")
    found: dict[str, Hyper] = {}
    for values in product(*axes.values()):
        hyper = _configuration(flat, dict(zip(axes, values, strict=True)))
        found.setdefault(repr(hyper), hyper)  # a blank name makes combinations alike
        if len(found) == n:
            break
    if n is not None and len(found) < n:
        raise ValueError(f"the grid holds {len(found)} different configurations, n={n} asks for more; leave out n")
    return list(found.values())
