"""A name, number or option that changes nothing is refused where it stands: at the declaration, in fit, in caviar."""

import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt.run.setup import as_key

IRIS = fo.data.iris()


def linear(**numbers):
    return fo.supervised(
        init=lambda k, e, h: (jnp.zeros((4, 3)), ()),
        loss=lambda w, s, b, h, k, t: (((b.x @ w) ** 2).sum(1), s),
        predict=lambda w, s, x, h: x @ w,
        numbers=numbers,
        optimizer="sgd",
    )


LACKING = {  # optimizer, a number that it lacks, and what is said
    "torch's weight decay": ("sgd", "weight_decay", "decay_by_path"),
    "torch's momentum": ("sgd", "momentum", "'momentum'"),
    "decay of Adam": ("adam", "weight_decay", "fo.optim.adamw or fo.optim.decay_by_path"),
    **{f"adam lacks {n}": ("adam", n, repr(n)) for n in ("beta", "momentum_decay", "ema_decay")},
    "slope of relu": ("adam", "slope", "a number of activation='leaky_relu' or 'elu', and here activation is 'relu'"),
    "batch norm's": ("adam", "norm_decay", "a number of norm='batch'"),
    "huber's": ("adam", "delta", "a number of loss='huber'"),
}


@pytest.mark.parametrize("name", LACKING)
def test_a_number_that_the_structure_lacks_is_refused(name):
    optimizer, number, says = LACKING[name]
    plain = fo.classifier(hidden=(4,), optimizer=optimizer)
    for call in (
        lambda: fo.fit(plain, IRIS, hyper={"lr": 0.01, number: 0.5}, epochs=1),
        lambda: fo.classifier(hidden=(4,), optimizer=optimizer, **{number: 0.5}),
        lambda: fo.multilabel(hidden=(4,), optimizer=optimizer, **{number: 0.5}),
        lambda: fo.regressor(hidden=(4,), optimizer=optimizer, **{number: 0.5}),
    ):
        with pytest.raises(ValueError, match=says):
            call()


def test_what_a_sweep_found_passes_into_fit():
    space = dict(lr=0.01, optimizer=fo.choice("adam", "momentum"), b1=fo.uniform(0.5, 0.9, points=1))
    model = fo.classifier(hidden=(4,), optimizer="adam", eps=1e-6)
    sweep = fo.caviar(model, space, IRIS, search="grid", epochs=1, objective="train/loss")
    for config in sweep.configs:
        run = fo.fit(model, IRIS, hyper=config, epochs=1)
        assert ("b1" in run.hyper) == (config["optimizer"] == "adam") == ("eps" in run.hyper)


