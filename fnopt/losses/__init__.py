"""Losses: one value an example, from logits where there are any.

Axis 0 of a prediction is the examples; a regression loss of several outputs is their mean. All take ``(prediction,
target)``, compute in at least float32 and give values of that type, with finite gradients for predictions of ±1e4.
The cost is :func:`weighted_mean` of the losses, plus a penalty.

>>> import jax.numpy as jnp
>>> squared_error(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([[1.0, 0.0], [3.0, 3.0]])).tolist()
[2.0, 0.5]
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.losses.cross_entropy import sigmoid_cross_entropy as sigmoid_cross_entropy
from fnopt.losses.cross_entropy import softmax_cross_entropy as softmax_cross_entropy
from fnopt.losses.hinge import hinge as hinge
from fnopt.losses.mean import weighted_mean as weighted_mean
from fnopt.losses.poisson import poisson as poisson
from fnopt.losses.quantile import quantile as quantile
from fnopt.losses.residual import absolute_error as absolute_error
from fnopt.losses.residual import huber as huber
from fnopt.losses.residual import log_cosh as log_cosh
from fnopt.losses.residual import squared_error as squared_error

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
