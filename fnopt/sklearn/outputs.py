"""Answers of a run for any number of rows by few programs."""

import numpy as np

from fnopt.run import Run
from fnopt.run.run import ROWS

BLOCK = 128  # rows; so many at least are looked at together, and then twice as many, and so on


def outputs_of(run: Run, x: np.ndarray) -> np.ndarray:
    """What a run's network gives, float64, shape=(m,) or (m, outputs), see :func:`filled_up`."""
    return np.asarray(run.outputs(filled_up(x)), np.float64)[: len(x)]


def values_of(run: Run, x: np.ndarray) -> np.ndarray:
    """What a run predicts of values, float64, shape=(m,) or (m, outputs), see :func:`filled_up`."""
    return np.asarray(run.predict(filled_up(x)), np.float64)[: len(x)]


def filled_up(x: np.ndarray) -> np.ndarray:
    """Rows filled up with copies of the first to 128, 256, 512, … or whole blocks of 4,096.

    So few shapes are compiled, and up to 128 rows the bits of a row's outputs do not depend on how many there are.

    >>> [len(filled_up(np.ones((rows, 2)))) for rows in (1, 128, 129, 4097)]
    [128, 128, 256, 8192]
    """
    rows = len(x)
    room = rows + -rows % ROWS if rows > ROWS else max(BLOCK, 1 << (rows - 1).bit_length())
    return np.concatenate([x, np.repeat(x[:1], room - rows, axis=0)]) if room > rows else x
