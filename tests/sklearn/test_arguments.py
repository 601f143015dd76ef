"""Every argument of an estimator as what fo.fit is asked; no training."""

import inspect

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

import fnopt as fo
from fnopt.sklearn import FnoptClassifier, FnoptRegressor
from fnopt.sklearn.arguments import Size, training_of

CLASSES, VALUES, LABELS = Size("classes", 100, 4), Size("values", 100, 4), Size("labels", 100, 4)


def asked(size=CLASSES, **arguments):
    kind = FnoptRegressor if size.task == "values" else FnoptClassifier
    return training_of(kind(**arguments).get_params(), size)


@pytest.mark.parametrize(("ours", "theirs"), [(FnoptClassifier, MLPClassifier), (FnoptRegressor, MLPRegressor)])
def test_every_argument_there_is_one_here(ours, theirs):
    here, there = (list(inspect.signature(kind).parameters.values()) for kind in (ours, theirs))
    assert {p.name for p in there} <= {p.name for p in here}
    assert [p.name for p in here if p.kind is p.POSITIONAL_OR_KEYWORD] == ["hidden_layer_sizes", "activation"]


@pytest.mark.parametrize("size", [CLASSES, VALUES, LABELS])
def test_who_says_nothing_asks_for_nothing(size):
    training = asked(size)
    assert training.hyper == {} and training[2:] == (None, None, None, None)
    assert training.model.task == size.task and training.model.numbers == {} and not training.model.said


BATCH = 32


@pytest.mark.parametrize(
    ("arguments", "hyper"),
    [
        (dict(hidden_layer_sizes=(8, 4)), dict(hidden=(8, 4))),
        (dict(hidden_layer_sizes=8), dict(hidden=(8,))),
        (dict(hidden_layer_sizes=np.array([8, 4])), dict(hidden=(8, 4))),
        (dict(hidden_layer_sizes=(), dropout=0.5), dict(hidden=())),
        (dict(activation="logistic"), dict(activation="sigmoid")),
        (dict(activation="tanh"), dict(activation="tanh")),
        (dict(solver="adam", beta_1=0.8, beta_2=0.9, epsilon=1e-6), dict(optimizer="adam", b1=0.8, b2=0.9, eps=1e-6)),
        (dict(solver="sgd"), dict(optimizer="nesterov", beta=0.9)),
        (dict(solver="sgd", momentum=0.0), dict(optimizer="sgd")),
        (dict(solver="sgd", nesterovs_momentum=False, momentum=0.5),
         dict(optimizer="momentum", beta=0.5, dampening=0.0, lr_inside=1.0)),
        (dict(solver="rmsprop", beta_1=0.8, momentum=0.5), dict(optimizer="rmsprop", beta=0.5)),
        (dict(solver="lbfgs", learning_rate_init=0.5), dict(optimizer="lbfgs", batch_size=100)),
        (dict(alpha=0.64), dict(l2=0.64 / (2 * BATCH))),
        (dict(alpha=0.64, batch_size=64), dict(batch_size=64, l2=0.005)),
        (dict(alpha=0.6, batch_size=300), dict(batch_size=300, l2=0.003)),
        (dict(batch_size="auto"), dict(batch_size=100)),
        (dict(learning_rate_init=0.1), dict(lr=0.1)),
        (dict(learning_rate="constant"), dict(lr=2e-3)),
        (dict(learning_rate="constant", max_iter=5), dict(lr=1e-3)),
        (dict(learning_rate="constant", solver="sgd", max_iter=5), dict(optimizer="nesterov", beta=0.9, lr=0.01)),
        (dict(shuffle=False), dict(shuffle=False)),
        (dict(norm="batch", init="glorot"), dict(norm="batch", init="glorot")),
        (dict(dropout=0.2, l1=0.1), dict(dropout=0.2, l1=0.1)),
        (dict(weight_decay=0.1), dict(weight_decay=0.1)),
        (dict(weight_decay=0.1, max_iter=5), dict(weight_decay=0.1, optimizer="adamw")),
        (dict(label_smoothing=0.1), dict(label_smoothing=0.1)),
        (dict(hyper=dict(max_norm=2.0, lr=0.3), learning_rate_init=0.1), dict(max_norm=2.0, lr=0.3)),
    ],
)  # fmt: skip
def test_an_argument_is_a_name_of_hyper(arguments, hyper):
    assert asked(**arguments).hyper == hyper


