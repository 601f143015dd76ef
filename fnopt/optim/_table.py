"""The optimizers by name: a new one is one file and one row."""

from types import MappingProxyType

from fnopt._checks import one_of
from fnopt._types import Optimizer
from fnopt.optim.adadelta import adadelta
from fnopt.optim.adagrad import adagrad
from fnopt.optim.adam import adam
from fnopt.optim.adamw import adamw
from fnopt.optim.momentum import momentum
from fnopt.optim.nesterov import nesterov
from fnopt.optim.rmsprop import rmsprop
from fnopt.optim.sgd import sgd

_ALL = (sgd, momentum, nesterov, rmsprop, adam, adamw, adagrad, adadelta)

TABLE = MappingProxyType({optimizer.name: optimizer for optimizer in _ALL})
"""Name -> optimizer."""

NAMES = tuple(TABLE)
"""The names of all optimizers."""


def by_name(name: str) -> Optimizer:
    """The optimizer of this name; ValueError, with the nearest known name, where there is none.

    >>> by_name("adam").numbers._fields
    ('lr', 'b1', 'b2', 'eps', 'eps_root', 'eps_correction')
    """
    return TABLE[one_of("optimizer", name, NAMES)]
