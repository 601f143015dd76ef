"""Precision, recall, F1 and support of every class, and their means, in one table."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import labelled
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import averaged, ratio
from fnopt.metrics.confusion import Counts, counts


class ClassRates(NamedTuple):
    """Rates of each class, shape=(classes,), or of a mean over classes, shape=()."""

    precision: Array  # TP / (TP + FP)
    recall: Array  # TP / (TP + FN)
    f1: Array  # 2 TP / (2 TP + FP + FN)
    support: Array  # the weight of the examples that are of the class


class ClassificationReport(NamedTuple):
    """What ``classification_report`` returns; ``str(report)`` is the table."""

    each: ClassRates  # shape=(classes,) each
    micro: ClassRates  # the ratio of the sums over classes
    macro: ClassRates  # the mean over classes
    weighted: ClassRates  # the mean by support
    accuracy: Array  # the share of examples that are right in every label

    def __str__(self) -> str:
        return self.table()

    def table(self, names: Sequence[object] | None = None, digits: int = 3) -> str:
        """The report as text, ``names`` standing for the classes.

        >>> print(classification_report([0, 1, 1], [0, 1, 0]).table(["no", "yes"], digits=2))
                      precision  recall    f1  support
        no                 0.50    1.00  0.67        1
        yes                1.00    0.50  0.67        2
        macro mean         0.75    0.75  0.67        3
        weighted mean      0.83    0.67  0.67        3
        accuracy           0.67
        """
        many = len(np.asarray(self.each.f1))
        if names is not None and len(names) != many:
            raise ValueError(f"`names` must hold one name for each of {many} classes, got {len(names)}")
        rows = [(str(name), *(np.asarray(x)[k] for x in self.each)) for k, name in enumerate(names or range(many))]
        rows += [("macro mean", *self.macro), ("weighted mean", *self.weighted)]
        lines = [
            [name, *(f"{float(rate):.{digits}f}" for rate in rates), f"{float(support):g}"]
            for name, *rates, support in rows
        ]
        lines = [["", *ClassRates._fields], *lines, ["accuracy", f"{float(self.accuracy):.{digits}f}", "", "", ""]]
        widths = [max(len(line[k]) for line in lines) for k in range(5)]
        return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells below those of other lines: the first from the left, the others from the right."""
    rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([cells[0].ljust(widths[0]), *rest]).rstrip()


@exact("truth", "prediction")
def classification_report(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    zero_division: ArrayLike = 0,
) -> ClassificationReport:
    """Precision, recall, F1 and support of every class or label, their means, and accuracy.

    Args:
        truth: labels 0..classes-1, shape=(m,), or 0/1 columns, shape=(m, labels).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.
        classes: how many; from the labels where they are known, else 2.
        zero_division: the value of 0/0; with nan, means leave such classes out.

    Raises:
        ValueError: for shapes that differ, and labels out of range.

    >>> report = classification_report([0, 1, 1], [0, 1, 0])
    >>> report.each.support.tolist(), round(float(report.macro.f1), 4)
    ([1.0, 2.0], 0.6667)
    """
    x = labelled(truth, prediction, weight, classes)
    right = (x.truth == x.prediction).reshape(len(x.weight), -1).all(axis=-1)
    return _report(counts(x), jnp.asarray(right), jnp.asarray(x.weight), zero_division)


@jax.jit
def _report(c: Counts, right: Array, w: Array, zero_division: ArrayLike) -> ClassificationReport:
    mean = partial(_rates, c, zero_division)
    return ClassificationReport(
        each=mean(None),
        micro=mean("micro"),
        macro=mean("macro"),
        weighted=mean("weighted"),
        accuracy=ratio(jnp.sum(jnp.where(right, w, 0)), jnp.sum(w), jnp.nan),
    )


def _rates(c: Counts, zero_division: ArrayLike, average: str | None) -> ClassRates:
    there = c.tp + c.fn
    return ClassRates(
        precision=averaged(c.tp, c.tp + c.fp, there, average, zero_division),
        recall=averaged(c.tp, there, there, average, zero_division),
        f1=averaged(2 * c.tp, 2 * c.tp + c.fp + c.fn, there, average, zero_division),
        support=there if average is None else jnp.sum(there),
    )
