"""Scoring a part of the data in fixed blocks of rows, dropout off."""

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt._own_code import inside
from fnopt._types import Batch, Params, Score, Stats, Trial
from fnopt.losses import weighted_mean
from fnopt.train.part import BLOCK, Part, rows_of
from fnopt.train.scores import FORM


def evaluate(trial: Trial, params: Params, stats: Stats, numbers: dict[str, Array], part: Part) -> Array:
    """The mean loss (without penalty), then the trial's metrics in its order, shape=(1 + metrics,).

    Metrics of values are in the unit that the part was made for (``Prepared.unit``), so that no square overflows;
    their readers turn them into the user's by their degree. The loss is in the units of training.
    """
    block = partial(_block, trial, params, stats, numbers)
    if part.exact is not None:
        count, rest = divmod(part.exact, BLOCK)
        at = jnp.arange(count, dtype=jnp.int32)
        whole = [jax.lax.map(lambda i: block(rows_of(part, i * BLOCK, BLOCK)), at)] if count else []
        return _scores_exact(trial, part, whole, [block(rows_of(part, count * BLOCK, rest))] if rest else [])
    losses, outputs = jax.lax.map(block, _blocks(trial, part))
    return _scores(trial, part, losses.reshape(-1), outputs.reshape(-1, *outputs.shape[2:]))


def check_scores(trial: Trial, shapes: tuple[Params, Stats], numbers: dict[str, Array], part: Part) -> None:
    """Raise what the scores that a user wrote raise for the outputs of a trial, before anything is trained.

    Args:
        trial: the structure.
        shapes: of its parameters and stats.
        numbers: some value for each of its own numbers.
        part: what is scored.
    """
    own = [score for score in trial.metrics if score.own]
    if own and all(score.of is not None for score in own):
        leaves, structure = jax.tree.flatten((*shapes, numbers, part))
        _scored_once(trial, structure, tuple((a.shape, a.dtype) for a in leaves), jnp.result_type(float))


@lru_cache(maxsize=256)
def _scored_once(trial: Trial, structure: Any, each: tuple[Any, ...], number: Any) -> None:
    del number  # the type of numbers, on which scores depend
    jax.eval_shape(partial(evaluate, trial), *structure.unflatten([jax.ShapeDtypeStruct(*leaf) for leaf in each]))


def evaluate_both(
    trial: Trial, params: Params, stats: Stats, numbers: dict[str, Array], train: Part, dev: Part, due: Array
) -> tuple[Array, Array]:
    """The scores of both parts, those of the training part 0 where they are not ``due``.

    One loop over the blocks of dev, and over those of train where they are due: the forward pass compiles once.
    """
    if train.exact is not None and dev.exact is not None:
        return _both_exact(trial, params, stats, numbers, train, dev, due)
    if train.block != dev.block:
        raise ValueError(f"both parts must come in blocks of one size, got {train.block} and {dev.block}")
    first, second = _blocks(trial, dev), _blocks(trial, train)
    count, more = dev.x.shape[0] // dev.block, train.x.shape[0] // train.block

    def at(i: Array) -> Batch:
        return jax.tree.map(lambda a, b: jnp.where(i < count, _row(a, i), _row(b, i - count)), first, second)

    def score(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        made = _block(trial, params, stats, numbers, at(i))
        return tree.put(carry, made, i)

    shapes = jax.eval_shape(partial(_block, trial, params, stats, numbers), at(jnp.zeros((), jnp.int32)))
    room = jax.tree.map(lambda s: jnp.zeros((count + more, *s.shape), s.dtype), shapes)
    losses, outputs = jax.lax.fori_loop(0, count + jnp.where(due, more, 0), score, room)
    losses, outputs = losses.reshape(-1), outputs.reshape(-1, *outputs.shape[2:])
    here = dev.x.shape[0]
    on_dev = _scores(trial, dev, losses[:here], outputs[:here])
    on_train = jax.lax.cond(
        due,
        lambda: _scores(trial, train, losses[here:], outputs[here:]),
        lambda: jnp.zeros_like(on_dev),
    )
    return on_train, on_dev


def _both_exact(
    trial: Trial, params: Params, stats: Stats, numbers: dict[str, Array], train: Part, dev: Part, due: Array
) -> tuple[Array, Array]:
    """The same where no padding may be read: whole blocks of both in one loop, then the rest of each."""
    assert train.exact is not None and dev.exact is not None
    block = partial(_block, trial, params, stats, numbers)
    (first, dev_rest), (second, train_rest) = divmod(dev.exact, BLOCK), divmod(train.exact, BLOCK)

    def at(i: Array) -> Batch:
        if not (first and second):
            return rows_of(dev if first else train, i * BLOCK, BLOCK)
        return tree.where(i < first, rows_of(dev, i * BLOCK, BLOCK), rows_of(train, (i - first) * BLOCK, BLOCK))

    on_dev, on_train = [], []
    if first or second:
        shapes = jax.eval_shape(lambda: block(at(jnp.zeros((), jnp.int32))))
        room = jax.tree.map(lambda s: jnp.zeros((first + second, *s.shape), s.dtype), shapes)
        end = first + jnp.where(due, second, 0)
        made = jax.lax.fori_loop(0, end, lambda i, carry: tree.put(carry, block(at(i)), i), room)
        on_dev = [jax.tree.map(lambda a: a[:first], made)] if first else []
        on_train = [jax.tree.map(lambda a: a[first:], made)] if second else []
    rest = [block(rows_of(dev, first * BLOCK, dev_rest))] if dev_rest else []
    scores = _scores_exact(trial, dev, on_dev, rest)

    def of_train() -> Array:
        rest = [block(rows_of(train, second * BLOCK, train_rest))] if train_rest else []
        return _scores_exact(trial, train, on_train, rest)

    return jax.lax.cond(due, of_train, lambda: jnp.zeros_like(scores)), scores


def _scores_exact(trial: Trial, part: Part, whole: list[Any], rest: list[Any]) -> Array:
    """Scores from losses and outputs of whole blocks, with an axis of blocks, and of the rows after them."""
    flat = [jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), some) for some in whole]
    losses, outputs = jax.tree.map(lambda *parts: jnp.concatenate(parts), *flat, *rest)
    assert part.exact is not None
    some = rows_of(part, 0, part.exact)
    truth = None if part.truth is None else part.truth[: part.exact]
    return _scores(trial, replace(part, y=some.y, weight=some.weight, truth=truth), losses, outputs)


