"""Any network taken apart at its products with weights: what each layer puts out, and what comes back to it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from fnopt import tree
from fnopt._types import Params

PRODUCTS = ("dot_general", "conv_general_dilated")
CALLS = ("jit", "pjit", "checkpoint", "remat", "remat2", "closed_call", "core_call")


class Tap(NamedTuple):
    """A product of what the examples came to with weights."""

    name: str  # of the layer: the path of its weights without the last part
    leaves: tuple[int, ...]  # the parameters of that layer
    data: Array  # what goes in
    out: Array  # z, but for a bias, which changes no derivative


class _Value(NamedTuple):
    """A value on its way, and what it was made of."""

    x: Any
    examples: bool  # whether the inputs have a part in it
    leaves: frozenset[int]  # the parameters that have


def walked(
    apply: Callable[..., Any], params: Params, x: Array, added: Sequence[Array] = ()
) -> tuple[Array, tuple[Tap, ...]]:
    """``apply(params, x)``, with something added to each product in turn, and the products.

    Only what is not inside a loop or a branch is looked into.
    """
    traced = jax.make_jaxpr(apply)(params, x)
    flat = jax.tree.leaves(params)
    inputs = [_Value(leaf, False, frozenset((k,))) for k, leaf in enumerate(flat)]
    walk = _Walk(tree.names(params), added)
    outs = walk.through(
        traced.jaxpr, traced.consts, [*inputs, *(_Value(a, True, frozenset()) for a in jax.tree.leaves(x))]
    )
    if len(outs) != 1:
        raise TypeError(f"`net` must give one array of outputs from (params, x), got {len(outs)}")
    return outs[0].x, tuple(walk.taps)


class _Walk:
    """One pass through the traced operations of a network."""

    def __init__(self, names: Sequence[str], added: Sequence[Array]):
        self.names, self.added, self.taps = names, added, []

    def through(self, jaxpr: Jaxpr, consts: Sequence[Any], values: Sequence[_Value]) -> list[_Value]:
        """The outputs of a traced function."""
        known: dict[Any, _Value] = dict(zip(jaxpr.invars, values, strict=True))
        known |= {v: _Value(c, False, frozenset()) for v, c in zip(jaxpr.constvars, consts, strict=True)}

        def read(v: Any) -> _Value:
            return _Value(v.val, False, frozenset()) if isinstance(v, Literal) else known[v]

        for equation in jaxpr.eqns:
            ins = [read(v) for v in equation.invars]
            known |= dict(zip(equation.outvars, self._one(equation, ins), strict=True))
        return [read(v) for v in jaxpr.outvars]

    def _one(self, equation: Any, ins: Sequence[_Value]) -> list[_Value]:
        inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
        if equation.primitive.name in CALLS and inner is not None:
            closed = isinstance(inner, ClosedJaxpr)
            return self.through(inner.jaxpr if closed else inner, inner.consts if closed else (), ins)
        told = equation.primitive.get_bind_params(equation.params)
        functions, options = told if isinstance(told, tuple) else ((), told)  # a pair up to jax 0.9
        made = equation.primitive.bind(*functions, *(value.x for value in ins), **options)
        outs = list(made) if equation.primitive.multiple_results else [made]
        if equation.primitive.name in PRODUCTS and (tap := self._tap(ins, outs[0])) is not None:
            if len(self.taps) < len(self.added):
                outs[0] = outs[0] + self.added[len(self.taps)]
            self.taps.append(tap)
        examples, leaves = any(v.examples for v in ins), frozenset().union(*(v.leaves for v in ins))
        return [_Value(out, examples, leaves) for out in outs]

    def _tap(self, ins: Sequence[_Value], out: Array) -> Tap | None:
        """A layer, where examples meet weights; not the product of two activations."""
        first, second = ins[:2]
        data, weights = (first, second) if first.examples else (second, first)
        if not data.examples or weights.examples or not weights.leaves:
            return None
        name = self.names[min(weights.leaves)].rpartition(".")[0] or self.names[min(weights.leaves)]
        mine = tuple(k for k, path in enumerate(self.names) if path == name or path.startswith(f"{name}."))
        return Tap(name, mine, data.x, out)


def back(
    apply: Callable[..., Any], params: Params, x: Array, loss: Callable[[Array], Array], taps: Sequence[Tap]
) -> tuple[list[Array], Params]:
    """The derivative of the loss with respect to each product, and to the parameters."""

    def at(added: Sequence[Array], params: Params) -> Array:
        return loss(walked(apply, params, x, added)[0])

    return jax.jit(jax.grad(at, argnums=(0, 1)))([jnp.zeros_like(tap.out) for tap in taps], params)
