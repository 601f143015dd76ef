"""Training with augmentation, row D5: in batches alone, after scaling, reproducible, by lane, in files."""

import signal
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt.sweep.drive import Silent
from fnopt.train import keys_of

a = fo.data.augment
KEY = jax.random.key(3)
RNG = np.random.default_rng(0)
M, SIDE = 36, 6
Y = np.arange(M) % 3
X = (RNG.normal(size=(M, SIDE, SIDE)) + np.eye(3, SIDE)[Y][:, :, None]).astype(np.float32)
DATA = fo.data.dataset(X, Y)
FLAT = fo.data.dataset(X.reshape(M, -1), Y)
TRAIN, DEV = fo.data.split(DATA, (0.7, 0.3), key=KEY, stratify=True)
LINEAR = dict(hidden=(), optimizer="sgd", shuffle=False)
HYPER = dict(lr=0.1, batch_size=10)


def difference(one, other):
    return max(np.abs(p - q).max() for p, q in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


def by_hand(augment, hyper, epochs=2, x=X, size=10):
    """Softmax regression in float64; each batch through the augmentation, with the documented key of its step."""
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    run = fo.fit(fo.classifier(**LINEAR), DATA._replace(x=x), hyper=dict(lr=1e-30, batch_size=M), epochs=1, key=KEY)
    w, b = (np.asarray(run.params["output"][part], np.float64) for part in ("weight", "bias"))
    key, step = jax.random.fold_in(KEY, 3), 0
    for _ in range(epochs):
        for begin in range(0, M, size):
            rows, y = x[begin : begin + size], np.eye(3)[Y[begin : begin + size]]
            filled = np.concatenate([rows, np.repeat(x[-1:], size - len(rows), axis=0)])  # a short batch is padded
            seen = augment(jax.random.fold_in(key, step), filled, hyper)
            seen = np.asarray(seen, np.float64).reshape(size, -1)[: len(rows)]
            z = seen @ w + b
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            slope = (p - y) / len(rows)
            w, b, step = w - 0.1 * seen.T @ slope, b - 0.1 * slope.sum(axis=0), step + 1
    return w, b


def brighter(key, x, hyper):
    """An augmentation of anyone's own."""
    return x * (1 + hyper["bright"] * jax.random.uniform(key, (x.shape[0],) + (1,) * (x.ndim - 1)))


CASES = {
    "flip": (a.flip, dict(flip=0.5)),
    "zoom": (a.zoom, dict(zoom=0.4)),
    "crop": (a.crop, dict(crop=0.3)),
    "noise": (a.noise, dict(noise=0.5)),
    "own": (a.augmentation(brighter, dict(bright=0.5)), dict(bright=0.5)),
}


SLOW = ("zoom", "crop")  # whose own formulas are held elsewhere


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in CASES])
def test_training_equals_the_formula_on_augmented_batches(name):
    """So labels stay, scaling comes first, and each step has the key of its purpose and number."""
    augment, hyper = CASES[name]
    run = fo.fit(fo.classifier(**LINEAR, augment=augment), DATA, hyper={**HYPER, **hyper}, epochs=2, key=KEY)
    w, b = by_hand(augment, hyper)
    assert difference(run.params["output"], {"weight": w, "bias": b}) < 2e-5
    plain, _ = by_hand(lambda key, x, hyper: x, {})
    assert np.abs(w - plain).max() > 1e-3


def test_evaluation_sees_the_data_as_they_are():
    model = fo.classifier(**LINEAR, augment=(a.flip, a.noise))
    run = fo.fit(model, TRAIN, DEV, hyper={**HYPER, "noise": 2.0}, epochs=2, key=KEY)
    plain = fo.fit(fo.classifier(**LINEAR), TRAIN, DEV, hyper=dict(lr=1e-30), epochs=1, key=KEY)
    for part, data in (("train", TRAIN), ("dev", DEV)):
        x = np.asarray(plain.encoding.scaled(data.x), np.float64).reshape(len(data), -1)
        z = x @ np.asarray(run.params["output"]["weight"], np.float64) + np.asarray(run.params["output"]["bias"])
        loss = np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), np.asarray(data.y)])
        assert run.scores[part]["loss"] == pytest.approx(loss, rel=1e-4)
        np.testing.assert_allclose(run.outputs(data.x), z, atol=1e-4)
    assert run.history["cost"][0] > 1.5 * run.history["train"]["loss"][0]  # the noise is in the cost


