"""Which structures share a program: compiling is most of what small networks cost.

Structures that differ only in optimizer or batch size become one: the optimizer by a traced choice over one shared
state, the batch size by parts whose number is traced. What merges depends on the space, never on how many
configurations are drawn from it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fnopt._types import Batch, Optimizer, Trial
from fnopt.optim.family import Family, fits, shares
from fnopt.sweep.plan import WIDE

SMALLEST = 16  # examples; parts are no smaller, or their overhead would be most of a step


class Options(NamedTuple):
    """What a space may choose between."""

    optimizers: tuple[Optimizer, ...]
    batch_sizes: tuple[int, ...]
    narrowest: int | None = None  # widths are padded to those of buckets, of so many units at least; None: they are not


class Program(NamedTuple):
    """A compiled program's structure, and which of its traced choices a configuration takes."""

    trial: Trial
    which: int = 0  # of the optimizers; 0 where there is one
    batch_size: int | None = None  # None where it is the trial's own


def program_of(trial: Trial, options: Options, example: Batch) -> Program:
    """The program of a structure, shared with those of other optimizers and batch sizes where that pays."""
    params, _ = shapes_of(trial, example)
    if not mergeable(trial, params):
        return Program(trial)
    members, sizes = tuple(filter(shares, options.optimizers)), options.batch_sizes
    which, merged, batch_size = 0, trial, None
    if len(members) > 1 and trial.optimizer in members and fits(members, params):
        which, merged = members.index(trial.optimizer), replace(merged, optimizer=Family(members))
    if len(set(sizes)) > 1 and trial.splits and trial.batch is None and not trial.optimizer.wants_objective:
        batch_size = trial.batch_size
        merged = replace(merged, batch_size=max(min(sizes), SMALLEST))
    return Program(merged, which, batch_size)


def shapes_of(trial: Trial, example: Batch) -> tuple[Any, Any]:
    """The shapes of a structure's parameters and stats."""
    return _looked_at(trial, *_shape_of(example))[0]


def drawn_alike(trial: Trial, example: Batch) -> bool:
    """Whether the numbers of a structure have no part in its initial weights, so that one draw serves all of a seed.

    The widths of a network inside a bucket have, and the numbers that somebody's own ``init`` reads.
    """
    return _looked_at(trial, *_shape_of(example))[1]


def plain(trial: Trial) -> dict[str, Any]:
    """Some value for each number of a trial, for where only its presence counts."""
    return {name: jnp.asarray(0.5, jnp.result_type(float)) for name in trial.numbers}


def _shape_of(example: Batch) -> tuple[Any, ...]:
    leaves, structure = jax.tree.flatten(example)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves), jnp.result_type(float)


@lru_cache(maxsize=1024)
def _looked_at(trial: Trial, structure: Any, each: tuple[Any, ...], number: Any) -> tuple[Any, bool]:
    """The shapes of parameters and stats, and whether an axis of the numbers does not reach them."""
    del number  # the type of numbers, which the shapes depend on
    example = structure.unflatten([jax.ShapeDtypeStruct(*leaf) for leaf in each])
    key, numbers = jax.random.key(0), plain(trial)
    if numbers:
        many = jax.tree.map(lambda x: x[None], numbers)
        init = jax.vmap(trial.init, in_axes=(None, None, 0), out_axes=None)
        try:
            return jax.eval_shape(init, key, example, many), True
        except ValueError:  # an axis in what comes out
            pass
    return jax.eval_shape(trial.init, key, example, numbers), not numbers


def mergeable(trial: Trial, params: Any) -> bool:
    """Whether a structure is small enough that compiling it costs more than running it a little slower."""
    return sum(leaf.size for leaf in jax.tree.leaves(params)) < WIDE


def bound(trial: Trial, which: Any) -> Trial:
    """A shared trial seen as one of its members; for use inside a program only."""
    return replace(trial, optimizer=trial.optimizer.at(which)) if isinstance(trial.optimizer, Family) else trial


@lru_cache(maxsize=4096)
def member(trial: Trial, which: int) -> Trial:
    """The same for a number that is not traced: one object, so that what is compiled for it is compiled once."""
    return bound(trial, which)


def filled_up(trial: Trial, complete: dict[str, Any]) -> dict[str, Any]:
    """All numbers that a program takes: the configuration's, and for those of other members a number nobody reads."""
    names: Sequence[str] = (*trial.numbers, *trial.optimizer.numbers._fields)  # pyright: ignore
    own = {"stop": complete["stop"]} if "stop" in complete else {}  # early stopping's numbers, where they are searched
    return {**{name: complete.get(name, 0.5) for name in names}, **own}
