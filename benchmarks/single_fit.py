"""One ``fo.fit``: the time a step, against a hand-written jitted loop of the same network.

Both train for two lengths; the difference in time over the difference in steps is what a step costs, so that what is
paid once a call (checks, scaling, dispatch, results) drops out; it is given apart. Both shuffle before each epoch and
score the training data after it, loss and accuracy.

python -m benchmarks --only single_fit
"""

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

import fnopt as fo
from benchmarks import peers
from benchmarks.agreement import same_losses
from benchmarks.clock import interleaved
from benchmarks.problem import BATCH, CLASSES, FEATURES, Problem, digits, draw, losses
from benchmarks.table import Row

TITLE = "single fit: µs a step, scores of every epoch included; ratio: ours over the hand-written loop's"
FULL: dict[str, Any] = dict(widths=(16, 64, 256), rows=1024, lengths=(32, 160))  # lengths in epochs
QUICK: dict[str, Any] = dict(widths=(16, 256), rows=256, lengths=(32, 160))
LR, ROUNDS = 1e-3, 5


def run(quick: bool) -> Iterator[Row]:
    """One row a contestant and width."""
    size = QUICK if quick else FULL
    for width in size["widths"]:
        yield from race(width, size["rows"], *size["lengths"])


def race(width: int, rows: int, short: int, long: int) -> Iterator[Row]:
    """Both contestants, both lengths, in turn."""
    x, y, dev = digits(rows)
    makers: dict[str, Callable[..., Any]] = {"fnopt": ours}
    if not peers.missing("optax_loop"):
        makers["hand-written"] = by_hand
    found: dict[str, dict[int, Any]] = {name: {} for name in makers}
    calls = {}
    for epochs in (short, long):
        problem = Problem(x, y, width, 1, epochs, 1, dev)
        for name, make in makers.items():
            calls[f"{name} {epochs}"] = partial(_kept, make(problem), found[name])
    first, times = interleaved(calls, ROUNDS, slow=float("inf"))
    steps = (long - short) * rows // BATCH
    each = {
        name: [(b - a) / steps for a, b in zip(times[f"{name} {short}"], times[f"{name} {long}"], strict=True)]
        for name in makers
    }
    problem = Problem(x, y, width, 1, long, 1, dev)
    trained = {name: [losses(problem, layers) for _, layers in sorted(some.items())] for name, some in found.items()}
    for name, taken in each.items():
        us = statistics.median(taken) * 1e6
        once = statistics.median(times[f"{name} {short}"]) - us * 1e-6 * short * rows / BATCH
        check = same_losses(trained["fnopt"], trained[name]) if name != "fnopt" else {}
        yield dict(
            width=width,
            who=name,
            us=us,
            ratio=statistics.median(each["fnopt"]) * 1e6 / us,
            once_ms=once * 1e3,
            compile_s=first[f"{name} {short}"] - statistics.median(times[f"{name} {short}"]),
            **check,
        )


def _kept(call: Callable[[int], Any], found: dict[int, Any], k: int) -> None:
    found[k] = call(k)


def ours(problem: Problem) -> Callable[[int], Any]:
    """``fo.fit`` from given weights; the weights with a lane axis of one."""
    data = fo.data.dataset(problem.x, problem.y)
    model = fo.classifier((problem.width, problem.width), batch_size=BATCH, standardize=False)

    def call(k: int) -> Any:
        net = fo.nn.mlp(hidden=(problem.width, problem.width), out=CLASSES)
        params, _ = net.init(jax.random.key(k), features=FEATURES)
        made: Any = fo.fit(
            model, data, hyper=dict(lr=LR), epochs=problem.epochs, params=params, key=jax.random.key(k)
        ).params
        return [(layer["weight"][None], layer["bias"][None]) for layer in made.values()]

    return call


def by_hand(problem: Problem) -> Callable[[int], Any]:
    """All epochs in one compiled scan with optax's Adam, shuffling and scores included."""
    net = peers.load("optax_net")
    x, y = jnp.asarray(problem.x), jnp.asarray(problem.y)
    program = jax.jit(net.shuffled_epochs, static_argnames=("count", "batch"), donate_argnums=0)

    def call(k: int) -> Any:
        drawn = draw(problem, [LR], k)
        start = jax.tree.map(jnp.array, drawn.layers)
        (layers, _), scores = program(
            (start, net.ADAM.init(start)), LR, x, y, jax.random.key(k), count=problem.epochs, batch=BATCH
        )
        jax.device_get(scores)
        return [(w[None], b[None]) for w, b in layers]

    return call