def test_strength_0_trains_as_no_augmentation():
    off = dict(flip=0.0, zoom=0.0, crop=0.0, noise=0.0)
    model = fo.classifier(hidden=5, augment=(a.flip, a.zoom, a.crop, a.noise))
    one = fo.fit(model, TRAIN, DEV, hyper={**HYPER, **off}, epochs=2, key=KEY)
    other = fo.fit(fo.classifier(hidden=5), TRAIN, DEV, hyper=HYPER, epochs=2, key=KEY)
    assert difference(one.params, other.params) < 1e-6


def test_rows_of_pixels_train_as_the_pictures_that_they_are():
    rows = a.chain(a.flip, a.crop, a.crop_to(4), shape=(SIDE, SIDE))
    one = fo.fit(fo.classifier(hidden=4, augment=rows), FLAT, hyper=HYPER, epochs=2, key=KEY)
    pictures = fo.classifier(hidden=4, augment=(a.flip, a.crop, a.crop_to(4)))
    other = fo.fit(pictures, DATA, hyper=HYPER, epochs=2, key=KEY)
    assert difference(one.params, other.params) < 1e-6
    assert one.hyper["flip"] == 0.5 and one.hyper["crop"] == 0.1  # what they are unless given


def test_nothing_is_drawn_where_nothing_is_augmented():
    assert len(jax.tree.leaves(keys_of(KEY))) == 3
    run = fo.fit(fo.classifier(hidden=4), TRAIN, hyper=HYPER, epochs=1, key=KEY)
    assert run.going.draws.keys.augment is None and run.trial.augment is None


SPACE = dict(
    lr=fo.log_uniform(1e-2, 1e-1),
    flip=fo.uniform(0.0, 0.5),
    crop=fo.uniform(0.0, 0.4),
    noise=fo.log_uniform(1e-2, 1.0),
    hidden=fo.choice((5,), (7,)),
    batch_size=fo.choice(8, 12),
    optimizer=fo.choice("momentum", "adam"),
)
MODEL = fo.classifier(augment=(a.flip, a.crop, a.noise))
REST = dict(epochs=3, folds=2, seeds=2, key=KEY)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "s"
    return fo.caviar(MODEL, SPACE, DATA, n=6, path=path, **REST), path


def test_a_search_over_strengths_replays_to_the_bit(searched):
    """Over widths, batch sizes and optimizers that share a program, seeds and folds."""
    sweep, _ = searched
    assert any(entry.trim is not None for entry in sweep.entries)
    assert len({entry.program.trial for entry in sweep.entries}) == 1
    for at in ((1, 0, 0), (4, 1, 1)):
        config, seed, fold = at
        run = sweep.replay(config, seed=seed, fold=fold)
        assert run.going.result.digest == sweep.kept.lanes[at].digest
    assert {"flip", "crop", "noise"} <= set(sweep.table()[0])
    assert fo.fit(MODEL, DATA, hyper=sweep.best.hyper, epochs=1).hyper["crop"] == sweep.best.hyper["crop"]


def test_lanes_of_a_chunk_have_strengths_of_their_own():
    """Each lane is what fit makes of its strength alone; seed 0 of a sweep draws from fold_in(fold_in(key, 1), 0)."""
    space = dict(**HYPER, noise=fo.choice(0.0, 0.5, 2.0))
    model = fo.classifier(**LINEAR, augment=a.noise)
    sweep = fo.caviar(model, space, TRAIN, DEV, search="grid", epochs=2, key=KEY)
    key = jax.random.fold_in(jax.random.fold_in(KEY, 1), 0)
    for config in range(3):
        alone = fo.fit(model, TRAIN, DEV, hyper=sweep.configs[config], epochs=2, key=key)
        assert difference(alone.params, sweep.replay(config).params) < 1e-6
    assert len({lane.digest for lane in sweep.kept.lanes.values()}) == 3


