"""Optimizers as values: ``NAME.init(params, **numbers) -> state``, ``NAME.update(state, grads) -> state``.

Every number is a leaf of ``state.hyper``: it can be vmapped, differentiated, scheduled and changed without recompiling.

>>> import jax.numpy as jnp
>>> import fnopt.optim
>>> state = fnopt.optim.sgd.init(jnp.ones(2), lr=0.5)
>>> fnopt.optim.sgd.update(state, jnp.ones(2)).params.tolist()
[0.5, 0.5]
"""

from fnopt.optim._table import NAMES as NAMES
from fnopt.optim._table import TABLE as TABLE
from fnopt.optim._table import by_name as by_name
from fnopt.optim.adadelta import adadelta as adadelta
from fnopt.optim.adagrad import adagrad as adagrad
from fnopt.optim.adam import adam as adam
from fnopt.optim.adamw import adamw as adamw
from fnopt.optim.momentum import momentum as momentum
from fnopt.optim.nesterov import nesterov as nesterov
from fnopt.optim.rmsprop import rmsprop as rmsprop
from fnopt.optim.sgd import sgd as sgd
