"""Where a number stands in a configuration: a tuple of keys, as ``("lr", "peak")`` or ``("dropout", 0)``.

A path is what the package works with. Its text is for people, and never read back.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from json import dumps
from typing import Any

import jax

Key = str | int
Path = tuple[Key, ...]


def text(path: Path) -> str:
    """The keys with dots between them; a dot inside a key is written ``\\.``, so that no two paths have one text.

    >>> text(("lr", "peak")), text(("block1.rate",))
    ('lr.peak', 'block1\\\\.rate')
    """
    return ".".join(str(key).replace("\\", "\\\\").replace(".", "\\.") for key in path)


def labels(paths: Iterable[Path]) -> dict[Path, str]:
    """A text for each path, no two alike: a name that stands alone is itself, unless another path has this text.

    >>> labels([("a", 0), ("a.0",), ("b.0",)])
    {('a', 0): 'a.0', ('a.0',): 'a\\\\.0', ('b.0',): 'b.0'}
    """
    paths = list(paths)
    inner = {text(path) for path in paths if len(path) != 1}
    return {path: text(path) if len(path) != 1 or str(path[0]) in inner else str(path[0]) for path in paths}


def order(path: Path) -> tuple[Any, ...]:
    """A key to sort paths by, whatever kinds of keys they hold."""
    return tuple((isinstance(key, str), key) for key in path)


def salt(path: Path) -> tuple[int, int]:
    """64 bits that stand for a path where random numbers are drawn, as two words."""
    word = int.from_bytes(blake2b(dumps(path).encode(), digest_size=8).digest(), "big")
    return word >> 32, word & 0xFFFFFFFF


def leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[tuple[Path, Any]]:
    """The leaves of a pytree with their paths.

    >>> leaves({"a": (1, 2)})
    [(('a', 0), 1), (('a', 1), 2)]
    """
    found = jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_leaf)
    return [(keys(path), leaf) for path, leaf in found]


def keys(path: Iterable[Any]) -> Path:
    """A path as JAX has it, as plain keys: a field's name, a place in a tuple, or a key of a dict."""
    return tuple(map(_key, path))


def _key(entry: Any) -> Key:
    for name in ("name", "idx", "key"):
        if hasattr(entry, name):
            return getattr(entry, name)
    return str(entry)
