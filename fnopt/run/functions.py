"""Whether the functions of a trial are those of another process: a digest of what they compute."""

import hashlib
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._types import Batch, Trial

ADDRESS = re.compile(r"0x[0-9a-f]+|at \S+\.py:\d+")


def functions_digest(trial: Trial, example: Batch) -> str:
    """SHA-256 of the traced operations and constants of a trial's init, loss, outputs and penalty.

    Equal functions give equal digests in every process of one jax version; names and comments do not count.
    """
    numbers = {name: jnp.asarray(0.5) for name in trial.numbers}
    key = jax.random.key(0)
    sha = hashlib.sha256()

    def add(function: Any, *arguments: Any) -> None:
        traced = jax.make_jaxpr(function)(*arguments)
        sha.update(ADDRESS.sub("", str(traced.jaxpr)).encode())
        for constant in traced.consts:
            sha.update(np.ascontiguousarray(jax.device_get(constant)).tobytes())

    add(lambda key, batch, numbers: trial.init(key, batch, numbers), key, example, numbers)
    params, stats = jax.eval_shape(lambda key: trial.init(key, example, numbers), key)
    for train in (True, False):
        add(lambda p, s, b, n, k, train=train: trial.loss(p, s, b, n, k, train), params, stats, example, numbers, key)
    add(trial.predict, params, stats, example.x, numbers)
    if trial.penalty is not None:
        add(trial.penalty, params, numbers)
    return sha.hexdigest()
