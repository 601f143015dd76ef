"""Columns as a data frame, where pandas is there to make one."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np


def as_frame(columns: Mapping[str, Any]) -> Any:
    """A pandas data frame of columns of one length; the columns themselves as arrays where pandas is not installed.

    >>> bool(as_frame({"a": [1, 2]})["a"][1] == 2)
    True
    """
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    if find_spec("pandas") is None:
        return arrays
    return import_module("pandas").DataFrame(arrays)
