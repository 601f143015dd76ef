"""Lane identity: a configuration trained among others comes to the bits it comes to alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from fnopt import tree
from fnopt._checks import whole
from fnopt._types import Dataset
from fnopt.check._table import shown
from fnopt.model import Model
from fnopt.run import Sweep, caviar
from fnopt.run.lineage import retraced
from fnopt.sweep.result import LaneResult, result_of


@dataclass(frozen=True)
class Identity:
    """What :func:`lane_identity` found; printed, one row a lane.

    Each row of ``table``: ``config``, ``seed``, ``fold``, ``same``, and ``differs``: the first weights or curve that
    are not the same bits, with the largest difference, or the epoch from which a curve differs.
    """

    table: list[dict[str, Any]]

    @property
    def passed(self) -> bool:
        """Whether every lane is the same alone, to the bit."""
        return all(row["same"] for row in self.table)

    def __str__(self) -> str:
        same = sum(row["same"] for row in self.table)
        verdict = "every lane is the same alone" if self.passed else "LANES DEPEND ON THEIR NEIGHBOURS"
        return f"{verdict}: {same} of {len(self.table)} equal to the bit\n{shown(self.table)}"


def lane_identity(
    model: Model | Sweep,
    space: Mapping[str, Any] | None = None,
    train: Dataset | None = None,
    dev: Dataset | None = None,
    *,
    n: int = 6,
    epochs: int = 2,
    seeds: int = 1,
    key: Any = None,
) -> Identity:
    """Train some configurations side by side, then each alone in the same kernel, and compare bits.

    What breaks it is a model of one's own whose loss looks at anything but its arguments: a global that changes, an
    object that counts its calls. A sweep that was read from disk shows whether this machine gives the bits of that one.

    Args:
        model: a model to sweep, or a sweep that has run, which takes no more arguments.
        space, train, dev: as for ``fo.caviar``.
        n: configurations, ≥ 1. The weights of at most ten are at hand; of others the digest is compared.
        epochs, seeds, key: as for ``fo.caviar``.

    Raises:
        TypeError, ValueError: as ``fo.caviar``; TypeError for a model without space and data.

    >>> import fnopt as fo
    >>> lane_identity(fo.classifier(hidden=(4,)), dict(lr=fo.log_uniform(1e-3, 1e-1)), fo.data.iris(), n=2).passed
    True
    """
    if not isinstance(model, Sweep):
        if space is None or train is None:
            raise TypeError(
                "give a model with `space` and `train`, or a sweep: lane_identity(model, space, train, dev)"
            )
        model = caviar(model, space, train, dev, n=whole("n", n), epochs=epochs, seeds=seeds, key=key)
    lanes = sorted(at for at, lane in model.kept.lanes.items() if lane.status != "cut")
    return Identity([_row(model, *at) for at in lanes])


def _row(sweep: Sweep, config: int, seed: int, fold: int) -> dict[str, Any]:
    among = sweep.kept.lanes[config, seed, fold]
    differs = difference(among, alone(sweep, config, seed, fold))
    return {"config": config, "seed": seed, "fold": fold, "same": not differs, "differs": differs or None}


def alone(sweep: Sweep, config: int, seed: int, fold: int) -> LaneResult:
    """The same configuration in a chunk of its own, for as many epochs as it trained."""
    among = sweep.kept.lanes[config, seed, fold]
    entry = sweep.entries[among.founder]
    pruned = among.why if among.status == "pruned" else ""
    until = among.epochs if pruned else sweep.lengths[config]
    place = retraced(sweep, config, seed, fold, until, ends=not pruned)
    return result_of(sweep.work, entry.program, place, pruned, entry.trim)


def difference(among: LaneResult, alone: LaneResult) -> str:
    """The first thing that is not the same; "" where all is."""
    if among.params is not None:
        a, b = ((lane.params, lane.stats) for lane in (among, alone))
        if jax.tree.structure(a) != jax.tree.structure(b):
            return "weights: another tree"
        for name, x, y in zip(tree.names(a), jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
            if not np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True):
                gap = float(np.max(np.abs(np.asarray(x, np.float64) - np.asarray(y, np.float64))))
                return f"{name.partition('.')[2]}: by up to {gap:.3g}"
    if among.digest != alone.digest:
        return "weights: another digest"
    curves = [(n, a, b) for (n, a), (_, b) in zip(_curves(among.history), _curves(alone.history), strict=False)]
    for name, x, y in curves:
        if len(x) != len(y):
            return f"{name}: {len(x)} epochs, alone {len(y)}"
        unlike = [epoch for epoch, (p, q) in enumerate(zip(x, y, strict=True), 1) if p != q and not (p != p and q != q)]
        if unlike:
            return f"{name} from epoch {unlike[0]}"
    return "" if among.status == alone.status else f"status: {among.status!r}, alone {alone.status!r}"


def _curves(history: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Every curve with its dotted name."""
    paths = jax.tree_util.tree_leaves_with_path(dict(history))
    return [(jax.tree_util.keystr(path, simple=True, separator="."), np.asarray(curve)) for path, curve in paths]
