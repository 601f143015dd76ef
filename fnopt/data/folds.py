"""Cross-validation folds, fixed once for a whole comparison."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import chex
import jax
import numpy as np
from jax.core import Tracer

from fnopt._checks import one_of, whole
from fnopt._types import Dataset
from fnopt.data._folds_kinds import Order, by_block, by_both, by_class, by_group, in_time, leave_out
from fnopt.data._folds_own import Pair, others, own_pairs
from fnopt.data._rows import as_key, checked, class_labels, example_groups, known_groups, permutation, take, where

TAKES = {  # which options each kind has; "own" are folds that the user made
    "kfold": ("kind", "stratify", "groups", "repeats"),
    "leave_one_out": ("kind", "groups"),
    "time_series": ("kind", "gap", "max_train"),
    "own": (),
}


@partial(jax.tree_util.register_dataclass, data_fields=["pairs"], meta_fields=["examples"])
@dataclass(frozen=True, eq=False, repr=False)
class Folds:
    """Row numbers to train on and to score on, a pair a fold; :func:`folds` makes one.

    >>> import numpy as np
    >>> from fnopt.data import dataset
    >>> made = folds(dataset(np.arange(4.0)[:, None], [0, 0, 1, 1]), 2)
    >>> made
    Folds(2 folds of 4 examples)
    >>> [(train.tolist(), dev.tolist()) for train, dev in made]
    [([2, 3], [0, 1]), ([0, 1], [2, 3])]
    """

    pairs: tuple[Pair, ...]  # (train rows, dev rows), each shape=(rows,), int32, read-only
    examples: int  # m, of the data whose rows these are

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __repr__(self) -> str:
        return f"Folds({len(self)} fold{'s' * (len(self) > 1)} of {self.examples} examples)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Folds) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def parts(self, data: Dataset) -> list[tuple[Dataset, Dataset]]:
        """The (train, dev) datasets of each fold; ValueError for data of another length.

        >>> from fnopt.data import iris
        >>> [(len(train), len(dev)) for train, dev in folds(iris(), 3).parts(iris())]
        [(100, 50), (100, 50), (100, 50)]
        """
        self.check(data)
        return [(take(data, train), take(data, dev)) for train, dev in self]

    def check(self, data: Dataset) -> None:
        """Raise ValueError unless ``data`` has as many examples as the data that these folds were made of."""
        if len(checked(data)) != self.examples:
            raise ValueError(f"these folds are of {self.examples} examples, the data have {len(data)}; make new folds")

    def plain(self) -> list[list[list[int] | None]]:
        """The pairs as JSON has them, null for a train part of all other rows; ``folds(data, plain)`` reads them.

        >>> import numpy as np
        >>> from fnopt.data import dataset
        >>> data = dataset(np.arange(4.0)[:, None], [0, 0, 1, 1])
        >>> folds(data, 2).plain()
        [[None, [0, 1]], [None, [2, 3]]]
        >>> folds(data, folds(data, 2).plain()) == folds(data, 2)
        True
        """
        all_others = [np.array_equal(train, others(dev, self.examples)) for train, dev in self]
        return [
            [None if rest else train.tolist(), dev.tolist()]
            for rest, (train, dev) in zip(all_others, self.pairs, strict=True)
        ]

    def _content(self) -> tuple[Any, ...]:
        return self.examples, tuple((train.tobytes(), dev.tobytes()) for train, dev in self)


def folds(
    data: Dataset,
    k: int | Iterable[Any] = 5,
    *,
    kind: Literal["kfold", "leave_one_out", "time_series"] = "kfold",
    key: chex.PRNGKey | None = None,
    stratify: bool = False,
    groups: Any = None,
    repeats: int = 1,
    gap: int = 0,
    max_train: int | None = None,
) -> Folds:
    """Folds to cross-validate with: each trains on some examples and is scored on others, its dev part.

    With "kfold" and "leave_one_out" every example stands in exactly one dev part a repeat, and training takes all
    others. The k dev parts' sizes differ by at most one (groups: by at most the largest group).

    Args:
        data: shape=(m, …) arrays; whose rows.
        k: how many folds, 2 ≤ k ≤ m. Or folds of one's own: ``Folds``, what ``plain`` gave, or any pairs (train rows,
            dev rows), as splitters elsewhere give them; None for train means all other rows. "leave_one_out" needs
            no k.
        kind: "kfold"; "leave_one_out", m folds, or one a group where there are groups; "time_series" for rows in
            order of time: the last k blocks of ⌊m / (k + 1)⌋ rows, each trained on the rows before it.
        key: what the random order of "kfold" comes from; repeat r takes ``fold_in(key, r)``, so more repeats change
            none of the first. None: the order of the rows, in blocks; rows sorted by label then want ``stratify``.
        stratify: spread each class: its counts in the dev parts differ by at most one, and so do their sizes.
        groups: shape=(m,); no group stands on both sides of a fold. With ``stratify`` whole groups are dealt so that
            the classes come as near to equal shares as they allow, as by scikit-learn's ``StratifiedGroupKFold``.
        repeats: how often to make k folds, each time in another random order, ≥ 1; k × repeats folds in all.
        gap: rows left out between training and dev rows of "time_series", ≥ 0.
        max_train: the most rows to train on, the latest, in "time_series"; ≥ 1. None: all.

    Returns:
        ``Folds``: the same for the same key and data. Rows are ascending; one's own stay as they were.

    Raises:
        ValueError: for more folds than examples, groups or members of a class; for options that do not go together;
            for rows of one's own out of range, twice, in both parts or in none; for a part whose weights are all 0.
        TypeError: for what is no dataset, no key or no rows.

    >>> import jax
    >>> from fnopt.data import iris
    >>> made = folds(iris(), 5, key=jax.random.key(0), stratify=True, repeats=2)
    >>> made, [(len(train), len(dev)) for train, dev in made][:2]
    (Folds(10 folds of 150 examples), [(120, 30), (120, 30)])
    >>> [(len(train), dev[0].item(), len(dev)) for train, dev in folds(iris(), 2, kind="time_series", gap=10)]
    [(40, 50, 50), (90, 100, 50)]

    Source: Kohavi, "A study of cross-validation and bootstrap for accuracy estimation and model selection", 1995,
    https://www.ijcai.org/Proceedings/95-2/Papers/016.pdf: ten stratified folds to choose a model by. Groups go as in
    Graham, "Bounds on multiprocessing timing anomalies", 1969, https://doi.org/10.1137/0117039.
    """
    m = len(checked(data))
    one_of("kind", kind, [known for known in TAKES if known != "own"])
    given = {
        "kind": kind != "kfold",
        "stratify": bool(stratify),
        "groups": groups is not None,
        "repeats": repeats != 1,
        "gap": gap != 0,
        "max_train": max_train is not None,
    }
    named = [name for name in given if given[name]]
    if isinstance(k, Iterable) and not isinstance(k, str | np.ndarray | jax.Array):
        _go_together("own", named, key)
        if isinstance(k, Folds):
            k.check(data)
        return _made(data, own_pairs(k, m))
    _go_together(kind, named, key)
    groups = None if groups is None else _known(groups, key, m)
    if kind == "leave_one_out":
        units = leave_out(np.arange(m), "examples") if groups is None else leave_out(groups, "groups")
        return _made(data, _pairs(units, np.bincount(units)))
    k = whole("k", k, 2)
    if kind == "time_series":
        longest = None if max_train is None else whole("max_train", max_train)
        return _made(data, in_time(m, k, whole("gap", gap, 0), longest))
    labels = class_labels(data) if stratify else None
    pairs: list[Pair] = []
    for order in _orders(key, whole("repeats", repeats)):
        if labels is not None and groups is not None:
            home = by_both(labels, groups, k, order)
            sizes = np.bincount(home)
        elif labels is not None:
            home, sizes = by_class(labels, k, order, data.classes)
        elif groups is None:
            home, sizes = by_block(m, k, order)
        else:
            home = by_group(groups, k, order)
            sizes = np.bincount(home)
        pairs += _pairs(home, sizes)
    return _made(data, pairs)


def _go_together(kind: str, given: list[str], key: Any) -> None:
    odd = [name for name in given if name not in TAKES[kind]]
    if odd and kind == "own":
        raise ValueError(f"folds of one's own stand as they are: leave out {', '.join(odd)}")
    if odd:
        takes = ", ".join(TAKES[kind][1:])
        raise ValueError(f"kind={kind!r} takes {takes} and no {', '.join(odd)}: leave out {', '.join(odd)}")
    if "repeats" in given and key is None:
        raise ValueError("repeats need an order that changes; write key=jax.random.key(0)")


def _orders(key: Any, repeats: int) -> list[Order]:
    if key is None:
        return [np.arange]
    key = as_key(key)
    return [partial(permutation, jax.random.fold_in(key, r)) for r in range(repeats)]


def _known(groups: Any, key: Any, m: int) -> np.ndarray:
    known_groups(groups, key)
    return example_groups(groups, m)


def _pairs(home: Any, sizes: np.ndarray) -> list[Pair]:
    m = int(sizes.sum())
    return [(where(home != fold, m - size), where(home == fold, size)) for fold, size in enumerate(sizes.tolist())]


def _made(data: Dataset, pairs: list[Pair]) -> Folds:
    traced = isinstance(data.weight, Tracer) or any(isinstance(rows, Tracer) for pair in pairs for rows in pair)
    weight = None if data.weight is None or traced else np.asarray(data.weight)
    for number, pair in enumerate(pairs):
        for part, rows in zip(("train", "dev"), pair, strict=True):
            if weight is not None and not weight[rows].any():
                raise ValueError(f"fold {number} has weight 0 throughout its {part} part: drop those rows or shuffle")
    return Folds(tuple((_frozen(train), _frozen(dev)) for train, dev in pairs), len(data))


def _frozen(rows: Any) -> Any:
    if isinstance(rows, Tracer):
        return rows
    rows = np.array(rows, np.int32)
    rows.flags.writeable = False
    return rows
