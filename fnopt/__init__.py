"""fnopt: functional training in JAX, from pure pieces to sweeps of thousands of configurations.

One model is trained by ``fit``, many by ``caviar``; both take a model (``classifier``, ``regressor``, ``multilabel`` or
``supervised``) and datasets (``data``):

    import jax, fnopt as fo
    train, dev, test = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    run = fo.fit(fo.classifier(hidden=(64,)), train, dev, hyper=dict(lr=1e-2), epochs=10)
    run.evaluate(test)

Each name is imported when it is first asked for, so that ``import fnopt`` and ``fnopt --help`` are quick.
"""

from typing import TYPE_CHECKING

from fnopt._names import lazy as _lazy

if TYPE_CHECKING:
    from fnopt import analysis as analysis
    from fnopt import averages as averages
    from fnopt import check as check
    from fnopt import data as data
    from fnopt import losses as losses
    from fnopt import metrics as metrics
    from fnopt import nn as nn
    from fnopt import optim as optim
    from fnopt import penalties as penalties
    from fnopt import plot as plot
    from fnopt import schedules as schedules
    from fnopt import surfaces as surfaces
    from fnopt import track as track
    from fnopt import tree as tree
    from fnopt._programs import keep_programs as keep_programs
    from fnopt._types import Batch as Batch
    from fnopt._types import Dataset as Dataset
    from fnopt._types import Optimizer as Optimizer
    from fnopt._types import Score as Score
    from fnopt._types import State as State
    from fnopt._types import Trial as Trial
    from fnopt.model import Model as Model
    from fnopt.model import classifier as classifier
    from fnopt.model import multilabel as multilabel
    from fnopt.model import recipes as recipes
    from fnopt.model import regressor as regressor
    from fnopt.model import supervised as supervised
    from fnopt.run import Run as Run
    from fnopt.run import Sweep as Sweep
    from fnopt.run import caviar as caviar
    from fnopt.run import fit as fit
    from fnopt.run import hypergrad as hypergrad
    from fnopt.run import load as load
    from fnopt.run import open_sweep as open  # noqa: F401
    from fnopt.space import choice as choice
    from fnopt.space import integer as integer
    from fnopt.space import log_integer as log_integer
    from fnopt.space import log_normal as log_normal
    from fnopt.space import log_uniform as log_uniform
    from fnopt.space import normal as normal
    from fnopt.space import one_minus_log_uniform as one_minus_log_uniform
    from fnopt.space import uniform as uniform
    from fnopt.space import when as when
    from fnopt.sweep import asynchronous_halving as asynchronous_halving
    from fnopt.sweep import halving as halving
    from fnopt.sweep import hyperband as hyperband
    from fnopt.sweep import median as median
    from fnopt.sweep import population as population
    from fnopt.train import early_stopping as early_stopping
    from fnopt.train import metric as metric
    from fnopt.train import reach as reach

_HOMES = {
    "fnopt": "analysis, averages, check, data, losses, metrics, nn, optim, penalties, plot, schedules, surfaces, "
    "track, tree",
    "fnopt._programs": "keep_programs",
    "fnopt._types": "Batch, Dataset, Optimizer, Score, State, Trial",
    "fnopt.model": "Model, classifier, multilabel, recipes, regressor, supervised",
    "fnopt.run": "Run, Sweep, caviar, fit, hypergrad, load, open_sweep as open",
    "fnopt.space": "choice, integer, log_integer, log_normal, log_uniform, normal, one_minus_log_uniform, "
    "uniform, when",
    "fnopt.sweep": "asynchronous_halving, halving, hyperband, median, population",
    "fnopt.train": "early_stopping, metric, reach",
}
__version__ = "0.1.0"

if not TYPE_CHECKING:  # where all names are known, and others are mistakes
    __getattr__, __dir__, __all__ = _lazy(__name__, _HOMES, globals())
