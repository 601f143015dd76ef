"""Columns of configurations as ordered codes, with the share of the draws that each code stands for."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

LEAST_SHARE = 1e-9  # of a code whose values the range takes for one


class Coded(NamedTuple):
    """One column: codes from 0 in the order of the values, or of the options as they came."""

    name: str
    codes: np.ndarray  # shape=(n,), int; -1 where a configuration lacks it
    ends: np.ndarray  # shape=(levels + 1,), rising from 0 to 1: code k has the share from ends[k] to ends[k + 1]
    ordered: bool  # False: names, which have no order


def coded(name: str, values: Sequence[Any], to_unit: Any = None) -> Coded | None:
    """A column as codes; None where it never varies.

    Numbers are in their order, and what is no number is an option by its text. The share of a value is that of the
    configurations that have it, so that a range is looked at as it was drawn from, on a log scale where it was; with
    ``to_unit`` it is that of the range.

    >>> coded("lr", [0.1, 0.001, 0.01]).codes.tolist(), coded("lr", [0.1, 0.1])
    ([2, 0, 1], None)
    """
    there = np.array([not _missing(value) for value in values], bool)
    some = [value for value, here in zip(values, there, strict=True) if here]
    ordered = all(isinstance(value, int | float | np.number | np.bool_) for value in some)
    kinds = np.asarray([float(x) for x in some]) if ordered else np.asarray([str(x) for x in some])
    levels, ranks, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    if len(levels) < 2:
        return None
    codes = np.full(len(values), -1, np.int64)
    codes[there] = ranks.reshape(-1)
    ends = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    if ordered and to_unit is not None:
        units = np.array([to_unit(float(x)) for x in levels])
        ends[1:-1] = (units[:-1] + units[1:]) / 2
        steps = np.maximum(np.diff(ends), LEAST_SHARE)
        ends = np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])
    return Coded(name, codes, ends, ordered)


def coded_columns(columns: Mapping[str, Sequence[Any]], units: Mapping[str, Any]) -> list[Coded]:
    """All columns that vary."""
    found = [coded(name, values, units.get(name)) for name, values in columns.items()]
    return [column for column in found if column is not None]


def laid_out(
    columns: Sequence[Coded], rows: np.ndarray, draws: np.random.Generator
) -> tuple[np.ndarray, list[list[np.ndarray]]]:
    """The codes of some rows for each tree, and the ends of the codes there.

    Options stand in another random order in each tree. A configuration that lacks a name gets the code of a random one
    that has it: the name says nothing about those, nor about which they are.

    Args:
        columns: of all rows.
        rows: shape=(trees, rows), which.
        draws: what orders and codes are drawn from.

    Returns:
        codes, shape=(trees, rows, columns); and for each tree the ends of each column.
    """
    trees = len(rows)
    codes = np.stack([column.codes[rows] for column in columns], axis=-1)
    ends: list[list[np.ndarray]] = [[] for _ in range(trees)]
    for d, column in enumerate(columns):
        present = column.codes[column.codes >= 0]
        lacking = codes[:, :, d] < 0
        if lacking.any():
            codes[:, :, d][lacking] = draws.choice(present, size=int(lacking.sum()))
        sizes = np.diff(column.ends)
        for t in range(trees):
            if column.ordered:
                ends[t].append(column.ends)
                continue
            order = draws.permutation(len(sizes))  # order[k] is where option k stands
            codes[t, :, d] = order[codes[t, :, d]]
            there = np.empty(len(sizes))
            there[order] = sizes
            ends[t].append(np.concatenate([[0.0], np.cumsum(there)]))
    return codes, ends


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and math.isnan(value))
