"""Optimizers as values: ``NAME.init(params, **numbers) -> state``, ``NAME.update(state, grads) -> state``.

Every number is a leaf of ``state.hyper``: it can be vmapped, differentiated, scheduled and changed without recompiling.

A gradient whose square is beyond its type (1.8e19 for float32 and half types, 1e154 for float64) makes the step NaN
where a mean square or a norm is divided by, so that the run shows as diverged: an infinite second moment would hold
the weights where they are for good, in silence. Where nothing is squared (sgd, momentum, nesterov, lion, adamax, rprop)
it is stepped along; ``clip_by_global_norm`` and ``clip_by_value`` around the others cut it to size first. A gradient
whose square vanishes (below 1e-19) counts as 0 in such a scale, beside eps, and a leaf whose length does has the trust
ratio 1; when gradients grow again, so do the steps.

Sophia is left out: it wants a product with the Hessian and random numbers at every k-th step, and a lane of a vmap pays
for every step.

>>> import jax.numpy as jnp
>>> import fnopt.optim
>>> state = fnopt.optim.sgd.init(jnp.ones(2), lr=0.5)
>>> fnopt.optim.sgd.update(state, jnp.ones(2)).params.tolist()
[0.5, 0.5]
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.optim import _pickling as _pickling
from fnopt.optim._table import NAMES as NAMES
from fnopt.optim._table import TABLE as TABLE
from fnopt.optim._table import by_name as by_name
from fnopt.optim.adabelief import adabelief as adabelief
from fnopt.optim.adadelta import adadelta as adadelta
from fnopt.optim.adafactor import adafactor as adafactor
from fnopt.optim.adagrad import adagrad as adagrad
from fnopt.optim.adam import adam as adam
from fnopt.optim.adamax import adamax as adamax
from fnopt.optim.adamw import adamw as adamw
from fnopt.optim.amsgrad import amsgrad as amsgrad
from fnopt.optim.as_transform import as_transform as as_transform
from fnopt.optim.from_transform import from_transform as from_transform
from fnopt.optim.lamb import lamb as lamb
from fnopt.optim.lars import lars as lars
from fnopt.optim.lbfgs import lbfgs as lbfgs
from fnopt.optim.lbfgs import lbfgs_with as lbfgs_with
from fnopt.optim.lion import lion as lion
from fnopt.optim.momentum import momentum as momentum
from fnopt.optim.muon import muon as muon
from fnopt.optim.muon import muon_with as muon_with
from fnopt.optim.nadam import nadam as nadam
from fnopt.optim.nesterov import nesterov as nesterov
from fnopt.optim.prodigy import prodigy as prodigy
from fnopt.optim.radam import radam as radam
from fnopt.optim.rmsprop import rmsprop as rmsprop
from fnopt.optim.rmsprop_centred import rmsprop_centred as rmsprop_centred
from fnopt.optim.rprop import rprop as rprop
from fnopt.optim.schedule_free import schedule_free as schedule_free
from fnopt.optim.sgd import sgd as sgd
from fnopt.optim.wrappers import PLAIN as PLAIN
from fnopt.optim.wrappers import WRAPPERS as WRAPPERS
from fnopt.optim.wrappers import accumulate as accumulate
from fnopt.optim.wrappers import adaptive_clip as adaptive_clip
from fnopt.optim.wrappers import clip_by_global_norm as clip_by_global_norm
from fnopt.optim.wrappers import clip_by_value as clip_by_value
from fnopt.optim.wrappers import compact as compact
from fnopt.optim.wrappers import decay_by_path as decay_by_path
from fnopt.optim.wrappers import ema as ema
from fnopt.optim.wrappers import gradient_noise as gradient_noise
from fnopt.optim.wrappers import lookahead as lookahead
from fnopt.optim.wrappers import rate_by_path as rate_by_path
from fnopt.optim.wrappers import skip_nonfinite as skip_nonfinite
from fnopt.optim.yogi import yogi as yogi

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
