"""Names of the package: found when they are asked for, and the nearest one where there is none of that name."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from types import ModuleType
from typing import Any

from fnopt._checks import closest, folded

PUBLIC = (
    *("data", "optim", "schedules", "losses", "penalties", "metrics", "nn", "check"),
    *("analysis", "plot", "track", "surfaces"),
)

ELSEWHERE = {  # what Optuna, Ray, torch, Keras and scikit-learn call it, in small letters without underscores
    "suggestfloat": "fo.uniform or fo.log_uniform",
    "suggestuniform": "fo.uniform",
    "suggestloguniform": "fo.log_uniform",
    "suggestint": "fo.integer or fo.log_integer",
    "suggestcategorical": "fo.choice",
    "categorical": "fo.choice",
    "float": "fo.uniform or fo.log_uniform",
    "floatdistribution": "fo.uniform or fo.log_uniform",
    "int": "fo.integer",
    "intdistribution": "fo.integer",
    "randint": "fo.integer",
    "lograndint": "fo.log_integer",
    "qrandint": "fo.integer",
    "qlograndint": "fo.log_integer",
    "qloguniform": "fo.log_uniform",
    "quniform": "fo.uniform",
    "randn": "fo.normal",
    "samplefrom": "fo.when",
    "createstudy": "fo.caviar",
    "study": "fo.caviar",
    "search": "fo.caviar",
    "tune": "fo.caviar",
    "tuner": "fo.caviar",
    "optimize": "fo.caviar",
    "minimize": "fo.caviar",
    "loadstudy": "fo.open",
    "opensweep": "fo.open",
    "loadmodel": "fo.load",
    "train": "fo.fit",
    "trainer": "fo.fit",
    "sequential": "fo.classifier or fo.regressor",
    "mlpclassifier": "fo.classifier",
    "mlpregressor": "fo.regressor",
    "module": "fo.supervised",
    "earlystopping": "fo.early_stopping",
    "asha": "fo.asynchronous_halving",
    "ashascheduler": "fo.asynchronous_halving",
    "asynchyperbandscheduler": "fo.asynchronous_halving",
    "successivehalving": "fo.halving",
    "successivehalvingpruner": "fo.asynchronous_halving",
    "hyperbandpruner": "fo.hyperband",
    "hyperbandscheduler": "fo.hyperband",
    "medianpruner": "fo.median",
    "medianstoppingrule": "fo.median",
    "populationbasedtraining": "fo.population",
    "pbt": "fo.population",
    "sgdm": "fo.optim.momentum",
    "nag": "fo.optim.nesterov",
    "clipgradnorm": "fo.optim.clip_by_global_norm",
    "clipgradvalue": "fo.optim.clip_by_value",
    "applyupdates": "fo.optim.NAME.update, which takes (state, grads) and gives the new state",
    "multitransform": "fo.optim.rate_by_path",
    "multisteps": "fo.optim.accumulate",
    "adddecayedweights": "fo.optim.decay_by_path",
    "crossentropyloss": "fo.losses.softmax_cross_entropy",
    "crossentropy": "fo.losses.softmax_cross_entropy",
    "categoricalcrossentropy": "fo.losses.softmax_cross_entropy",
    "sparsecategoricalcrossentropy": "fo.losses.softmax_cross_entropy",
    "nllloss": "fo.losses.softmax_cross_entropy",
    "bceloss": "fo.losses.sigmoid_cross_entropy",
    "bcewithlogitsloss": "fo.losses.sigmoid_cross_entropy",
    "binarycrossentropy": "fo.losses.sigmoid_cross_entropy",
    "mseloss": "fo.losses.squared_error",
    "l1loss": "fo.losses.absolute_error",
    "smoothl1loss": "fo.losses.huber",
    "huberloss": "fo.losses.huber",
    "pinball": "fo.losses.quantile",
    "cosineannealinglr": "fo.schedules.cosine",
    "cosineannealingwarmrestarts": "fo.schedules.warm_restarts",
    "cosinedecay": "fo.schedules.cosine",
    "cosinedecayschedule": "fo.schedules.cosine",
    "steplr": "fo.schedules.step_decay",
    "multisteplr": "fo.schedules.piecewise",
    "exponentiallr": "fo.schedules.exponential",
    "exponentialdecay": "fo.schedules.exponential",
    "onecyclelr": "fo.schedules.one_cycle",
    "cycliclr": "fo.schedules.cyclic",
    "reducelronplateau": "fo.schedules.plateau",
    "piecewiseconstantschedule": "fo.schedules.piecewise",
    "wsd": "fo.schedules.warmup_stable_decay",
    "linearwarmup": "schedule.warmed(steps)",
    "mse": "fo.metrics.mean_squared_error",
    "rmse": "fo.metrics.root_mean_squared_error",
    "mae": "fo.metrics.mean_absolute_error",
    "mape": "fo.metrics.mean_absolute_percentage_error",
    "msle": "fo.metrics.mean_squared_log_error",
    "auc": "fo.metrics.roc_auc or fo.metrics.area",
    "mcc": "fo.metrics.matthews_corrcoef",
    "trainvaltestsplit": "fo.data.split",
    "traintestsplit": "fo.data.split",
    "randomsplit": "fo.data.split",
    "kfold": "fo.data.folds",
    "stratifiedkfold": "fo.data.folds",
    "standardscaler": "fo.data.standardizer",
    "normalization": "fo.data.standardizer",
    "dataloader": "fo.data.batches",
    "dataset": "fo.data.dataset",
    "tensordataset": "fo.data.dataset",
    "loadiris": "fo.data.iris",
    "loaddigits": "fo.data.digits",
    "loadwine": "fo.data.wine",
    "loadbreastcancer": "fo.data.breast_cancer",
    "loaddiabetes": "fo.data.diabetes",
    "readexcel": "fo.data.read_csv, after writing the sheet as CSV",
    "readparquet": "fo.data.dataset, of a table's arrays",
    "batchnorm": "fo.nn.batch_norm",
    "batchnorm1d": "fo.nn.batch_norm",
    "batchnormalization": "fo.nn.batch_norm",
    "swish": "fo.nn.silu",
    "gradcheck": "fo.check.gradients",
    "checkgrads": "fo.check.gradients",
    "tensorboard": "fo.track.tensorboard",
    "summarywriter": "fo.track.tensorboard",
    "wandb": "fo.track.csv, fo.track.jsonl, fo.track.mlflow or fo.track.tensorboard",
}
ENDINGS = ("schedule", "score", "loss")  # that other tools append to a name

GetAttr = Callable[[str], Any]


def lazy(module: str, homes: Mapping[str, str], names: dict[str, Any]) -> tuple[GetAttr, Callable[[], Any], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a module that imports what it re-exports when that is asked for.

    Args:
        module: the module's name.
        homes: of each module that names come from, those names, as in ``"name, name as other"``; a submodule itself
            is one of the names of the module.
        names: the module's own names, ``vars`` of it; what was found is kept there.
    """
    found = {}
    for home, given in homes.items():
        for name in given.split(", "):
            there, _, here = name.partition(" as ")
            found[here or there] = (home, there)
    missing = suggesting(module, found)

    def get(name: str) -> Any:
        if name in found:
            home, there = found[name]
            value = _module(f"{home}.{there}") if home == module else getattr(_module(home), there)
        elif not name.startswith("__") and importlib.util.find_spec(f"{module}.{name}"):
            value = _module(f"{module}.{name}")
        else:
            return missing(name)
        names[name] = value
        return value

    return get, lambda: sorted({*names, *found}), list(found)


