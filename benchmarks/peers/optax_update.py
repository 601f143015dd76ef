"""optax's optimizers under our names, with the numbers that make the definitions agree where they can."""

from typing import Any

import optax
import optax.contrib

LR = 1e-3
# name -> (theirs, our numbers besides lr)
SAME: dict[str, tuple[Any, dict[str, float]]] = {
    "sgd": (optax.sgd(LR), {}),
    "momentum": (optax.sgd(LR, momentum=0.9), dict(dampening=0.0)),
    "nesterov": (optax.sgd(LR, momentum=0.9, nesterov=True), {}),
    "rmsprop": (optax.rmsprop(LR, decay=0.9, eps=1e-8), {}),
    "adam": (optax.adam(LR), {}),
    "adamw": (optax.adamw(LR, weight_decay=1e-4), {}),
    "adagrad": (optax.adagrad(LR, initial_accumulator_value=0.0, eps=1e-10), {}),
    "adadelta": (optax.adadelta(LR, rho=0.9, eps=1e-6), {}),
    "rmsprop_centred": (optax.rmsprop(LR, decay=0.9, eps=1e-8, centered=True, momentum=0.9), dict(momentum=0.9)),
    "amsgrad": (optax.amsgrad(LR), {}),
    "nadam": (optax.nadam(LR), {}),
    "radam": (optax.radam(LR), {}),
    "adamax": (optax.adamax(LR), {}),
    "adabelief": (optax.adabelief(LR), {}),
    "yogi": (optax.yogi(LR), {}),
    "lion": (optax.lion(LR, weight_decay=0.0), {}),
    "lamb": (optax.lamb(LR), {}),
    "lars": (optax.lars(LR), {}),
    "rprop": (optax.rprop(LR), {}),
    "adafactor": (optax.adafactor(LR), {}),
    "muon": (optax.contrib.muon(LR), {}),
    "schedule_free": (optax.contrib.schedule_free_adamw(LR), {}),
    "prodigy": (optax.contrib.prodigy(LR), {}),
}
"""Which of ours has a counterpart; momentum's, the adaptive ones' and the rest are compared for their work."""


def step(theirs: Any) -> Any:
    """``(params, memory, grads) -> (params, memory)`` as a training loop of optax has it."""

    def one(params: Any, memory: Any, grads: Any) -> tuple[Any, Any]:
        updates, memory = theirs.update(grads, memory, params)
        return optax.apply_updates(params, updates), memory

    return one
