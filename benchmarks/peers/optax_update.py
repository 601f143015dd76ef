"""optax's optimizers under our names, with the numbers that make the definitions agree where they can."""

from typing import Any

import numpy as np
import optax
import optax.contrib

LR = 1e-3
ONES = np.ones((2, 2), np.float32)
# name -> (theirs, its arguments besides the learning rate, our numbers besides lr)
SAME: dict[str, tuple[Any, dict[str, Any], dict[str, float]]] = {
    "sgd": (optax.sgd, {}, {}),
    "momentum": (optax.sgd, dict(momentum=0.9), dict(dampening=0.0)),
    "nesterov": (optax.sgd, dict(momentum=0.9, nesterov=True), {}),
    "rmsprop": (optax.rmsprop, dict(decay=0.9, eps=1e-8), {}),
    "adam": (optax.adam, {}, {}),
    "adamw": (optax.adamw, dict(weight_decay=1e-4), {}),
    "adagrad": (optax.adagrad, dict(initial_accumulator_value=0.0, eps=1e-10), {}),
    "adadelta": (optax.adadelta, dict(rho=0.9, eps=1e-6), {}),
    "rmsprop_centred": (optax.rmsprop, dict(decay=0.9, eps=1e-8, centered=True, momentum=0.9), dict(momentum=0.9)),
    "amsgrad": (optax.amsgrad, {}, {}),
    "nadam": (optax.nadam, {}, {}),
    "radam": (optax.radam, {}, {}),
    "adamax": (optax.adamax, {}, {}),
    "adabelief": (optax.adabelief, {}, {}),
    "yogi": (optax.yogi, {}, {}),
    "lion": (optax.lion, dict(weight_decay=0.0), {}),
    "lamb": (optax.lamb, {}, {}),
    "lars": (optax.lars, {}, {}),
    "rprop": (optax.rprop, {}, {}),
    "adafactor": (optax.adafactor, dict(momentum=0.9), dict(b1=0.9)),
    "muon": (optax.contrib.muon, {}, {}),
    "schedule_free": (optax.contrib.schedule_free_adamw, {}, {}),
    "prodigy": (optax.contrib.prodigy, {}, {}),
}
"""Which of ours has a counterpart."""

DIFFERENT = {
    "adagrad": "its eps is inside the root",
    "adafactor": "it factors no leaf with a side under 128",
    "schedule_free": "its eps stands beside the corrected root",
    "rprop": "it gives each step one call late",
    "prodigy": "its eps is times the new d",
}
"""Where the definitions differ so that the first steps do, and by what: compared for their work alone."""


def plain(name: str) -> Any:
    """Theirs, with its numbers in the program."""
    factory, arguments, _ = SAME[name]
    return factory(LR, **arguments)


def traced(name: str) -> Any:
    """Theirs, with every number that it lets be one traced, as all of ours are; None where it lets none."""
    factory, arguments, _ = SAME[name]
    try:
        made = optax.inject_hyperparams(factory)(LR, **arguments)
        made.update({"w": ONES}, made.init({"w": ONES}), {"w": ONES})
    except Exception:  # what it raises differs from one to the next
        return None
    return made


def step(theirs: Any) -> Any:
    """``(params, memory, grads) -> (params, memory)`` as a training loop of optax has it."""

    def one(params: Any, memory: Any, grads: Any) -> tuple[Any, Any]:
        updates, memory = theirs.update(grads, memory, params)
        return optax.apply_updates(params, updates), memory

    return one