def suggesting(module: str, known: Iterable[str] | None = None) -> GetAttr:
    """``__getattr__`` of a module: AttributeError that names what is meant, here, in another module or by other tools.

    >>> suggesting("fnopt.optim", ["adam"])("Adam")
    Traceback (most recent call last):
        ...
    AttributeError: module 'fnopt.optim' has no attribute 'Adam'; did you mean fo.optim.adam?
    """

    def get(name: str) -> Any:
        meant = None if name.startswith("_") else _meant(module, name, known)
        hint = f"; did you mean {meant}?" if meant else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}{hint}")

    return get


def _meant(module: str, name: str, known: Iterable[str] | None) -> str | None:
    here = [*(_names_of(sys.modules[module]) if known is None else known)]
    prefix, plain = module.replace("fnopt", "fo", 1), folded(name)
    same = {folded(other): other for other in sorted(here)}  # small letters come last
    if plain in same:
        return f"{prefix}.{same[plain]}"
    shorter = [plain, *(plain.removesuffix(ending) for ending in ENDINGS)]
    for word in shorter:
        if word in ELSEWHERE:
            return ELSEWHERE[word]
    for part in PUBLIC:
        for other in _names_of(_module(f"fnopt.{part}")):
            if folded(other) in shorter:
                return f"fo.{part}.{other}"
    close = closest(name, here)
    return f"{prefix}.{close}" if close else None


def _names_of(module: ModuleType) -> list[str]:
    """What a module offers: what is of this package, and no module."""
    values = ((name, value) for name, value in vars(module).items() if not name.startswith("_"))
    return [
        name
        for name, value in values
        if not isinstance(value, ModuleType) and str(getattr(value, "__module__", "")).startswith("fnopt")
    ]


def _module(name: str) -> ModuleType:
    """Import a module, its constants concrete also where the first caller is being traced."""
    jax = sys.modules.get("jax")
    with jax.ensure_compile_time_eval() if jax is not None else nullcontext():
        return importlib.import_module(name)
