"""Are local minima unlikely, or a risk? Counted on random smooth surfaces of 1 to 6 dimensions.

A random surface is a sum of waves of random direction, length and phase (nearly a Gaussian field, whose statistics are
the same everywhere). Its critical points are found by Newton's method from random starts, which goes to each kind
alike, and told apart by the Hessian's eigenvalues. Then gradient descent is started at the same places.

Both are so. The share of minima among the critical points falls fast with the dimension, and those there are lie low:
what is high up is a saddle. Yet descent leaves the saddles and ends in a minimum, one of many and seldom the lowest.
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo

WAVES = 300
SIZES = {1: 300.0, 2: 30.0, 3: 12.0, 4: 7.0, 5: 5.5, 6: 4.5}  # of the box in which points are counted


def surface(dimension, seed=0):
    """f(x) = √(2/K) Σ cos(w_k · x + φ_k): mean 0, variance 1."""
    rng = np.random.default_rng(seed)
    w, phase = rng.normal(size=(WAVES, dimension)), rng.uniform(0, 2 * np.pi, WAVES)

    def height(x):
        angles = (jnp.asarray(w, x.dtype) * x[None, :]).sum(axis=-1) + jnp.asarray(phase, x.dtype)
        return jnp.cos(angles).sum() * jnp.asarray(np.sqrt(2 / WAVES), x.dtype)

    return height


def counted(dimension, starts, seeds):
    """The critical points of several surfaces, and the heights at which descents end over the lowest found there."""
    found, above = [], []
    for seed in range(seeds):
        f = surface(dimension, seed)
        begin = np.random.default_rng(100 + seed).uniform(0, SIZES[dimension], (starts, dimension))
        found += fo.surfaces.critical_points(f, [(0, SIZES[dimension])] * dimension, starts=begin, apart=1e-6)
        path = jax.vmap(lambda s, f=f: fo.surfaces.descend(f, fo.optim.sgd, s, 400, lr=0.3)[-1])
        ends = np.asarray(jax.vmap(f)(path(jnp.asarray(begin, jnp.float32))))
        above += list(ends - ends.min())
    return found, np.array(above)


def main(dimensions=(1, 2, 3, 4, 5, 6), starts=600, seeds=2):
    head = "dimension  critical points  minima  saddles  maxima  height of minima, of saddles"
    print(f"{head}  descents to the lowest end")
    table = []
    for n in dimensions:
        found, above = counted(n, starts, seeds)
        heights = {k: [c.value for c in found if c.kind == k] for k in ("minimum", "saddle", "maximum")}
        shares = {kind: len(values) / len(found) for kind, values in heights.items()}
        low, middle = (float(np.mean(heights[k])) if heights[k] else float("nan") for k in ("minimum", "saddle"))
        lowest = float(np.mean(above < 0.01))
        row = dict(dimension=n, found=len(found), **shares, low=low, middle=middle, lowest=lowest)
        table.append(row)
        print(
            f"{n:9}  {len(found):15}  {shares['minimum']:6.1%}  {shares['saddle']:7.1%}  {shares['maximum']:6.1%}  "
            f"{low:16.2f}  {middle:10.2f}  {lowest:26.1%}"
        )
    return table


if __name__ == "__main__":
    main()
