"""What the resume table is made of: every kind of schedule, every wrapper, and states through the file of a sweep."""

import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt import schedules as s
from fnopt.optim import NAMES, WRAPPERS, by_name, decay_by_path, rate_by_path
from fnopt.run.codec import decode, encode
from fnopt.run.generations import read, write

STEPS = 6
KINDS = {  # each changes within six steps
    "constant": s.constant(0.1),
    "inverse_time": s.inverse_time(0.1, 0.5),
    "exponential": s.exponential(0.1, 0.7),
    "inverse_sqrt": s.inverse_sqrt(0.1, 1.5),
    "step_decay": s.step_decay(0.1, 0.5, 2.0),
    "piecewise": s.piecewise((2, 4), (0.1, 0.05, 0.02)),
    "linear": s.linear(0.1, 0.01, 5.0),
    "polynomial": s.polynomial(0.1, 0.01, 5.0, 2.0),
    "cosine": s.cosine(0.1, 5.0, 2.0, 0.01),
    "one_cycle": s.one_cycle(0.1, 6.0),
    "warmup_stable_decay": s.warmup_stable_decay(0.1, 6.0, 2.0, 2.0),
    "warm_restarts": s.warm_restarts(0.1, 2.0, 1.5),
    "cyclic": s.cyclic(0.02, 0.1, 1.5, 0.8),
    "every": s.exponential(0.12, 0.5).every(2.0, 0.5),
    "then": s.exponential(0.1, 0.8).then(s.linear(0.1, 0.01, 3.0), 2.0),
    "scaled": s.exponential(0.1, 0.7).scaled(s.inverse_time(0.5, 0.5)),
    "clipped": s.linear(0.1, 0.0, 6.0).clipped(0.03, 0.08),
    "warmed": s.inverse_time(0.1, 0.5).warmed(3.0, 0.01),
    "stretched": s.linear(0.1, 0.01, 4.0).stretched(1.5),
    "plateau": s.plateau(s.exponential(0.1, 0.9), factor=0.5, patience=2.0, min_delta=1.0, cooldown=1.0),
}
AROUND = dict(WRAPPERS) | {
    "decay_by_path": lambda inner: decay_by_path(inner, {"w": 0.1, "*": 0.0}),
    "rate_by_path": lambda inner: rate_by_path(inner, {"w": 0.5, "*": 1.0}),
}
OWN = {  # numbers at which a wrapper acts within six steps
    "clip_by_value": {"max_value": 0.5},
    "clip_by_global_norm": {"max_norm": 0.6},
    "adaptive_clip": {"clipping": 0.4},
    "accumulate": {"every_k": 2.0},
    "lookahead": {"sync_every": 2.0},
    "gradient_noise": {"noise_eta": 0.1},
}
START = {"w": np.array([[0.5, -0.4], [0.2, 0.7]], np.float32)}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Chosen:
    """One of several schedules, by a leaf: one program serves all of them."""

    parts: tuple[Any, ...]
    which: Any  # shape=(), int32

    def __call__(self, step):
        values = jnp.stack([part(step) for part in self.parts])
        return jnp.sum(jnp.where(jnp.arange(len(self.parts)) == self.which, values, jnp.zeros_like(values)))


def wrapped(name, wrappers):
    """An optimizer in some wrappers, the first innermost, and their numbers."""
    optimizer, own = by_name(name), {}
    for wrapper in wrappers:
        optimizer, own = AROUND[wrapper](optimizer), own | OWN.get(wrapper, {})
    return optimizer, own


def order_for(name):
    """All wrappers, in an order of its own for each optimizer: each stands innermost around some."""
    first = NAMES.index(name) % len(AROUND)
    return [*AROUND][first:] + [*AROUND][:first]


def begin(optimizer, kinds, own):
    """A lane a schedule; as in a sweep no number is weakly typed."""
    parts = s.filled(tuple(kinds), 2.0)

    def lane(k):
        lr = parts[0] if len(parts) == 1 else Chosen(parts, jnp.asarray(k))
        return jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), optimizer.init(START, lr=lr, **own))

    return [lane(k) for k in range(len(parts))]


@lru_cache(maxsize=1)
def stepper(optimizer):
    """One step, compiled: an update, and what a plateau is shown after it; the same for an equal optimizer."""

    def cost(params):
        curve = jnp.asarray([[1.0, 2.0], [0.5, 1.5]], params["w"].dtype)
        return jnp.sum(curve * (params["w"] - 1) ** 2) / 2

    @jax.jit
    def step(state):
        value, grads = jax.value_and_grad(cost)(state.params)
        more = {"objective": cost} if optimizer.wants_objective else {}
        new = optimizer.update(state, grads, loss=value, **more)
        return new._replace(hyper=s.follow(new.hyper, -value))

    return step


def straight_run(step, lanes, steps=STEPS):
    """The lanes before, between and after the steps."""
    ages = [lanes]
    for _ in range(steps):
        ages.append([step(lane) for lane in ages[-1]])
    return ages


def save(folder, optimizer, kinds, own, ages):
    """Lanes as a sweep keeps them: what was asked in JSON, leaves stacked by age, one checked file."""
    meta = {"optimizer": encode(optimizer), "kinds": encode(tuple(kinds)), "own": encode(own), "ages": len(ages)}
    arrays = {}
    for age, lanes in enumerate(ages):
        for j, leaves in enumerate(zip(*map(jax.tree.leaves, lanes), strict=True)):
            arrays[f"lanes.{age}.{j}"] = np.stack(leaves)
    write(folder, meta, arrays)


def load(folder):
    """Optimizer, and lanes of each age, from the file, which is all that is known."""
    meta, arrays = read(folder)
    optimizer, kinds, own = (decode(meta[name]) for name in ("optimizer", "kinds", "own"))
    optimizer = by_name(optimizer) if isinstance(optimizer, str) else optimizer
    like = jax.eval_shape(lambda: begin(optimizer, kinds, own)[0])
    structure, wanted = jax.tree.structure(like), jax.tree.leaves(like)
    ages = []
    for age in range(meta["ages"]):
        stacks = [arrays[f"lanes.{age}.{j}"] for j in range(structure.num_leaves)]
        assert [(x.shape[1:], x.dtype) for x in stacks] == [(x.shape, x.dtype) for x in wanted]
        ages.append([structure.unflatten([jnp.asarray(x[k]) for x in stacks]) for k in range(len(kinds))])
    return optimizer, ages


def finished(folder):
    """The ends to which the lanes of a file come from each age."""
    optimizer, cuts = load(folder)
    step = stepper(optimizer)
    return [straight_run(step, lanes, STEPS - cut)[-1] for cut, lanes in enumerate(cuts)]


def finish(folder):
    """Write the bits of these ends beside the file; what another process is asked to do."""
    for k, end in enumerate(finished(folder)):
        np.savez(Path(folder) / f"end-{k}.npz", *jax.tree.leaves(end))


def same_bits(a, b):
    """Whether two states are equal in every bit, types and shapes among it."""
    return jax.tree.structure(a) == jax.tree.structure(b) and all(
        (x.shape, x.dtype) == (y.shape, y.dtype) and np.asarray(x).tobytes() == np.asarray(y).tobytes()
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        finish(name)
