"""Arithmetic on pytrees."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt._names import suggesting as _suggesting


def working_dtype(x: Any) -> Any:
    """The type to compute in: float32 for half types and float32, float64 for float64.

    >>> working_dtype(jnp.ones(2, jnp.bfloat16)).__name__
    'float32'
    """
    return jnp.float64 if x.dtype == jnp.float64 else jnp.float32


def binary_size(x: Array) -> Array:
    """A power of 2 near each size x ≥ 0, to divide by before squares are taken; 1 where x is 0 or not finite.

    Powers of 2 change no digit of what they divide. The derivative is 0: the size cancels from what it serves.

    >>> float(binary_size(jnp.asarray(5e-30))) == 2.0**-98
    True
    """
    near = jax.lax.reduce_precision(x / 2, exponent_bits=jnp.finfo(x.dtype).nexp, mantissa_bits=0)
    return jax.lax.stop_gradient(jnp.where((near != 0) & jnp.isfinite(near), near, 1))


def on_device(a: Any) -> Array:
    """A copy of an array of NumPy's on the default device, in JAX's types: ``jnp.asarray`` compiles one of each shape.

    >>> on_device([1.0, 2.0])
    Array([1., 2.], dtype=float32)
    """
    return jax.device_put(np.array(a))  # a copy, since on a CPU the device's array is that one itself


@jax.custom_jvp
def absolute(x: Array) -> Array:
    """``|x|`` with derivative 0 at 0, where ``jnp.abs`` has 1: what is exactly 0 is pulled to neither side.

    >>> float(jax.grad(absolute)(0.0))
    0.0
    """
    return jnp.abs(x)


@absolute.defjvp
def _(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    return absolute(x), jnp.sign(x) * dx


def zeros_like(tree: Any) -> Any:
    """Zeros of each leaf's shape in its working type."""
    return jax.tree.map(lambda p: jnp.zeros(p.shape, working_dtype(p)), tree)


def put(table: Any, row: Any, i: Array) -> Any:
    """Leaf by leaf ``table`` with its row ``i`` replaced; ``i`` is inside, which ``.at[i].set`` would make sure of.

    >>> import jax.numpy as jnp
    >>> put(jnp.zeros(3), jnp.ones(()), jnp.asarray(1)).tolist()
    [0.0, 1.0, 0.0]
    """
    return jax.tree.map(lambda a, b: _put(a, b.astype(a.dtype), i), table, row)


@jax.custom_batching.custom_vmap
def _put(table: Array, row: Array, i: Array) -> Array:
    return jax.lax.dynamic_update_index_in_dim(table, row, i, 0)


@_put.def_vmap
def _(size: int, batched: list[bool], table: Array, row: Array, i: Array) -> tuple[Array, bool]:
    """One slice of all tables where the place is the same in all, which vmap makes a scatter: three kernels for one."""
    tables, rows = (
        a if has else jnp.broadcast_to(a, (size, *a.shape)) for a, has in zip((table, row), batched, strict=False)
    )
    if batched[2]:
        return jax.vmap(lambda t, r, k: t.at[k].set(r))(tables, rows, i), True
    return jax.lax.dynamic_update_index_in_dim(tables, rows, i, 1), True


def where(condition: Array, a: Any, b: Any) -> Any:
    """Leaf by leaf ``a`` where the scalar condition holds, else ``b``: it selects, so a NaN beside stays out."""
    return jax.tree.map(lambda x, y: jnp.where(condition, x, y), a, b)


def size(tree: Any) -> int:
    """How many numbers the tree holds."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def total(tree: Any) -> Array:
    """The sum of all entries, in at least float32: finite only if every entry is."""
    sums = [jnp.sum(leaf, dtype=working_dtype(leaf)) for leaf in jax.tree.leaves(tree)]
    return sum((s.astype(jnp.result_type(float)) for s in sums), jnp.zeros((), jnp.result_type(float)))


def names(tree: Any) -> list[str]:
    r"""A name for each leaf, in order: the keys of its path joined by dots; a dot inside a key is written ``\.``.

    So two leaves never share a name, where keys that print alike are of one type.

    >>> names({"layer": {"bias": 0, "weight": 1}}), names({"a.b": 0, "a": {"b": 1}})
    (['layer.bias', 'layer.weight'], ['a.b', 'a\\.b'])
    """
    return [".".join(map(_escaped, path)) for path, _ in jax.tree_util.tree_leaves_with_path(tree)]


def _escaped(key: Any) -> str:
    return jax.tree_util.keystr((key,), simple=True).replace("\\", "\\\\").replace(".", "\\.")


def check_names(tree: Any, what: str) -> None:
    """Raise ValueError where two leaves of ``what`` have one name: a file could not distinguish them."""
    seen: set[str] = set()
    for name in names(tree):
        if name in seen:
            raise ValueError(f"two leaves of {what} are called {name!r}: give their keys different names")
        seen.add(name)


if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
