"""Data: built in, from files and arrays, split, standardized and in batches.

>>> import jax
>>> from fnopt import data
>>> train, dev, test = data.split(data.iris(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
>>> len(train), len(dev), len(test)
(90, 30, 30)
>>> scale = data.standardizer(train.x)
>>> dev = dev._replace(x=scale(dev.x))
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt._types import Batch as Batch
from fnopt._types import Column as Column
from fnopt._types import Dataset as Dataset
from fnopt.data import augment as augment
from fnopt.data.batches import batches as batches
from fnopt.data.builtin import NAMES as NAMES
from fnopt.data.builtin import breast_cancer as breast_cancer
from fnopt.data.builtin import diabetes as diabetes
from fnopt.data.builtin import digits as digits
from fnopt.data.builtin import iris as iris
from fnopt.data.builtin import load as load
from fnopt.data.builtin import wine as wine
from fnopt.data.dataset import dataset as dataset
from fnopt.data.folds import Folds as Folds
from fnopt.data.folds import folds as folds
from fnopt.data.idx import read_idx as read_idx
from fnopt.data.npz import read_npz as read_npz
from fnopt.data.split import split as split
from fnopt.data.standardizer import Standardizer as Standardizer
from fnopt.data.standardizer import standardizer as standardizer
from fnopt.data.table import read_csv as read_csv
from fnopt.data.table import read_table as read_table
from fnopt.data.task import task_of as task_of

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
