"""Whether the functions of a trial are those of another process: a digest of what they compute."""

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from fnopt._types import Batch, Score, Trial
from fnopt.train import changed

ADDRESS = re.compile(r"0x[0-9a-f]+|at \S+\.py:\d+")
DEPTH = 3  # derivatives of derivatives that are looked at: a rule may use functions with rules of their own


def functions_digest(trial: Trial, example: Batch) -> str:
    """SHA-256 of the traced operations and constants of a trial's init, loss (augmented), outputs and penalty.

    Of each function what it computes and, where it has rules of its own for derivatives, what these compute. Equal
    functions give equal digests in every process of one jax version; names and comments do not count.
    """
    numbers = {name: jnp.asarray(0.5) for name in trial.numbers}
    key = jax.random.key(0)
    sha = hashlib.sha256()

    def add(function: Any, *arguments: Any) -> None:
        _add(sha, jax.make_jaxpr(function)(*arguments), DEPTH)

    add(lambda key, batch, numbers: trial.init(key, batch, numbers), key, example, numbers)
    params, stats = jax.eval_shape(lambda key: trial.init(key, example, numbers), key)
    for train in (True, False):
        add(lambda p, s, b, n, k, train=train: _loss(trial, p, s, b, n, k, train), params, stats, example, numbers, key)
    add(trial.predict, params, stats, example.x, numbers)
    if trial.penalty is not None:
        add(trial.penalty, params, numbers)
    return sha.hexdigest()


def score_digest(score: Score, trial: Trial, data: Any) -> str | None:
    """SHA-256 of the traced operations and constants of a score that a user wrote; None where it has no function."""
    if score.of is None:
        return None
    numbers = {name: jnp.asarray(0.5) for name in trial.numbers}
    batch, part = data.example, data.train
    params, stats = jax.eval_shape(lambda key: trial.init(key, batch, numbers), jax.random.key(0))
    outputs = jax.eval_shape(lambda p, s, x: trial.predict(p, s, x, numbers), params, stats, part.x)
    sha = hashlib.sha256()
    _add(sha, jax.make_jaxpr(score.of)(part.y, outputs, part.weight), DEPTH)
    return sha.hexdigest()


def _loss(trial: Trial, params: Any, stats: Any, batch: Batch, numbers: Any, key: Any, train: bool) -> Any:
    """The loss of a batch, which is augmented first in training."""
    if train and trial.augment is not None:
        batch = batch._replace(x=changed(trial.augment, key, batch.x, numbers))
    return trial.loss(params, stats, batch, numbers, key, train)


def _add(sha: Any, traced: ClosedJaxpr, depth: int) -> None:
    """Operations, constants wherever they stand, and the rules of derivatives."""
    sha.update(ADDRESS.sub("", str(traced.jaxpr)).encode())
    for constant in _constants(traced):
        a = np.asarray(jax.random.key_data(constant) if _is_key(constant) else jax.device_get(constant))
        sha.update(f"{a.dtype}{a.shape}".encode())
        sha.update(np.ascontiguousarray(a).tobytes())
    for equation in _equations(traced.jaxpr):
        if depth and equation.primitive.name.startswith(("custom_jvp_call", "custom_vjp_call")):
            try:
                rule = _derivative(equation)
            except Exception:  # it has none backwards, and so no training with this step would come to an end
                sha.update(b"no derivative")
                continue
            _add(sha, rule, depth - 1)


def _derivative(equation: Any) -> ClosedJaxpr:
    """The derivative of one operation with a rule of its own, backwards, as its rule has it."""
    kinds = [v.aval for v in equation.invars]
    some = [jnp.issubdtype(k.dtype, jnp.inexact) for k in kinds]

    def operation(*moving: Any) -> list[Any]:
        left = iter(moving)
        values = [next(left) if moves else jnp.zeros(k.shape, k.dtype) for moves, k in zip(some, kinds, strict=True)]
        found = equation.primitive.get_bind_params(equation.params)
        functions, static = found if isinstance(found, tuple) else ((), found)
        made = equation.primitive.bind(*functions, *values, **static)
        made = made if equation.primitive.multiple_results else [made]
        return [x for x in made if jnp.issubdtype(x.dtype, jnp.inexact)]

    def slopes(*moving: Any) -> Any:
        made, back = jax.vjp(operation, *moving)
        return back([jnp.ones_like(x) for x in made])

    moving = [jax.ShapeDtypeStruct(k.shape, k.dtype) for k, moves in zip(kinds, some, strict=True) if moves]
    return jax.make_jaxpr(slopes)(*moving)


def _inner(value: Any) -> Iterator[Any]:
    """Programs inside a parameter of an operation."""
    if isinstance(value, ClosedJaxpr | Jaxpr):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _inner(one)


def _walk(program: Any, of: Callable[[Any], Iterator[Any]]) -> Iterator[Any]:
    """``of`` each program, from the outside in."""
    yield from of(program)
    jaxpr = program.jaxpr if isinstance(program, ClosedJaxpr) else program
    for equation in jaxpr.eqns:
        for value in equation.params.values():
            for inside in _inner(value):
                yield from _walk(inside, of)


def _equations(program: Any) -> Iterator[Any]:
    return _walk(program, lambda p: iter((p.jaxpr if isinstance(p, ClosedJaxpr) else p).eqns))


def _constants(program: Any) -> Iterator[Any]:
    """Arrays that a program holds, as a closure brought them."""

    def of(p: Any) -> Iterator[Any]:
        yield from p.consts if isinstance(p, ClosedJaxpr) else ()
        for equation in (p.jaxpr if isinstance(p, ClosedJaxpr) else p).eqns:
            yield from (v.val for v in equation.invars if isinstance(v, Literal) and np.ndim(v.val))

    return _walk(program, of)


def _is_key(x: Any) -> bool:
    return isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
