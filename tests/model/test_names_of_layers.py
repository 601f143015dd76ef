"""Names that do nothing without a hidden layer, or under a task, are refused; where layers are searched, blank."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

IRIS = fo.data.iris()
VALUES = fo.data.dataset(np.asarray(IRIS.x)[:, :3], np.asarray(IRIS.x)[:, 3])
LABELS = fo.data.dataset(np.asarray(IRIS.x), np.eye(3, dtype=np.int32)[np.asarray(IRIS.y)])
LR = dict(lr=0.1)
WHOLE = fo.log_uniform(1e-3, 1e-1)


def fit(model, data=IRIS, **hyper):
    return fo.fit(model, data, epochs=1, hyper={**LR, **hyper})


def search(model, data=IRIS, **space):
    return fo.caviar(model, {"lr": WHOLE, **space}, data, n=4, epochs=1)


REFUSED = {
    "dropout in fit": lambda: fit(fo.classifier(hidden=()), dropout=0.5),
    "dropout declared": lambda: fo.classifier(hidden=(), dropout=0.5),
    "dropout in a space": lambda: search(fo.classifier(hidden=()), dropout=fo.uniform(0.1, 0.5)),
    "dropout in a space of such nets": lambda: search(fo.classifier(), hidden=(), dropout=0.5),
    "slope": lambda: search(fo.regressor(hidden=()), VALUES, slope=0.1),
    "activation declared": lambda: fo.classifier(hidden=(), activation="tanh"),
    "activation in fit": lambda: fit(fo.classifier(hidden=()), activation="tanh"),
    "norm in fit": lambda: fit(fo.classifier(), hidden=(), norm="batch"),
    "norm declared": lambda: fo.multilabel(hidden=[], norm="batch"),
    "activation in a space": lambda: search(fo.classifier(hidden=()), activation=fo.choice("relu", "tanh")),
    "smoothing of values in fit": lambda: fit(fo.regressor(hidden=4), VALUES, label_smoothing=0.1),
    "smoothing of values declared": lambda: fo.regressor(hidden=4, label_smoothing=0.1),
    "smoothing of values in a space": lambda: search(
        fo.regressor(hidden=4), VALUES, label_smoothing=fo.uniform(0, 0.1)
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_name_that_does_nothing_is_refused(case):
    with pytest.raises((ValueError, TypeError), match=r"hidden|label_smoothing"):
        REFUSED[case]()


def test_where_layers_are_searched_the_number_is_blank_for_a_net_without():
    sweep = search(fo.classifier(), hidden=fo.choice((), (4,)), dropout=fo.uniform(0.1, 0.5))
    rows = sweep.table()
    assert {sweep.configs[row["config"]]["hidden"] for row in rows} == {(), (4,)}
    assert all((row["dropout"] is None) == (sweep.configs[row["config"]]["hidden"] == ()) for row in rows)
    fit(fo.classifier(), **sweep.best.hyper)


def test_where_layers_are_searched_the_activation_is_blank_for_a_net_without(tmp_path):
    space = dict(hidden=fo.choice((), (4,)), activation=fo.choice("relu", "tanh"), lr=WHOLE)
    sweep = fo.caviar(fo.classifier(), space, IRIS, n=8, epochs=1, path=tmp_path / "sweep")
    rows = sweep.table()
    assert {row["hidden"] for row in rows} == {"none", "4"}
    assert all((row["activation"] is None) == (row["hidden"] == "none") for row in rows)
    assert len({trial for trial, row in zip(sweep.trials, rows, strict=True) if row["hidden"] == "none"}) == 1
    fit(fo.classifier(), **{**sweep.best.hyper, "lr": 0.1})
    assert fo.open(tmp_path / "sweep").table() == rows
    again = fo.caviar(fo.classifier(), space, IRIS, n=12, epochs=1, path=tmp_path / "sweep")
    assert again.table()[:8] == fo.caviar(fo.classifier(), space, IRIS, n=12, epochs=1).table()[:8]


def test_labels_are_smoothed_as_well():
    trial, _ = fo.multilabel(hidden=()).bind(dict(label_smoothing=0.2, lr=0.1), 4, 3, ())
    batch = fo.data.Batch(x=jnp.asarray(LABELS.x)[:5], y=jnp.asarray(LABELS.y)[:5], weight=jnp.ones(5))
    params, stats = trial.init(jax.random.key(0), batch, {})
    numbers = {"label_smoothing": jnp.float32(0.2)}
    found, _ = trial.loss(params, stats, batch, numbers, jax.random.key(1), True)
    z = np.asarray(trial.predict(params, stats, batch.x, numbers), np.float64)
    y = 0.8 * np.asarray(batch.y) + 0.1
    wanted = (np.logaddexp(0, z) - y * z).mean(axis=1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
