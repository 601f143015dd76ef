"""Optimizers around an optimizer: ``fo.optim.clip_by_global_norm(fo.optim.adam)`` is an Optimizer like any other.

A wrapper takes its own numbers beside those of the optimizer inside, all in one flat record: ``state.hyper._replace``
works as ever. Only ``state.memory`` is nested. Equal wrapped optimizers are one value, and cost no second trace.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fnopt._types import Optimizer
from fnopt.optim.wrappers.accumulate import accumulate as accumulate
from fnopt.optim.wrappers.adaptive_clip import adaptive_clip as adaptive_clip
from fnopt.optim.wrappers.clip_by_global_norm import clip_by_global_norm as clip_by_global_norm
from fnopt.optim.wrappers.clip_by_value import clip_by_value as clip_by_value
from fnopt.optim.wrappers.compact import compact as compact
from fnopt.optim.wrappers.decay_by_path import decay_by_path as decay_by_path
from fnopt.optim.wrappers.ema import ema as ema
from fnopt.optim.wrappers.gradient_noise import gradient_noise as gradient_noise
from fnopt.optim.wrappers.lookahead import lookahead as lookahead
from fnopt.optim.wrappers.rate_by_path import rate_by_path as rate_by_path
from fnopt.optim.wrappers.skip_nonfinite import skip_nonfinite as skip_nonfinite

_ALL = (
    clip_by_value,
    clip_by_global_norm,
    adaptive_clip,
    accumulate,
    ema,
    lookahead,
    skip_nonfinite,
    gradient_noise,
    compact,
    decay_by_path,
    rate_by_path,
)

WRAPPERS: Mapping[str, Callable[..., Optimizer]] = MappingProxyType({function.__name__: function for function in _ALL})
"""Name -> wrapper."""

PLAIN = tuple(name for name in WRAPPERS if not name.endswith("_by_path"))
"""The names of those that take nothing but the optimizer inside."""