NAMES = {
    "loss of a classifier": (
        lambda: fo.classifier(loss="hinge"),
        TypeError,
        "its loss is cross_entropy",
    ),
    "loss of a multilabel": (lambda: fo.multilabel(loss="cross_entropy"), TypeError, "no argument 'loss'"),
    "class_weight of a regressor": (lambda: fo.regressor(class_weight="balanced"), TypeError, "class_weight"),
    "target of a classifier": (lambda: fo.classifier(standardize_target=True), TypeError, "standardize_target"),
    "activation": (lambda: fo.classifier(activation="Relu"), ValueError, "did you mean 'relu'"),
    "optimizer": (lambda: fo.classifier(optimizer="adamv"), ValueError, "did you mean 'adam"),
    "optimizer of supervised": (
        lambda: fo.supervised(len, len, len, optimizer="adamv"),
        ValueError,
        "did you mean 'adam",
    ),
    "init": (lambda: fo.regressor(init="hee"), ValueError, "did you mean 'he'"),
    "norm": (lambda: fo.multilabel(norm="batchnorm"), ValueError, "norm"),
    "loss": (lambda: fo.regressor(loss="hubr"), ValueError, "did you mean 'huber'"),
    "hidden": (lambda: fo.classifier(hidden=0), ValueError, "`hidden` must be a whole number"),
    "batch_size": (lambda: fo.classifier(batch_size=2.5), ValueError, "`batch_size`"),
    "shuffle": (lambda: fo.classifier(shuffle="yes"), ValueError, "`shuffle`"),
    "a number out of range": (lambda: fo.classifier(dropout=1.5), ValueError, "`dropout` must be in"),
    "a range at the declaration": (lambda: fo.classifier(lr=fo.uniform(0, 1)), ValueError, "the space to fo.caviar"),
    "None at the declaration": (lambda: fo.classifier(lr=None), ValueError, "`lr` must be a number, got None"),
    "None in fit": (lambda: fo.fit(fo.classifier(), IRIS, hyper=dict(l2=None), epochs=1), ValueError, "got None"),
    "None of one's own": (lambda: fo.fit(linear(a=1.0), IRIS, hyper=dict(a=None), epochs=1), ValueError, "got None"),
    "structure as a number": (lambda: linear(batch_size=3), ValueError, "structure of every model"),
    "unknown of supervised": (
        lambda: fo.fit(linear(a=1.0), IRIS, hyper=dict(foo=1), epochs=1),
        ValueError,
        "structure of a supervised model: optimizer, batch_size, .*its numbers: a; its optimizer's: lr$",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_declaration_does_not_take_is_said_there(name):
    make, kind, says = NAMES[name]
    with pytest.raises(kind, match=says):
        make()


# ---- one check for whole numbers, one for real ones

MODEL, FIXED = fo.classifier(), dict(lr=0.1)
WHOLE = {
    "n": lambda x: fo.caviar(MODEL, FIXED, IRIS, n=x),
    "seeds": lambda x: fo.caviar(MODEL, FIXED, IRIS, n=1, seeds=x),
    "min_epochs": lambda x: fo.halving(min_epochs=x),
    "every": lambda x: fo.population(every=x),
    "warmup": lambda x: fo.median(warmup=x),
}
OPTIONAL = {  # None leaves them to the package
    "epochs": lambda x: fo.fit(MODEL, IRIS, epochs=x),
    "threads": lambda x: fo.caviar(MODEL, FIXED, IRIS, n=1, epochs=1, threads=x),
    "points": lambda x: fo.uniform(0, 1, points=x),
    "minutes": lambda x: fo.caviar(MODEL, FIXED, IRIS, n=1, minutes=x),
}
REAL = {
    "low": lambda x: fo.uniform(x, 1e9),
    "std": lambda x: fo.normal(0, x),
    "eta": lambda x: fo.halving(eta=x),
    "factor": lambda x: fo.population(factor=x),
    "patience": lambda x: fo.early_stopping(patience=x),
    "min_delta": lambda x: fo.early_stopping(min_delta=x),
}
WRONG = (True, np.True_, "3", None, np.nan, np.inf, 1 + 2j, [3], 10**400, -(10**5000))
KINDS = (int, np.int8, np.int64, np.uint16, jnp.int32, float, np.float16, np.float64, jnp.float32)


@pytest.mark.filterwarnings("ignore:no dev part")
@pytest.mark.parametrize("name", [*WHOLE, *REAL, *OPTIONAL])
def test_what_is_no_number_is_refused_everywhere(name):
    call = {**WHOLE, **REAL, **OPTIONAL}[name]
    for x in WRONG:
        if x is not None or name not in OPTIONAL:
            with pytest.raises((ValueError, TypeError), match=r"must be|no end|one number"):
                call(x)


HUGE = {
    "a number": lambda x: fo.fit(MODEL, IRIS, hyper={"lr": x}, epochs=1),
    "a choice": lambda x: fo.caviar(MODEL, {"lr": fo.choice(0.1, x)}, IRIS, IRIS, n=2, epochs=1),
    "a width": lambda x: fo.fit(MODEL, IRIS, hyper={"hidden": (4, x)}, epochs=1),
    "a model's width": lambda x: fo.classifier(hidden=x),
    "a batch": lambda x: fo.fit(MODEL, IRIS, hyper={"batch_size": x}, epochs=1),
    "a share": lambda x: fo.data.split(IRIS, (x, 1), key=1),
    "a seed": lambda x: fo.data.split(IRIS, (0.5, 0.5), key=x),
    "a seed of a sweep": lambda x: fo.caviar(MODEL, FIXED, IRIS, n=1, epochs=1, key=x),
}


@pytest.mark.parametrize("what", HUGE)
def test_whole_numbers_beyond_every_float_are_refused_in_words(what):
    for x in (10**400, 10**5000):  # Python writes out none of more than 4,300 digits
        with pytest.raises((ValueError, TypeError), match=r"must be|must hold") as caught:
            HUGE[what](x)
        assert str(caught.value).count("\n") == 0


def test_a_rate_that_float32_takes_for_1_is_named():
    with pytest.raises(ValueError, match=r"`dropout` is 1 in float32, got 0.99999999; write 1, or 0.9999999 at most"):
        fo.fit(fo.classifier(hidden=4), fo.data.iris(), epochs=1, hyper=dict(dropout=0.99999999))


def test_a_seed_is_not_taken_modulo_two_to_32():
    with pytest.raises(ValueError, match=r"must be below 2\*\*32, got 4294967296"):
        fo.data.split(IRIS, (0.5, 0.5), key=2**32)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_every_library_are_numbers(kind):
    assert fo.halving(eta=kind(3)).eta == 3.0 and fo.uniform(kind(1), kind(3)) == fo.uniform(1, 3)
    assert fo.population(factor=kind(2)).factor == 2.0 and float(fo.early_stopping(patience=kind(3)).patience) == 3.0
    assert fo.choice(kind(2), kind(3)).options == (2, 3)
    if "int" in np.dtype(kind).name:
        assert fo.uniform(0, 1, points=kind(3)).points == 3 and fo.median(warmup=kind(3)).warmup == 3
        assert as_key(kind(3)) == as_key(3)
