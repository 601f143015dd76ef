"""Gradient noise: normal noise on every entry of the gradient, dying out over time.

g ← g + N(0, σ_t²) with σ_t² = noise_eta / (1 + t)^noise_gamma, t counted from 0, then a step of the optimizer inside.

Numbers, beside those of the optimizer inside:
    noise_eta: in [0, inf); η, the variance at the first step. 0: no noise. The paper tries 0.01, 0.3 and 1.
    noise_gamma: in [0, inf); γ.
    noise_seed: in [0, inf); what the draws come from, with the step and the place of the parameter; its whole part
        counts. Runs of one seed see the same noise, lanes of other seeds have streams of their own.

The noise of a step is a function of the numbers and of ``state.step``, so there is nothing to carry, and a run that is
taken up again draws what it would have drawn.

Elsewhere: optax's ``add_noise`` has the same variance.

Source: Neelakantan et al., "Adding gradient noise improves learning for very deep networks", 2015,
https://arxiv.org/abs/1511.06807, equation 1.

>>> import jax.numpy as jnp
>>> from fnopt.optim import gradient_noise, sgd
>>> noisy = gradient_noise(sgd)
>>> state = noisy.init(jnp.zeros(10000), lr=1.0, noise_eta=4.0)
>>> round(float(noisy.update(state, jnp.zeros(10000)).params.std()), 1)
2.0
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params, State
from fnopt.numbers import NONNEGATIVE
from fnopt.optim._safe import root
from fnopt.optim.wrappers._wrapper import Inside, Parts, wrapper
from fnopt.tree import working_dtype


class GradientNoiseHyper(NamedTuple):
    """The numbers of gradient noise; each may be traced, or a schedule of the step."""

    noise_eta: ArrayLike = 0.01  # >= 0; variance at the first step
    noise_gamma: ArrayLike = 0.55  # >= 0
    noise_seed: ArrayLike = 0.0  # >= 0


RANGES = {"noise_eta": NONNEGATIVE, "noise_gamma": NONNEGATIVE, "noise_seed": NONNEGATIVE}


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """A step with noise on the gradient."""
    t = inner.count(state).astype(h.noise_gamma.dtype)
    sigma = root(h.noise_eta * (1 + t) ** -h.noise_gamma)
    seed = jax.lax.stop_gradient(h.noise_seed).astype(jnp.uint32)
    key = jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), state.step)  # by name: rbg is no key for lanes
    leaves, structure = jax.tree.flatten(grads)
    return inner.take(
        state, structure.unflatten([_noisy(g, sigma, jax.random.fold_in(key, i)) for i, g in enumerate(leaves)])
    )


def _noisy(g: Array, sigma: Array, key: Any) -> Array:
    dtype = working_dtype(g)
    return (g.astype(dtype) + sigma.astype(dtype) * jax.random.normal(key, g.shape, dtype)).astype(g.dtype)


gradient_noise = wrapper(Parts("gradient_noise", GradientNoiseHyper, RANGES, rule, elementwise=False), __doc__)
