"""A run that goes on with other data than it began with."""

import jax
import jax.numpy as jnp

from fnopt._types import Dataset
from fnopt.model import prepare
from fnopt.run import Run
from fnopt.run.run import Going, train_on
from fnopt.sweep.chunk import Data
from fnopt.sweep.drive import Silent


def more_on(run: Run, going: Going, data: Dataset) -> Run:
    """One epoch over ``data`` from where a run is: its weights, moments and updates made go on, and its curves.

    Inputs and targets are scaled as the run's were. The run itself stays as it is.
    """
    ready = prepare(run.model, data, given=run.encoding, unit=going.work.unit)
    work = going.work._replace(folds=(Data(ready.train, None, ready.example),))
    mine = jax.tree.map(jnp.copy, going.lanes)  # training eats its argument, and this run must live on
    return train_on(run, going._replace(work=work, lanes=mine), 1, Silent())