EARLY, TRAIN = fo.early_stopping(patience=11, min_delta=1e-4), "train/loss"


@pytest.mark.parametrize(
    ("arguments", "epochs", "stop", "objective", "holdout"),
    [
        (dict(max_iter=7), 7, None, None, None),
        (dict(max_iter=70, max_fun=30), 70, None, None, None),
        (dict(max_iter=70, max_fun=30, solver="lbfgs"), 30, None, None, None),
        (dict(early_stopping=False), None, None, None, 0.0),
        (dict(validation_fraction=0.3), None, None, None, 0.3),
        (dict(max_iter=7, validation_fraction=0.3), 7, None, None, None),
        (dict(early_stopping=True), None, EARLY, "dev/accuracy", 0.1),
        (dict(early_stopping=True, max_iter=7, validation_fraction=0.3, n_iter_no_change=4, tol=0.1),
         7, fo.early_stopping(patience=5, min_delta=0.1), "dev/accuracy", 0.3),
        (dict(max_iter=7, tol=1e-4), 7, EARLY, TRAIN, None),
        (dict(n_iter_no_change=10), None, EARLY, TRAIN, 0.0),
        (dict(max_iter=7, learning_rate="adaptive"), 7, None, TRAIN, None),
    ],
)  # fmt: skip
def test_an_argument_says_how_long_and_on_what(arguments, epochs, stop, objective, holdout):
    training = asked(**arguments)
    assert (training.epochs, training.objective, training.holdout) == (epochs, objective, holdout)
    wanted = None if stop is None else [float(x) for x in stop]
    assert (None if training.stop is None else [float(x) for x in training.stop]) == pytest.approx(wanted)


def test_values_stop_by_r2_and_no_change_may_be_for_ever():
    assert asked(VALUES, early_stopping=True).objective == "dev/r2"
    assert float(asked(max_iter=3, n_iter_no_change=np.inf).stop.patience) > 1e8


def test_invscaling_is_that_of_scikit_learn():
    lr = asked(learning_rate="invscaling", learning_rate_init=0.2, power_t=0.7, max_iter=4).hyper["lr"]
    theirs = SGDOptimizer([np.zeros(1)], 0.2, "invscaling", power_t=0.7)
    for epoch in range(4):
        assert float(fo.schedules.filled(lr, 4)(4 * epoch + 3)) == pytest.approx(theirs.learning_rate, rel=1e-6)
        theirs.iteration_ends(100 * (epoch + 1))


def test_adaptive_leaves_a_fifth():
    lr = asked(learning_rate="adaptive", learning_rate_init=0.2, max_iter=4, n_iter_no_change=1).hyper["lr"]
    for _ in range(3):
        lr = lr.look(-1.0)
    assert float(lr(0)) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(activation="rleu"), "unknown activation 'rleu'; did you mean 'relu'"),
        (dict(solver="adamm"), "unknown solver 'adamm'; did you mean 'adam'"),
        (dict(learning_rate="cosine"), "unknown learning_rate 'cosine'"),
        (dict(batch_size="all"), "unknown batch_size 'all'"),
        (dict(batch_size=0), "`batch_size` must be a whole number ≥ 1"),
        (dict(max_iter=0), "`max_iter` must be a whole number ≥ 1"),
        (dict(hidden_layer_sizes=(8, 0)), "`hidden_layer_sizes` must be a whole number ≥ 1"),
        (dict(alpha=-1.0), "`alpha` must be a number ≥ 0"),
        (dict(learning_rate_init=0.0), "`learning_rate_init` must be a number above 0"),
        (dict(momentum=1.0), r"`momentum` must be a number in \[0, 1\)"),
        (dict(beta_1=1.5), r"`beta_1` must be a number in \[0, 1\)"),
        (dict(validation_fraction=1.0), r"`validation_fraction` must be a number in \[0, 1\)"),
        (dict(tol="small"), "`tol` must be a number ≥ 0"),
        (dict(n_iter_no_change=0), "`n_iter_no_change` must be a whole number ≥ 1"),
        (dict(early_stopping="yes"), "`early_stopping` must be True or False"),
        (dict(hyper=[1]), "`hyper` must be a dict"),
    ],
)
def test_what_cannot_be_is_said_by_the_name_it_has_here(arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        asked(**arguments)
