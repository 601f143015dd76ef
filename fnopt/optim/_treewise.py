"""From a rule of the whole tree to an optimizer, for those that do not treat every entry by itself.

A rule reads like its paper, ``(p, g, memory, h, t) -> (p, memory)``; here is everything around it: checks, dtypes,
numbers and the count of steps. What runs over several leaves (a dot product, a norm) is a scalar of the default float
type; what belongs to one leaf has that leaf's working type.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Cost, Edit, Optimizer, Params, State, as_it_is, parameters
from fnopt.numbers import Range
from fnopt.optim._frame import begin, described, gradients_of, numbers_at
from fnopt.tree import absolute, binary_size, working_dtype


class TreeRule(Protocol):
    """``rule(p, g, memory, h, t) -> (p, memory)``, all leaves in their working types.

    ``h`` holds the numbers at this step and ``t`` the number of this step, counted from 1, in the default float type.
    A rule of an optimizer that wants the objective takes two more: it, and its value at ``p``; either may be None. One
    that edits takes an Edit, and gives three.
    """

    def __call__(self, p: Params, g: Params, memory: Any, h: Any, t: Array, *more: Any) -> tuple[Any, ...]: ...


def treewise(
    name: str,
    numbers: type,
    ranges: Mapping[str, Range],
    start: Callable[[Params], Any],
    rule: TreeRule,
    *,
    lr: float = 1e-3,
    fill: Mapping[str, str] | None = None,
    readout: Callable[[State], Params] = parameters,
    wants_objective: bool = False,
    edits: bool = False,
    moments: tuple[str, ...] = (),
    doc: str | None = None,
) -> Optimizer:
    """The optimizer that applies ``rule`` to the whole tree.

    Args:
        name: what it is called.
        numbers: NamedTuple class of its numbers, with their defaults.
        ranges: the range of each number.
        start: the memory at the start, from parameters in their working types; its shapes and types stay.
        rule: one step.
        lr: the learning rate to try first.
        fill: number left out -> the number that it follows, in the order of filling.
        readout: the weights to evaluate, where they are not ``state.params``.
        wants_objective: whether ``update`` takes ``objective``, a pure function from parameters to the cost.
        edits: whether the rule takes an Edit besides, applies it where its step leads, and gives as a third what it
            tells: for a rule that makes more of a step than new parameters.
        moments: the fields of the memory that gather gradients, trees like the parameters, 0 at the start.
        doc: what ``help`` shows.
    """

    init, hyper = begin(name, numbers, ranges, fill, lambda params, _: start(working(params)))

    def advance(state: State, grads: Params, *more: Any) -> tuple[State, Any]:
        grads = gradients_of(name, numbers, state, grads)
        step, f = state.step + 1, jnp.result_type(float)
        h = jax.tree.map(lambda x: x.astype(f), numbers_at(name, state.hyper, state.step, ranges))
        params, memory, *told = rule(working(state.params), working(grads), state.memory, h, step.astype(f), *more)
        new = State(step=step, params=as_types_of(state.params, params), hyper=state.hyper, memory=memory)
        return new, told

    def edited(state: State, grads: Params, edit: Edit, **extra: Any) -> tuple[State, Any]:
        del extra
        new, (told,) = advance(state, grads, edit)
        return new, told

    def update(state: State, grads: Params, *, loss: Array | None = None) -> State:
        del loss
        return advance(state, grads, *([as_it_is] if edits else []))[0]

    def update_with(state: State, grads: Params, *, loss: Array | None = None, objective: Cost | None = None) -> State:
        if objective is None:
            return advance(state, grads, None, loss)[0]

        def of_working(p: Params) -> Array:
            return objective(as_types_of(state.params, p)).astype(jnp.result_type(float))

        return advance(state, grads, of_working, loss)[0]

    optimizer = Optimizer(
        name=name,
        init=init,
        update=update_with if wants_objective else update,
        numbers=numbers,
        readout=readout,
        lr=lr,
        hyper=hyper,
        wants_objective=wants_objective,
        elementwise=False,
        edited=edited if edits else None,
        moments=moments,
    )
    return described(optimizer, doc)


def leafwise(made: type, rule: Callable[..., Any], scalars: Any, *trees: Any) -> Any:
    """``rule(scalars, *leaves)`` for each leaf, the scalars in its type; a ``made`` of trees from one for each leaf.

    Args:
        made: NamedTuple class of what the rule gives for one leaf.
        rule: what to do with one leaf.
        scalars: pytree of what is the same for all leaves.
        trees: of one structure; only the first decides the type.
    """
    leaves, structure = jax.tree.flatten(trees[0])
    types = dict.fromkeys(leaf.dtype for leaf in leaves)
    shared = {d: jax.tree.map(lambda x, d=d: x.astype(d), scalars) for d in types}
    columns = zip(leaves, *(structure.flatten_up_to(tree) for tree in trees[1:]), strict=True)
    rows = [rule(shared[leaf.dtype], leaf, *rest) for leaf, *rest in columns]
    fields: tuple[str, ...] = cast(Any, made)._fields
    return made(*(structure.unflatten([getattr(row, field) for row in rows]) for field in fields))


def working(tree: Params) -> Params:
    """Each leaf in the type that is computed in."""
    return jax.tree.map(lambda x: x.astype(working_dtype(x)), tree)


def as_types_of(like: Params, tree: Params) -> Params:
    """Each leaf in the type of the leaf in its place."""
    return jax.tree.map(lambda x, y: y.astype(x.dtype), like, tree)


def plus(p: Params, a: Array, d: Params) -> Params:
    """p + a d, with one number a.

    >>> plus({"w": jnp.ones(2)}, jnp.asarray(0.5), {"w": jnp.array([2.0, 4.0])})["w"].tolist()
    [2.0, 3.0]
    """
    return jax.tree.map(lambda x, y: x + a.astype(x.dtype) * y, p, d)


def dot(a: Params, b: Params) -> Array:
    """Σ a b over all leaves, a scalar of the default float type.

    >>> float(dot({"w": jnp.ones(3)}, {"w": jnp.full(3, 2.0)}))
    6.0
    """
    return _sum(jax.tree.map(lambda x, y: jnp.sum(x * y), a, b))


def size(a: Params) -> Array:
    """A power of 2 near the largest |a| of all leaves, 1 where all is 0, a constant for derivatives."""
    f = jnp.result_type(float)
    tops = [jnp.max(jnp.abs(x), initial=0).astype(f) for x in jax.tree.leaves(a)]
    return binary_size(jnp.max(jnp.stack([jnp.zeros((), f), *tops])))


def over(a: Params, scale: Array) -> Params:
    """Every leaf divided by one number."""
    return jax.tree.map(lambda x: x / scale.astype(x.dtype), a)


def norm_1(a: Params) -> Array:
    """Σ |a| over all leaves, with derivative 0 where an entry is 0."""
    return _sum(jax.tree.map(lambda x: jnp.sum(absolute(x)), a))


def _sum(sums: Any) -> Array:
    f = jnp.result_type(float)
    return sum((s.astype(f) for s in jax.tree.leaves(sums)), jnp.zeros((), f))
