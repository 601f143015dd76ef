"""Checks of correctness that stand beside the figures: the same gradients, weights and losses, not merely a time."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import t as student

import fnopt as fo
from benchmarks import peers
from benchmarks.problem import Problem, digits, draw
from benchmarks.table import Row

STEP, TRAJECTORY = 1e-6, 1e-5  # the largest difference of a weight after one step, after ten
ENOUGH = 0.05  # a mean log loss so much higher or lower may be rounding and order; more must be within the noise
SURE = 0.995  # two-sided: of 100 pairs that train alike, 99 stay within this quantile of Student's t


def one_step() -> Row:
    """One update of ``fo.optim.adam`` and of ``optax.adam`` from the same weights and gradients."""
    if peers.missing("optax_vmap"):
        return dict(who="fo.optim.adam", note="not compared: optax is not installed")
    import optax

    params, grads = ({"w": jax.random.normal(jax.random.key(k), (64, 64))} for k in range(2))
    mine, theirs = fo.optim.adam.init(params, lr=1e-2), optax.adam(1e-2)
    state, other = theirs.init(params), params
    mine = fo.optim.adam.update(mine, grads)
    moved, _ = theirs.update(grads, state, other)
    return _within(
        "fo.optim.adam", "one step against optax.adam", mine.params, optax.apply_updates(params, moved), STEP
    )


def ten_steps() -> Row:
    """Ten full-batch updates by ``fo.fit`` and the optax loop from the same weights; order is no matter."""
    if peers.missing("optax_loop"):
        return dict(who="fo.fit", note="not compared: optax is not installed")
    net = peers.load("optax_net")
    x, y, dev = digits(256)
    layers = draw(Problem(x, y, 32, 1, 1, 1, dev), [1e-3], 0).layers
    names = ("hidden_0", "hidden_1", "output")
    params = {
        name: {"weight": jnp.asarray(w), "bias": jnp.asarray(b)} for name, (w, b) in zip(names, layers, strict=True)
    }
    model = fo.classifier((32, 32), batch_size=len(x), standardize=False)
    mine: Any = fo.fit(model, fo.data.dataset(x, y), hyper=dict(lr=1e-3), params=params, epochs=10).params
    carry = jax.tree.map(jnp.asarray, layers)
    order = jnp.broadcast_to(jnp.arange(len(x)), (10, len(x)))
    theirs, _ = jax.jit(net.epoch)((carry, net.ADAM.init(carry)), 1e-3, jnp.asarray(x), jnp.asarray(y), order)
    mine = [(mine[name]["weight"], mine[name]["bias"]) for name in names]
    return _within("fo.fit", "ten full-batch steps against optax", mine, theirs, TRAJECTORY)


def _within(who: str, what: str, mine: Any, theirs: Any, most: float) -> Row:
    pairs = zip(jax.tree.leaves(mine), jax.tree.leaves(theirs), strict=True)
    worst = max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)
    return dict(who=who, check=f"{what}: largest difference {worst:.1e}, at most {most:g}", ok=worst <= most)


def same_losses(ours: list[np.ndarray], theirs: list[np.ndarray]) -> Row:
    """Whether both trained equally far: the mean log of the final training loss, over lanes, round against round.

    Rounds draw other weights, orders and learning rates; within a round the learning rates are the same and the
    weights are drawn alike, so the rounds' differences show the noise that their mean has to stay within.
    """
    differences = np.array([np.mean(np.log(a[: len(b)]) - np.log(b)) for a, b in zip(ours, theirs, strict=False)])
    n, mean = len(differences), float(differences.mean())
    error = float(differences.std(ddof=1) / n**0.5)
    ok = bool(abs(mean) <= max(ENOUGH, student.ppf(SURE, n - 1) * error))
    level = float(np.exp(np.mean([np.log(b).mean() for b in theirs])))
    return dict(loss=level, check=f"log loss: ours higher by {mean:+.3f} ± {error:.3f}", ok=ok)


def apart(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """The largest difference of a lane's log loss between two peers, which share weights, orders and learning rates."""
    return max(float(np.abs(np.log(a[: len(b)]) - np.log(b[: len(a)])).max()) for a, b in zip(one, other, strict=False))
