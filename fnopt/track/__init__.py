"""Where results go besides the sweep's own folder: CSV, JSON lines, TensorBoard, MLflow.

A tracker is a plain value for ``fo.caviar(…, track=[…])`` and ``fo.fit(…, track=…)``. It hears of each lane once, when
that has ended, with its numbers, curves and scores. Anything with an ``open(about)`` that gives ``write(record)``,
``close()`` and ``there`` is a tracker too: see ``Tracker``, ``Writer``, ``About`` and ``Record``.
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.run.tracking import About as About
from fnopt.run.tracking import Record as Record
from fnopt.run.tracking import Tracker as Tracker
from fnopt.run.tracking import Writer as Writer
from fnopt.track.csv import csv as csv
from fnopt.track.jsonl import jsonl as jsonl
from fnopt.track.mlflow import mlflow as mlflow
from fnopt.track.tensorboard import tensorboard as tensorboard

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