def test_a_search_is_extended_and_opened_with_the_same_bits(searched, tmp_path):
    sweep, path = searched
    some = fo.caviar(MODEL, SPACE, DATA, n=3, path=tmp_path / "s", **REST)
    more = fo.caviar(MODEL, SPACE, DATA, n=6, path=tmp_path / "s", **REST)
    assert some.finished and more.table() == sweep.table()
    assert {k: r.digest for k, r in more.kept.lanes.items()} == {k: r.digest for k, r in sweep.kept.lanes.items()}
    again = fo.open(path)
    assert again.model.augment == MODEL.augment and again.table() == sweep.table()
    assert again.replay(2).going.result.digest == sweep.kept.lanes[2, 0, 0].digest
    for parts in ((a.crop, a.flip, a.noise), (a.flip, a.crop, a.noise, a.centre_crop(5))):
        with pytest.raises(ValueError, match="another sweep"):
            fo.caviar(fo.classifier(augment=parts), SPACE, DATA, n=6, path=path, **REST)


class Breaking(Silent):
    """Asks for the end at the k-th cut, and waits until it is heard."""

    def __init__(self, cuts):
        self.cuts = cuts

    def tick(self, epochs):
        self.cuts -= 1
        if self.cuts == 0:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.15)


def test_a_search_that_is_interrupted_comes_to_the_same(searched, tmp_path):
    sweep, _ = searched
    broken = 0
    for cuts in (2, 5, 9, 10**6):
        again = fo.caviar(MODEL, SPACE, DATA, n=6, path=tmp_path / "s", progress=Breaking(cuts), threads=1, **REST)
        broken += again.ended == "interrupted"
    assert broken >= 2 and again.finished
    assert {k: r.digest for k, r in again.kept.lanes.items()} == {k: r.digest for k, r in sweep.kept.lanes.items()}


def test_a_run_continues_with_the_same_bits_and_is_saved(tmp_path):
    model = fo.classifier(hidden=4, augment=a.chain(a.zoom, a.crop_to(4)))
    whole = fo.fit(model, TRAIN, DEV, hyper=HYPER, epochs=4, key=KEY)
    parts = fo.fit(model, TRAIN, DEV, hyper=HYPER, epochs=2, key=KEY).more(2)
    assert all(np.array_equal(p, q) for p, q in zip(*map(jax.tree.leaves, (whole.params, parts.params)), strict=True))
    whole.save(tmp_path / "model.safetensors")
    again = fo.load(tmp_path / "model.safetensors")
    assert again.model.augment == model.augment and again.hyper["zoom"] == 0.1
    assert np.array_equal(again.outputs(DEV.x), whole.outputs(DEV.x))


def test_a_crop_to_another_size_is_the_centre_crop_outside_training():
    centre = DATA._replace(x=X[:, 1:5, 1:5])
    cropped = fo.classifier(**LINEAR, standardize=False, augment=a.crop_to(4))
    one = fo.fit(cropped, DATA, hyper={**HYPER, "crop_to": 0.0}, epochs=2, key=KEY)
    other = fo.fit(fo.classifier(**LINEAR, standardize=False), centre, hyper=HYPER, epochs=2, key=KEY)
    assert one.params["output"]["weight"].shape == (16, 3)
    assert difference(one.params, other.params) < 1e-6
    np.testing.assert_allclose(one.outputs(X), other.outputs(centre.x), atol=1e-6)
    assert one.scores["train"]["loss"] == pytest.approx(other.scores["train"]["loss"], rel=1e-6)
    anywhere = fo.fit(cropped, DATA, hyper=HYPER, epochs=2, key=KEY)
    assert difference(anywhere.params, one.params) > 1e-3


def init(key, example, hyper):
    return {"w": 0.1 * jax.random.normal(key, (example.x[0].size, 3))}, ()


def predict(params, stats, x, hyper):
    return x.reshape(x.shape[0], -1) @ params["w"]