def _blocks(trial: Trial, part: Part) -> Batch:
    """A part's rows with a leading axis of blocks."""
    there = jnp.arange(part.x.shape[0], dtype=jnp.int32) < part.rows if trial.batch == "masked" else None
    rows = Batch(x=part.x, y=part.y, weight=part.weight, mask=there)
    return jax.tree.map(lambda a: a.reshape(-1, part.block, *a.shape[1:]), rows)


def _row(a: Array, i: Array) -> Array:
    return jax.lax.dynamic_index_in_dim(a, i, keepdims=False)


def _block(trial: Trial, params: Params, stats: Stats, numbers: dict[str, Array], batch: Batch) -> tuple[Array, Array]:
    """The loss of each row and what the model puts out."""
    losses, _ = trial.loss(params, stats, batch, numbers, None, False)
    return losses, trial.predict(params, stats, batch.x, numbers)


def _scores(trial: Trial, part: Part, losses: Array, outputs: Array) -> Array:
    losses, y = losses.astype(part.weight.dtype), part.y
    if trial.task == "values":
        outputs = _scored(linked(trial, outputs.reshape(y.shape)), part)
        y = _scored(y, part) if part.truth is None else part.truth
    scores = [_taken(score, y, outputs, part) for score in trial.metrics]
    mean = weighted_mean(losses, part.weight)
    return jnp.stack([mean, *(s.astype(mean.dtype) for s in scores)])


def _taken(score: Score, y: Array, outputs: Array, part: Part) -> Array:
    """A score of what is scored; one that a user wrote sees values in the target's own units."""
    if score.of is None:
        raise ValueError(
            f"the score {score.name!r} was written by a user, and files hold no functions: give it again, "
            f"follow=fo.metric(f, name={score.name!r}, higher={score.higher})"
        )
    if score.own and part.user is not None:
        unit, shift = part.user
        y, outputs = y * unit + shift, outputs * unit + shift
    if not score.own:
        return jnp.asarray(score.of(y, outputs, part.weight))
    with inside(f"the score {score.name!r}", FORM):
        found = score.of(y, outputs, part.weight)
    wanted = f"the score {score.name!r} must return one number, shape ()"
    if not isinstance(found, jax.Array | np.ndarray | np.generic | float | int):
        raise TypeError(f"{wanted}, got {'None' if found is None else type(found).__name__}: write {FORM}")
    if jnp.shape(found) != ():
        raise ValueError(f"{wanted}, got shape {jnp.shape(found)}; take its mean")
    dtype = jnp.result_type(found) if isinstance(found, jax.Array) else np.result_type(found)
    if not any(jnp.issubdtype(dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)):
        raise TypeError(f"{wanted}, a real one, got dtype {dtype}: write {FORM}")
    return jnp.asarray(found)


def linked(trial: Trial, outputs: Array) -> Array:
    """Values from a network's outputs: themselves, or e to the power of log rates."""
    return jnp.exp(outputs) if trial.link == "log" else outputs


def _scored(values: Array, part: Part) -> Array:
    """Values as scores are taken of them."""
    scale, mean = (jnp.broadcast_to(a, values.shape) for a in (part.scale, part.mean))
    return values.astype(scale.dtype) * scale + mean
