"""Networks of different widths in one program: each inside the next of a few bucket widths, with masked padding."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
from jax import Array

from fnopt._types import Params, Stats, Trial
from fnopt.model.mlp import functions, network_of, penalty, project, unit_names
from fnopt.optim import TABLE

SMALLEST = 8  # units; a narrower layer costs as much


class Bucketed(NamedTuple):
    """A trial as one among several that share a program."""

    trial: Trial  # of the bucket's network, with its ``units_…`` among the numbers
    units: dict[str, float]  # what those numbers are for the trial that it was made from
    trim: "Trim"  # from the bucket's parameters to that trial's


@dataclass(frozen=True)
class Trim:
    """``trim(params, stats)``: the same without padding, as the network of true widths has them.

    An optimizer's moments, which have the shape of the parameters, can stand in the place of these; axes in front,
    as of lanes, are kept.

    >>> from jax.numpy import ones
    >>> wide = {"hidden_0": {"weight": ones((3, 8)), "bias": ones(8)}, "output": {"weight": ones((8, 2))}}
    >>> jax.tree.map(lambda a: a.shape, Trim((5,))(wide, ())[0])
    {'hidden_0': {'bias': (5,), 'weight': (3, 5)}, 'output': {'weight': (5, 2)}}
    """

    hidden: tuple[int, ...]

    def __call__(self, params: Params, stats: Stats) -> tuple[Params, Stats]:
        """See the class."""

        def cut(path: tuple[Any, ...], leaf: Array) -> Array:
            layer, part = (key.key for key in path)
            depth = len(self.hidden) if layer == "output" else int(layer.removeprefix("hidden_"))
            if part == "weight" and depth:
                leaf = leaf[..., : self.hidden[depth - 1], :]
            return leaf if layer == "output" or part == "seen" else leaf[..., : self.hidden[depth]]

        return jax.tree_util.tree_map_with_path(cut, params), jax.tree_util.tree_map_with_path(cut, stats)


def bucketed(trial: Trial, least: int = SMALLEST) -> Bucketed | None:
    """The trial inside the buckets of its hidden layers; None where padding would not stay out of it.

    So it is for a network without hidden layers, one that starts orthogonal, a trial with functions of somebody's own,
    and an optimizer that does not work element by element, or is not of this package and may not.

    >>> from fnopt.model import classifier
    >>> trial, _ = classifier(hidden=(20, 50)).bind({}, features=4, outputs=3, metrics=())
    >>> bucketed(trial).units
    {'units_0': 20.0, 'units_1': 50.0}
    """
    network = network_of(trial)
    if network is None or not network.hidden or network.init == "orthogonal":
        return None
    if trial.optimizer not in TABLE.values() or not trial.optimizer.elementwise:
        return None
    if trial.penalty not in (None, penalty):
        return None
    names = unit_names(len(network.hidden))
    if trial.project not in (None, project) or {*names} & {*trial.numbers}:
        return None
    wide = functions(network._replace(hidden=tuple(bucket(width, least) for width in network.hidden)))
    return Bucketed(
        trial=replace(trial, numbers=(*trial.numbers, *names), **wide._asdict()),
        units={name: float(width) for name, width in zip(names, network.hidden, strict=True)},
        trim=Trim(network.hidden),
    )


def bucket(width: int, least: int = SMALLEST) -> int:
    """The next of 8, 16, 24, 32, 48, 64, 96, 128, …: 2^k and, from 24 on, 3 · 2^(k−1); at least ``least``.

    >>> [bucket(width) for width in (1, 9, 20, 32, 33, 100)]
    [8, 16, 24, 32, 48, 128]
    >>> [bucket(width, 64) for width in (1, 33, 100)]
    [64, 64, 128]
    """
    width = max(width, least)
    power = max(1 << (width - 1).bit_length(), SMALLEST)
    between = power // 4 * 3
    return between if width <= between and between >= 3 * SMALLEST else power
