"""The optimizers by name: a new one is one file and one row."""

from types import MappingProxyType

from fnopt._checks import one_of
from fnopt._types import Optimizer
from fnopt.optim.adabelief import adabelief
from fnopt.optim.adadelta import adadelta
from fnopt.optim.adafactor import adafactor
from fnopt.optim.adagrad import adagrad
from fnopt.optim.adam import adam
from fnopt.optim.adamax import adamax
from fnopt.optim.adamw import adamw
from fnopt.optim.amsgrad import amsgrad
from fnopt.optim.lamb import lamb
from fnopt.optim.lars import lars
from fnopt.optim.lbfgs import lbfgs
from fnopt.optim.lion import lion
from fnopt.optim.momentum import momentum
from fnopt.optim.muon import muon
from fnopt.optim.nadam import nadam
from fnopt.optim.nesterov import nesterov
from fnopt.optim.prodigy import prodigy
from fnopt.optim.radam import radam
from fnopt.optim.rmsprop import rmsprop
from fnopt.optim.rmsprop_centred import rmsprop_centred
from fnopt.optim.rprop import rprop
from fnopt.optim.schedule_free import schedule_free
from fnopt.optim.sgd import sgd
from fnopt.optim.yogi import yogi

_ALL = (
    sgd,
    momentum,
    nesterov,
    rmsprop,
    adam,
    adamw,
    adagrad,
    adadelta,
    rmsprop_centred,
    amsgrad,
    nadam,
    radam,
    adamax,
    adabelief,
    yogi,
    lion,
    lamb,
    lars,
    rprop,
)
_TREEWISE = (adafactor, muon, schedule_free, prodigy, lbfgs)

TABLE = MappingProxyType({optimizer.name: optimizer for optimizer in (*_ALL, *_TREEWISE)})
"""Name -> optimizer."""

NAMES = tuple(TABLE)
"""The names of all optimizers."""


def by_name(name: str) -> Optimizer:
    """The optimizer of this name; ValueError, with the nearest known name, where there is none.

    >>> by_name("adam").numbers._fields
    ('lr', 'b1', 'b2', 'eps', 'eps_root', 'eps_correction', 'bias_correction')
    """
    return TABLE[one_of("optimizer", name, NAMES)]