def loss(params, stats, batch, hyper, key, train):
    assert batch.x.shape[1:] == (4, 4)
    return fo.losses.softmax_cross_entropy(predict(params, stats, batch.x, hyper), batch.y), stats


def test_functions_of_ones_own_are_augmented_too(tmp_path):
    own = a.augmentation(brighter, dict(bright=0.5))
    model = fo.supervised(init, loss, predict, augment=(a.crop_to(4), own))
    space = dict(lr=fo.log_uniform(1e-2, 1e-1), bright=fo.uniform(0.0, 1.0), batch_size=10)
    sweep = fo.caviar(model, space, TRAIN, DEV, n=2, epochs=2, key=KEY, path=tmp_path / "s")
    assert sweep.replay(1).going.result.digest == sweep.kept.lanes[1, 0, 0].digest
    assert sweep.replay(1).predict(X).shape == (M,)
    assert fo.open(tmp_path / "s", model=model).table() == sweep.table()


def darker(key, x, hyper):
    return brighter(key, x, {"bright": -hyper["bright"]})


darker.__name__ = "brighter"  # a file tells functions apart by what they compute


def test_a_built_in_net_with_a_function_of_ones_own_wants_it_back(tmp_path):
    model = fo.classifier(hidden=4, augment=a.augmentation(brighter, dict(bright=0.5)))
    space = dict(lr=fo.log_uniform(1e-2, 1e-1), batch_size=10)
    rest = dict(n=2, epochs=1, key=KEY, path=tmp_path / "s")
    sweep = fo.caviar(model, space, TRAIN, DEV, **rest)
    run = sweep.replay(0)
    run.save(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"function of your own, 'brighter': fo.open\(folder, model=…\)"):
        fo.open(tmp_path / "s")
    with pytest.raises(ValueError, match=r"function of your own, 'brighter': fo.load\(path, model=…\)"):
        fo.load(tmp_path / "model.safetensors")
    assert fo.open(tmp_path / "s", model=model).table() == sweep.table()
    assert np.array_equal(fo.load(tmp_path / "model.safetensors", model=model).outputs(X), run.outputs(X))
    other = fo.classifier(hidden=4, augment=a.augmentation(darker, dict(bright=0.5)))
    with pytest.raises(ValueError, match="another sweep"):
        fo.caviar(other, space, TRAIN, DEV, **rest)


@pytest.mark.slow
def test_the_derivative_by_the_noise_is_that_of_a_difference():
    model, some = fo.classifier(**LINEAR, augment=a.noise), dict(lr=0.5, batch_size=10)
    at = [
        float(fo.hypergrad(model, TRAIN, DEV, {**some, "noise": s}, wrt="noise", steps=3, key=KEY).loss)
        for s in (0.98, 1.02)
    ]
    slope = fo.hypergrad(model, TRAIN, DEV, {**some, "noise": 1.0}, wrt="noise", steps=3, key=KEY)
    assert float(slope.derivatives["noise"]) == pytest.approx((at[1] - at[0]) / 0.04, rel=0.05)


def halved(key, x, hyper):
    return x[:, ::2]


