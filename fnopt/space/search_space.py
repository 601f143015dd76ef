"""A space taken apart into what it draws, and put together again as configurations."""

from collections.abc import Mapping
from typing import Any

import jax

from fnopt.space.choice import Choice, When, is_space
from fnopt.space.distributions import Distribution

Hyper = dict[str, Any]
_LEAF = jax.tree.structure(0)


def taken_apart(space: Mapping[str, Any]) -> dict[str, Distribution | Choice]:
    """What a space draws, by dotted name."""
    return flatten(space, {}).drawn


class Flat:
    """A space taken apart: its leaves by dotted name, and how to put values back."""

    def __init__(self, space: Mapping[str, Any], base: Mapping[str, Any]):
        self.base = base
        self.conditions: dict[str, dict[str, Any]] = {}
        self.leaves: dict[str, Any] = {}
        self.trees: dict[str, tuple[Any, list[str]]] = {}
        for name, value in space.items():
            if isinstance(value, When):
                self.conditions[name] = value.conditions(name)
                value = value.value_of(name)
            paths, treedef = jax.tree_util.tree_flatten_with_path(value, is_leaf=_is_leaf)
            names = [name + "".join(f".{jax.tree_util.keystr((k,), simple=True)}" for k in path) for path, _ in paths]
            if not any(is_space(leaf) for _, leaf in paths):
                names, treedef, paths = [name], jax.tree.structure(0), [((), value)]
            self.trees[name] = (treedef, names)
            self.leaves.update(zip(names, (leaf for _, leaf in paths), strict=True))
        self.drawn = {name: leaf for name, leaf in self.leaves.items() if is_space(leaf)}
        # Names that are one leaf, and need not be put together for each configuration.
        self.single = {name: names[0] for name, (tree, names) in self.trees.items() if tree == _LEAF}


def _is_leaf(x: Any) -> bool:
    return is_space(x) or x is None


def flatten(space: Mapping[str, Any], base: Mapping[str, Any]) -> Flat:
    """A space taken apart; TypeError for what is no mapping."""
    if not isinstance(space, Mapping):
        raise TypeError(f"a space is a dict of name to space or value, got {type(space).__name__}")
    return Flat(space, base)


def configuration(flat: Flat, values: Mapping[str, Any]) -> Hyper:
    """Values put back under their names; a name whose condition does not hold is left out."""
    hyper: Hyper = {}
    for name, (treedef, names) in flat.trees.items():
        if (leaf := flat.single.get(name)) is not None:
            hyper[name] = values[leaf] if leaf in values else flat.leaves[leaf]
        else:
            hyper[name] = jax.tree.unflatten(treedef, [values.get(leaf, flat.leaves[leaf]) for leaf in names])
    while flat.conditions:  # a name that is left out takes those with it that depend on it
        given = {**{k: v for k, v in flat.base.items() if k not in flat.trees}, **hyper}
        kept = {name: value for name, value in hyper.items() if _holds(flat.conditions.get(name, {}), given)}
        if len(kept) == len(hyper):
            break
        hyper = kept
    return hyper


def _holds(conditions: Mapping[str, Any], hyper: Hyper) -> bool:
    def same(wanted: Any, got: Any) -> bool:
        got = getattr(got, "name", got)  # an optimizer goes by its name
        return any(got == getattr(w, "name", w) for w in (wanted if isinstance(wanted, list) else [wanted]))

    return all(name in hyper and same(wanted, hyper[name]) for name, wanted in conditions.items())
