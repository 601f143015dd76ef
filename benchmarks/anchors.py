"""Every optimizer on the convex anchors: how far above the optimum it ends, full batch, float64, from zero.

The cost is mean softmax cross-entropy + λ/2 ‖W‖², whose one optimum is known to 1e-9. Three learning rates each, lanes
of one compiled scan; the table has the best of the three on each anchor, and the rate.

python -m benchmarks.anchors [--only adam,lion] [--data iris,wine,breast_cancer,digits]
"""

import argparse
import sys
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo

ANCHORS = (
    ("iris", 0.01, 0.2436772266493824),
    ("iris", 0.001, 0.10236807843007842),
    ("wine", 0.01, 0.09181973052350331),
    ("wine", 0.001, 0.02584777176789361),
    ("breast_cancer", 0.01, 0.08341295957054334),
    ("breast_cancer", 0.001, 0.05348553237199653),
    ("digits", 0.01, 0.7117938310074465),
    ("digits", 0.001, 0.23572149123922975),
)
BAR = 1e-5


class Way(NamedTuple):
    """How an optimizer is run: the learning rates that are tried, how they decay, and its other numbers."""

    rates: tuple[float, ...]
    decay: str = "cosine"  # to 0; or "constant"
    numbers: Mapping[str, float] = MappingProxyType({})
    effort: float = 1  # steps, as a multiple of the usual ones


USUAL = {0.01: 2000, 0.001: 8000}  # λ -> steps: the flatter the bottom, the more
WAYS = {name: Way((0.032, 0.1, 0.32)) for name in fo.optim.NAMES}  # a step of Adam's kind is about as long as its rate
WAYS |= {
    "sgd": Way((0.25, 1.0, 4.0), "constant", effort=5),
    "momentum": Way((1.0, 4.0, 16.0), "constant", effort=5),  # with the dampening of its default, lr (1 − β) a step
    "nesterov": Way((0.125, 0.5, 2.0), "constant"),
    "lbfgs": Way((0.5, 1.0, 2.0), "constant", effort=0.1),
    "rmsprop": Way((0.01, 0.032, 0.1)),
    "rmsprop_centred": Way((0.01, 0.032, 0.1)),
    "adagrad": Way((0.32, 1.0, 3.2), "constant", effort=5),  # its own sums make the steps shorter
    "adadelta": Way((3.2, 10.0, 32.0)),
    "lion": Way((0.0032, 0.01, 0.032)),
    "lars": Way((0.032, 0.1, 0.32), numbers={"trust_coefficient": 0.1}),
    "prodigy": Way((0.1, 0.32, 1.0)),
    "schedule_free": Way((0.1, 0.32, 1.0)),
}


def problem(name: str) -> tuple[Any, Any, int]:
    """Standardized columns, for digits pixels / 16 of the first 1437 rows; labels; the number of classes."""
    data = fo.data.load(name)
    rows = slice(1437) if name == "digits" else slice(None)
    x, y = np.asarray(data.x, np.float64)[rows], np.asarray(data.y)[rows]
    x = x / 16 if name == "digits" else (x - x.mean(0)) / x.std(0)
    return x, y, int(y.max()) + 1


def gaps(name: str, way: Way, anchor: tuple[str, float, float]) -> np.ndarray:
    """Cost above the optimum at the end, for each learning rate."""
    data, lam, optimum = anchor
    steps = round(USUAL[lam] * way.effort)
    x, y, classes = problem(data)
    optimizer = fo.optim.by_name(name)
    hot = jax.nn.one_hot(y, classes)

    def cost(params: Any) -> Any:
        logits = x @ params["w"] + params["b"]
        return -jnp.mean(jnp.sum(hot * jax.nn.log_softmax(logits), 1)) + lam / 2 * jnp.sum(params["w"] ** 2)

    def run(rate: Any) -> Any:
        lr = fo.schedules.cosine(rate, steps) if way.decay == "cosine" else fo.schedules.constant(rate)
        start = {"w": jnp.zeros((x.shape[1], classes)), "b": jnp.zeros(classes)}

        def step(state: Any, _: None) -> tuple[Any, None]:
            value, grads = jax.value_and_grad(cost)(state.params)
            more = {"objective": cost} if optimizer.wants_objective else {}
            return optimizer.update(state, grads, loss=value, **more), None

        end = jax.lax.scan(step, optimizer.init(start, lr=lr, **way.numbers), None, length=steps)[0]
        return cost(optimizer.readout(end)) - optimum

    return np.asarray(jax.jit(jax.vmap(run))(jnp.asarray(way.rates)))


def cell(way: Way, found: np.ndarray) -> str:
    """The best gap and its rate."""
    best = int(np.argmin(np.where(np.isfinite(found), found, np.inf)))
    return f"{found[best]:.0e} ({way.rates[best]:g})"


def main() -> int:
    """Print each figure as it comes, then the table; 1 where an optimizer stays above the bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anchors")
    parser.add_argument("--only", default=",".join(fo.optim.NAMES))
    parser.add_argument("--data", default="iris,wine,breast_cancer,digits")
    asked = parser.parse_args()
    anchors = [anchor for anchor in ANCHORS if anchor[0] in asked.data.split(",")]
    names = asked.only.split(",")
    cells: dict[str, list[str]] = {name: [] for name in names}
    short = 0
    with jax.enable_x64(True):
        for anchor, name in ((anchor, name) for anchor in anchors for name in names):
            begin = time.perf_counter()
            found = gaps(name, WAYS[name], anchor)
            short += not np.nanmin(found) <= BAR
            cells[name].append(cell(WAYS[name], found))
            print(
                name, *anchor[:2], *(f"{gap:.1e}" for gap in found), f"{time.perf_counter() - begin:.1f} s", flush=True
            )
    print("\n| optimizer | lr | other numbers | steps | " + " | ".join(f"{a[0]} {a[1]:g}" for a in anchors) + " |")
    print("|---" * (4 + len(anchors)) + "|")
    for name, found in cells.items():
        way = WAYS[name]
        numbers = ", ".join(f"{k} {v:g}" for k, v in way.numbers.items())
        steps = ", ".join(f"{n * way.effort:g}" for n in USUAL.values())
        print(f"| {name} | {way.decay} | {numbers} | {steps} | " + " | ".join(found) + " |")
    print(f"\n{len(names) * len(anchors) - short} of {len(names) * len(anchors)} within {BAR:g}")
    return short > 0


if __name__ == "__main__":
    sys.exit(main())
