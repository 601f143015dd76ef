"""A misspelt name of any public module is answered with the nearest, in the words of other tools too."""

import importlib

import jax
import jax.numpy as jnp
import pytest

import fnopt as fo

WORDS = {  # where, what is typed: what is meant
    ("fnopt", "loguniform"): "fo.log_uniform",
    ("fnopt", "LogUniform"): "fo.log_uniform",
    ("fnopt", "log_unifrm"): "fo.log_uniform",
    ("fnopt", "suggest_float"): "fo.uniform or fo.log_uniform",
    ("fnopt", "Categorical"): "fo.choice",
    ("fnopt", "randint"): "fo.integer",
    ("fnopt", "ASHAScheduler"): "fo.asynchronous_halving",
    ("fnopt", "EarlyStopping"): "fo.early_stopping",
    ("fnopt", "Classifier"): "fo.classifier",
    ("fnopt", "MLPClassifier"): "fo.classifier",
    ("fnopt", "Adam"): "fo.optim.adam",
    ("fnopt", "cosine"): "fo.schedules.cosine",
    ("fnopt", "read_csv"): "fo.data.read_csv",
    ("fnopt", "roc_auc_score"): "fo.metrics.roc_auc",
    ("fnopt", "caviare"): "fo.caviar",
    ("fnopt.optim", "Adam"): "fo.optim.adam",
    ("fnopt.optim", "SGD"): "fo.optim.sgd",
    ("fnopt.optim", "RMSprop"): "fo.optim.rmsprop",
    ("fnopt.optim", "adamv"): "fo.optim.adam",
    ("fnopt.optim", "cosine_decay_schedule"): "fo.schedules.cosine",
    ("fnopt.optim", "clip_grad_norm_"): "fo.optim.clip_by_global_norm",
    ("fnopt.schedules", "CosineAnnealingLR"): "fo.schedules.cosine",
    ("fnopt.schedules", "OneCycleLR"): "fo.schedules.one_cycle",
    ("fnopt.losses", "CrossEntropyLoss"): "fo.losses.softmax_cross_entropy",
    ("fnopt.losses", "mse"): "fo.metrics.mean_squared_error",
    ("fnopt.losses", "huber_loss"): "fo.losses.huber",
    ("fnopt.metrics", "f1_score"): "fo.metrics.f1",
    ("fnopt.metrics", "accuracy_score"): "fo.metrics.accuracy",
    ("fnopt.metrics", "log_los"): "fo.metrics.log_loss",
    ("fnopt.data", "train_test_split"): "fo.data.split",
    ("fnopt.data", "load_iris"): "fo.data.iris",
    ("fnopt.data", "readcsv"): "fo.data.read_csv",
    ("fnopt.nn", "ReLU"): "fo.nn.relu",
    ("fnopt.nn", "BatchNorm1d"): "fo.nn.batch_norm",
    ("fnopt.penalties", "L2"): "fo.penalties.l2",
    ("fnopt.check", "gradient"): "fo.check.gradients",
    ("fnopt.plot", "path"): "fo.plot.paths",
    ("fnopt.track", "TensorBoard"): "fo.track.tensorboard",
    ("fnopt.surfaces", "Rosenbrock"): "fo.surfaces.rosenbrock",
    ("fnopt.averages", "updat"): "fo.averages.update",
    ("fnopt.tree", "zeroslike"): "fo.tree.zeros_like",
}


@pytest.mark.parametrize(("module", "name"), WORDS)
def test_the_nearest_name_is_suggested(module, name):
    with pytest.raises(AttributeError) as told:
        getattr(importlib.import_module(module), name)
    said = str(told.value)
    assert said.startswith(f"module {module!r} has no attribute {name!r}") and "\n" not in said
    assert said.endswith(f"; did you mean {WORDS[module, name]}?")


def test_a_name_that_is_like_none():
    with pytest.raises(AttributeError, match=r"^module 'fnopt' has no attribute 'zzzzz'$"):
        fo.zzzzz  # noqa: B018
    assert not hasattr(fo, "__wrapped__") and not hasattr(fo.optim, "_x")


def test_what_is_suggested_is_there():
    from fnopt import _names

    for meant in _names.ELSEWHERE.values():
        for one in meant.split(",")[0].replace(" or ", " ").split():
            if one.startswith("fo.") and "NAME" not in one:
                found = fo
                for part in one.split(".")[1:]:
                    found = getattr(found, part)


def test_a_public_module_is_one_of_those_that_suggest():
    from fnopt import _names

    modules = fo._HOMES["fnopt"].split(", ")
    assert all(hasattr(getattr(fo, name), "__getattr__") for name in modules)
    assert set(_names.PUBLIC) <= set(modules)


def test_a_name_may_be_asked_for_first_while_tracing():
    """Modules that are imported within a trace hold no tracer afterwards."""
    import subprocess
    import sys

    code = (
        "import jax, jax.numpy as jnp, fnopt as fo\n"
        "f = jax.jit(lambda z: fo.losses.squared_error(fo.nn.gelu(z), fo.optim.adam.init(z, lr=0.1).params))\n"
        "assert f(jnp.ones(3)).shape == (3,)\n"
        "with jax.check_tracer_leaks(): jax.jit(lambda z: fo.metrics.accuracy(z, z))(jnp.ones(3, int))\n"
        "fo.fit, fo.caviar, fo.plot, fo.check\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_found_once():
    assert vars(fo)["nn"] is fo.nn
    assert float(jax.jit(fo.nn.relu)(jnp.float32(-1))) == 0
