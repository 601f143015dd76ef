"""The chunk programs of all kinds of structures lower for other devices: no operation of theirs is a CPU's alone."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt.sweep import compiled
from fnopt.sweep.lanes import advance


def embedded():
    """An own model with an embedding of tokens."""

    def init(key, example, hyper):
        return {"table": 0.1 * jax.random.normal(key, (20, 4)), "out": jnp.zeros((4, 3))}, ()

    def logits(params, x):
        return params["table"][x.astype(jnp.int32)].mean(axis=1) @ params["out"]

    def loss(params, stats, batch, hyper, key, train):
        return fo.losses.softmax_cross_entropy(logits(params, batch.x), batch.y), stats

    return fo.supervised(init, loss, lambda params, stats, x, hyper: logits(params, x))


CLIPPED = fo.optim.clip_by_global_norm(fo.optim.adam)
QUICK = ("adam", "adafactor", "lbfgs", "muon")  # sums of squares, a search in a loop, products: all others hold in slow
STRUCTURES = {
    **{name: partial(fo.classifier, hidden=(4,), optimizer=name) for name in fo.optim.NAMES},
    "dropout": lambda: fo.classifier(hidden=(4,), dropout=0.3),
    "batch norm": lambda: fo.classifier(hidden=(4,), norm="batch"),
    "clipped": lambda: fo.classifier(hidden=(4,), optimizer=CLIPPED),
    "embedding": embedded,
}


class Lowered(Exception):
    """What is asked is known; nothing is to be run."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in fo.optim.NAMES and name not in QUICK else name
        for name in STRUCTURES
    ],
)
def test_chunk_programs_lower_for_cuda_and_tpu(name, monkeypatch):
    as_ever, found = compiled._lowered, {}

    def lowered(function, *arguments, **static):
        if function is not advance:
            return as_ever(function, *arguments, **static)
        traced = function.trace(*arguments, **static)
        for platform in ("cuda", "tpu"):
            found[platform] = traced.lower(lowering_platforms=(platform,)).as_text()
        raise Lowered

    monkeypatch.setattr(compiled, "_lowered", lowered)
    monkeypatch.setattr(compiled, "_PROGRAMS", compiled.ProgramCache(compiled.LIMIT))
    tokens = fo.data.dataset(np.arange(90).reshape(30, 3) % 20, np.arange(30) % 3)
    with pytest.raises(Lowered):
        fo.fit(STRUCTURES[name](), tokens, epochs=1)
    assert all("stablehlo" in text for text in found.values()) and len(found) == 2
