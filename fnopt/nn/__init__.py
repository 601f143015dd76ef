"""Networks and their parts as pure functions: numbers are arguments, structure is a frozen value.

>>> import jax
>>> from fnopt import nn
>>> net = nn.mlp(hidden=(64,), out=10)
>>> params, stats = net.init(jax.random.key(0), features=100)
>>> net.forward(params, stats, jax.numpy.ones((32, 100)))[0].shape
(32, 10)
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.nn import activations as activations
from fnopt.nn import initializers as initializers
from fnopt.nn.activations import activate as activate
from fnopt.nn.activations import arctan as arctan
from fnopt.nn.activations import elu as elu
from fnopt.nn.activations import gelu as gelu
from fnopt.nn.activations import hardmax as hardmax
from fnopt.nn.activations import identity as identity
from fnopt.nn.activations import leaky_relu as leaky_relu
from fnopt.nn.activations import prelu as prelu
from fnopt.nn.activations import relu as relu
from fnopt.nn.activations import selu as selu
from fnopt.nn.activations import sigmoid as sigmoid
from fnopt.nn.activations import silu as silu
from fnopt.nn.activations import softmax as softmax
from fnopt.nn.activations import softplus as softplus
from fnopt.nn.activations import tanh as tanh
from fnopt.nn.batch_norm import KERAS as KERAS
from fnopt.nn.batch_norm import TORCH as TORCH
from fnopt.nn.batch_norm import NormStats as NormStats
from fnopt.nn.batch_norm import averages as averages
from fnopt.nn.batch_norm import batch_norm as batch_norm
from fnopt.nn.batch_norm import init_stats as init_stats
from fnopt.nn.dense import dense as dense
from fnopt.nn.dropout import dropout as dropout
from fnopt.nn.initializers import initialize as initialize
from fnopt.nn.mlp import MLP as MLP
from fnopt.nn.mlp import mlp as mlp

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
