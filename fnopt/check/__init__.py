"""Checks that anyone can run on a model of their own; each gives a report that prints as a table."""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.check.gradient_noise import GradientNoise as GradientNoise
from fnopt.check.gradient_noise import gradient_noise as gradient_noise
from fnopt.check.gradients import Gradients as Gradients
from fnopt.check.gradients import gradients as gradients
from fnopt.check.hypergradient import Hypergradients as Hypergradients
from fnopt.check.hypergradient import hypergradient as hypergradient
from fnopt.check.lane_identity import Identity as Identity
from fnopt.check.lane_identity import lane_identity as lane_identity
from fnopt.check.optimizer import Contract as Contract
from fnopt.check.optimizer import optimizer as optimizer
from fnopt.check.order import Order as Order
from fnopt.check.order import order as order
from fnopt.check.signals import Signals as Signals
from fnopt.check.signals import signals as signals

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