FIT = dict(epochs=1)
WRONG = {
    "rows": (lambda: fo.fit(fo.classifier(augment=a.flip), FLAT, **FIT), r"`flip` wants pictures.*shape=\(6, 6\)"),
    "rows in a search": (
        lambda: fo.caviar(fo.classifier(augment=a.crop), dict(lr=fo.uniform(0, 1)), FLAT, n=2, epochs=1),
        "`crop` wants pictures",
    ),
    "a strength": (
        lambda: fo.fit(fo.classifier(augment=a.flip), DATA, hyper=dict(flip=1.5), **FIT),
        r"`flip` must be in \[0, 1\], got 1.5",
    ),
    "a declared strength": (lambda: fo.classifier(augment=a.zoom, zoom=1.0), r"`zoom` must be in \[0, 1\), got 1"),
    "strengths of a space": (
        lambda: fo.caviar(fo.classifier(augment=a.flip), dict(flip=fo.uniform(0, 2)), DATA, n=2, epochs=1),
        r"`flip` must be in \[0, 1\], got 2; uniform\(0.*, 2.*\) of the space goes there",
    ),
    "a crop that is larger": (
        lambda: fo.fit(fo.classifier(augment=a.crop_to(7)), DATA, **FIT),
        r"`crop_to` to \(7, 7\) is larger than the pictures, which are \(6, 6\)",
    ),
    "a strength of an augmentation that is not there": (
        lambda: fo.fit(fo.classifier(), DATA, hyper=dict(flip=0.5), **FIT),
        "unknown name 'flip': it is a strength of an augmentation, declare augment=fo.data.augment.flip",
    ),
    "such a strength declared": (lambda: fo.classifier(crop=0.5), "declare augment=fo.data.augment.crop"),
    "a function that changes the shape": (
        lambda: fo.fit(fo.classifier(augment=halved), DATA, **FIT),
        r"makes x of shape \(2, 3, 6\) from \(2, 6, 6\).*keep the shape, or say what evaluation sees",
    ),
    "a function that changes the type": (
        lambda: fo.fit(fo.classifier(augment=lambda key, x, hyper: x.astype(jnp.bfloat16)), DATA, **FIT),
        "makes bfloat16 of x, and outside training the model sees float32",
    ),
    "a function that returns no array": (
        lambda: fo.fit(fo.classifier(augment=lambda key, x, hyper: (x, key)), DATA, **FIT),
        "an augmentation must return x, changed: one array, got a tuple",
    ),
    "a function of two arguments": (
        lambda: fo.classifier(augment=lambda k, x: x),
        r"`augment` must be a function \(key, batch, hyper\) -> batch; <lambda> takes \(k, x\)",
    ),
    "one of two arguments in a chain": (
        lambda: fo.supervised(init, loss, predict, augment=(a.flip, lambda k, x: x)),
        r"`augment` must be a function \(key, batch, hyper\) -> batch",
    ),
    "an evaluation of no arguments": (
        lambda: a.augmentation(brighter, evaluation=lambda: 0),
        r"`evaluation` must be a function batch -> batch; <lambda> takes \(\)",
    ),
    "a function that returns nothing": (
        lambda: fo.fit(fo.classifier(augment=lambda key, x, hyper: None), DATA, **FIT),
        r"one array, got None; `augment` is a function \(key, batch, hyper\) -> batch",
    ),
    "a function of NumPy": (
        lambda: fo.fit(fo.classifier(augment=lambda key, x, hyper: np.flip(np.sort(x))), DATA, **FIT),
        r"`augment` <lambda> failed with TracerArrayConversionError.*\(key, batch, hyper\) -> batch, in jax.numpy",
    ),
    "a function that is wrong inside": (
        lambda: fo.fit(fo.classifier(augment=lambda key, x, hyper: x + jnp.zeros(5)), DATA, **FIT),
        r"`augment` <lambda> failed with \w+Error .*: write a function \(key, batch, hyper\) -> batch",
    ),
    "an evaluation that is wrong inside": (
        lambda: fo.fit(fo.classifier(augment=a.augmentation(halved, evaluation=lambda x: x.half())), DATA, **FIT),
        r"`evaluation` of the augmentation failed with AttributeError",
    ),
    "a number that was not declared": (
        lambda: fo.fit(fo.classifier(augment=brighter), DATA, **FIT),
        "no number 'bright' .*declare it",
    ),
    "a name of the model's own": (
        lambda: fo.supervised(init, loss, predict, numbers=dict(noise=0.1), augment=a.noise),
        "'noise' is a strength of the augmentation and another name of the model",
    ),
    "a name of an optimizer's": (
        lambda: fo.classifier(augment=a.augmentation(brighter, dict(lr=0.1))),
        "'lr' is a strength of the augmentation and another name",
    ),
    "text": (lambda: fo.classifier(augment="flip"), "an augmentation is a value of fo.data.augment"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_one_clear_error(name):
    call, message = WRONG[name]
    with pytest.raises((ValueError, TypeError, KeyError), match=message):
        call()
