"""The checks do not accuse what is right: numbers of any type in a state, and modules of other libraries."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo


class Hyper(NamedTuple):
    lr: Any


def sgd(kind):
    """A right gradient descent whose number is a leaf of some type."""

    def init(params, *, lr=0.1):
        if np.ndim(lr) or not isinstance(lr, float | int | np.floating | jax.Array):
            raise TypeError("one number")
        if not isinstance(lr, jax.core.Tracer) and not float(lr) >= 0:
            raise ValueError("lr")
        if any(not jnp.issubdtype(p.dtype, jnp.floating) for p in jax.tree.leaves(params)):
            raise TypeError("floating parameters")
        leaf = jnp.asarray(lr) if kind == "weak" else jnp.asarray(lr).astype(kind)
        return fo.State(jnp.zeros((), jnp.int32), params, Hyper(leaf), ())

    def update(state, grads):
        if jax.tree.structure(grads) != jax.tree.structure(state.params):
            raise ValueError("another tree")
        lr = state.hyper.lr
        step = jax.tree.map(
            lambda p, g: (p - lr.astype(p.dtype) * g.astype(p.dtype)).astype(p.dtype), state.params, grads
        )
        return state._replace(step=state.step + 1, params=step)

    return init, update


@pytest.mark.parametrize("kind", ["weak", "float32", "bfloat16"])
def test_a_right_optimizer_passes_whatever_the_type_of_its_number(kind):
    found = fo.check.optimizer(sgd(kind), only=["one trace", "number is a leaf", "carry", "resume = straight run"])
    assert found.passed, str(found)


def test_modules_of_other_libraries_work_or_say_how():
    x = jnp.ones((4, 3))
    linen = pytest.importorskip("flax.linen")
    net = linen.Sequential([linen.Dense(5), jnp.tanh, linen.Dense(2)])
    table = fo.check.signals(net, net.init(jax.random.key(0), x), x).table
    assert [row["units"] for row in table] == [5, 2]
    equinox = pytest.importorskip("equinox")
    mlp = equinox.nn.MLP(3, 2, 5, 1, key=jax.random.key(0))
    with pytest.raises(TypeError, match=r"Equinox module, MLP, .*equinox.partition"):
        fo.check.signals(mlp, mlp, x)
    arrays, rest = equinox.partition(mlp, equinox.is_array)
    assert len(fo.check.signals(lambda a, x: jax.vmap(equinox.combine(a, rest))(x), arrays, x).table) == 2
