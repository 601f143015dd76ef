"""Spaces as other tools write them, ranges at their limits, conditions: each works, or says what to write."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt.cli.spaces import parse

KEY = jax.random.key(1)
ADAM, SGD = fo.classifier(hidden=(4,)), fo.classifier(hidden=(4,), optimizer="sgd")

LIMITS = {  # what is made, and what is said of it
    "1 in float32": (lambda: fo.one_minus_log_uniform(0.9, 0.99999999), "0.99999999 is 1 in float32"),
    "0 in float32": (lambda: fo.log_uniform(1e-39, 1e-3), "1e-39 is 0 in float32"),
    "beyond float32": (lambda: fo.uniform(0, 1e39), "is infinite in float32"),
    "a bell beyond float32": (lambda: fo.normal(0, 1e39), "is infinite in float32"),
    "exp of a wide bell": (lambda: fo.log_normal(0, 60), "float32"),
    "one value in float32": (lambda: fo.uniform(1, 1 + 1e-9), "holds one value in float32, 1"),
    "whole beyond 32 bits": (lambda: fo.integer(0, 2**31), "up to 2\\*\\*31"),
    "text": (lambda: fo.uniform("1", "2"), "must be a finite number, got '1'"),
    "truth values": (lambda: fo.integer(False, True), "must be a finite number, got False"),
    "points": (lambda: fo.uniform(0, 1, points=True), "whole number ≥ 1, got True"),
    "None": (lambda: fo.normal(None, 1), "got None"),
    "a list": (lambda: fo.choice([32, 64]), r"write choice\(32, 64\)"),
    "an array": (lambda: fo.choice(np.array([0.1, 0.2])), r"write choice\(0.1, 0.2\)"),
    "a set": (lambda: fo.choice({8}), r"write choice\(8\)"),
    "a range": (lambda: fo.choice(range(8, 33, 8)), r"write choice\(\*range\(8, 33, 8\)\)"),
    "a list in a file": (lambda: parse({"hidden": {"choice": [[8, 16]]}}), r"write \{choice = \[8, 16\]\} for several"),
    "a dict": (lambda: fo.choice(dict(lr=1), dict(lr=2)), "b1=when"),
    "a condition": (lambda: fo.choice(1, fo.when(a=1, b=2)), "`when` is the value of a name"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_no_range_or_choice_says_what_to_write(name):
    make, says = LIMITS[name]
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def exponential(rate):
    return fo.schedules.exponential(fo.log_uniform(1e-3, 1e-1), rate)


SPACES = {
    "uniform beyond": (ADAM, dict(dropout=fo.uniform(0, 1.03)), r"`dropout` .* got 1.03; uniform\(0, 1.03\)"),
    "uniform below": (ADAM, dict(lr=fo.uniform(-1, 1)), r"`lr` must be in \[0, inf\), got -1"),
    "an open end": (ADAM, dict(b1=fo.uniform(0.5, 1.0)), r"`b1` must be in \[0, 1\), got 1"),
    "an end that float32 takes for 1": (ADAM, dict(b1=fo.uniform(0.5, 0.99999999)), r"`b1` must be in \[0, 1\)"),
    "log_uniform": (ADAM, dict(b2=fo.log_uniform(0.1, 2)), r"`b2` must be in \[0, 1\), got 2"),
    "one_minus_log_uniform": (ADAM, dict(b2=fo.one_minus_log_uniform(-1, 0.9)), "`b2` must be .* got -1"),
    "integer": (ADAM, dict(dropout=fo.integer(0, 2)), "`dropout` must be .* got 2"),
    "normal": (ADAM, dict(lr=fo.normal(0.1, 0.05)), "`lr` must be .* got -0.16"),
    "log_normal": (ADAM, dict(dropout=fo.log_normal(0, 1)), "`dropout` must be"),
    "an option": (ADAM, dict(dropout=fo.choice(0.1, 1.2)), "`dropout` must be .* got 1.2"),
    "in a condition": (
        ADAM, dict(optimizer=fo.choice("adam", "sgd"), b1=fo.when(optimizer="adam", b1=fo.uniform(0.5, 1.1))), "`b1`"
    ),
    "in a tuple": (ADAM, dict(dropout=(fo.uniform(0, 1.5),)), "`dropout` must be"),
    "in a schedule": (ADAM, dict(lr=exponential(fo.uniform(0.5, 1.5))), "`rate` must be .* got 1.5"),
    "where a schedule goes": (ADAM, dict(dropout=fo.schedules.linear(0.0, fo.uniform(0.5, 1.5), 10)), "`dropout` must"),
    "in an option": (ADAM, dict(dropout=fo.choice(0.1, fo.uniform(0.5, 1.5))), "`dropout` must be .* got 1.5"),
    "a width": (ADAM, dict(hidden=(fo.integer(0, 4), 8)), "`hidden` must be a whole number"),
    "fractions of structure": (ADAM, dict(batch_size=fo.uniform(8, 64)), r"write fo.integer\(8, 64\)"),
    "a number nobody has": (SGD, dict(weight_decay=fo.uniform(0, 1)), "decay_by_path"),
    "a number of another optimizer": (SGD, dict(b1=fo.uniform(0.1, 0.9)), "no structure .* has the number 'b1'"),
    "a number under the wrong condition": (
        ADAM,
        dict(optimizer=fo.choice("adam", "sgd"), b1=fo.when(optimizer="sgd", b1=fo.uniform(0.1, 0.9))),
        "'b1' is searched where",
    ),
    "None": (ADAM, dict(lr=None), "`lr` must be a number, got None"),
    "None among options": (ADAM, dict(lr=fo.choice(None, 0.1)), "`lr` must be a number"),
    "a cycle of two": (
        ADAM,
        dict(lr=fo.when(b1=0.9, lr=fo.choice(0.1, 0.2)), b1=fo.when(lr=0.1, b1=fo.choice(0.9, 0.8))),
        "hang on each other .*lr needs b1 needs lr",
    ),
    "a cycle of three": (
        ADAM,
        dict(lr=fo.when(b1=0.9, lr=0.1), b1=fo.when(b2=0.9, b1=0.9), b2=fo.when(lr=0.1, b2=0.9)),
        "hang on each other",
    ),
    "itself": (ADAM, dict(lr=fo.when(lr=0.1)), "names no condition"),
    "a condition on nothing": (ADAM, dict(lr=fo.when(foo=1, lr=0.1)), "foo"),
    "a condition outside a range": (ADAM, dict(b1=fo.uniform(0.1, 0.2), lr=fo.when(b1=0.5, lr=0.1)), "can never hold"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPACES)
def test_a_space_that_cannot_be_is_refused_before_anything_is_drawn(name):
    model, space, says = SPACES[name]
    with pytest.raises((ValueError, TypeError), match=says):
        fo.caviar(model, space, fo.data.iris(), n=2, epochs=1)


def test_what_sobol_cannot_take_is_said_in_our_words(monkeypatch):
    monkeypatch.setattr("scipy.stats.qmc.Sobol.MAXDIM", 3)
    space = {f"a{k}": fo.uniform(0, 1) for k in range(4)}
    with pytest.raises(ValueError, match=r"takes 3 ranges and choices at most, and this space has 4: .*random"):
        fo.sweep.propose(space, 2, KEY, "sobol")


COMMON = {  # how Optuna, Ray, Hyperopt, Keras Tuner and W&B ask for it, as fnopt has it
    "widths by layer": (dict(hidden=(fo.integer(4, 8), fo.integer(4, 8))), {("hidden", 0), ("hidden", 1)}),
    "a nested range": (dict(lr=fo.choice(0.01, fo.log_uniform(1e-3, 1e-1))), {("lr",), ("lr", 1)}),
    "constant or cosine": (
        dict(lr=fo.choice(1e-2, fo.schedules.cosine(peak=fo.log_uniform(1e-3, 1e-1), steps=20))),
        {("lr",), ("lr", 1, "peak")},
    ),
    "two levels": (
        dict(lr=fo.choice(fo.choice(0.1, 0.2), fo.schedules.cosine(fo.choice(0.1, fo.uniform(0.2, 0.3)), 9))),
        {("lr",), ("lr", 0), ("lr", 1, "peak"), ("lr", 1, "peak", 1)},
    ),
    "depth": (dict(hidden=fo.choice((8,), (8, fo.log_integer(4, 64)))), {("hidden",), ("hidden", 1, 1)}),
    "extremes": (dict(dropout=fo.uniform(-0.0, 1.0), lr=fo.uniform(0, 3e38)), {("dropout",), ("lr",)}),
}


@pytest.mark.parametrize("name", COMMON)
@pytest.mark.parametrize("search", ["random", "sobol", "grid"])
def test_spaces_as_others_write_them_are_drawn(name, search):
    from fnopt.space import SearchSpace

    space, paths = COMMON[name]
    parsed = SearchSpace.parse(space, ADAM)
    assert {*parsed.drawn} == paths and parsed.places[max(paths, key=len)][0] in space
    some = fo.sweep.propose(parsed, 8 if search != "grid" else None, KEY, search)
    shown = [jax.tree.leaves(hyper) for hyper in some]
    assert len({str(leaves) for leaves in shown}) > 1
    for hyper in some:  # what was drawn is found again, and put back
        again = parsed.changed(hyper, parsed.values_of(hyper))
        assert [float(x) for x in jax.tree.leaves(again)] == [float(x) for x in jax.tree.leaves(hyper)]
    assert SearchSpace.from_json(parsed.to_json(fo.run.codec.encode), fo.run.codec.decode) == parsed


RANGES = [
    *(fo.uniform(0.1, 0.7), fo.log_uniform(1e-3, 0.3), fo.one_minus_log_uniform(0.1, 0.9), fo.integer(-3, 11)),
    *(fo.log_integer(1, 300), fo.normal(1, 2), fo.log_normal(0, 1)),
]


@pytest.mark.parametrize("space", RANGES, ids=str)
def test_draws_are_between_the_bounds_and_the_unit_goes_there_and_back(space):
    drawn = [hyper["a"] for hyper in fo.sweep.propose({"a": space}, 500, KEY, "random")]
    low, high = space.bounds
    assert all(low <= x <= high and type(x) is (int if space.whole else float) for x in drawn)
    assert space.from_unit(0.0) == pytest.approx(low, rel=1e-6) and space.from_unit(1.0) == pytest.approx(
        high, rel=1e-6
    )
    for x in drawn[:20]:
        assert space.from_unit(space.to_unit(x)) == pytest.approx(x, rel=1e-6)
    if not space.whole:
        below = np.mean([x <= space.from_unit(0.3) for x in drawn])
        assert below == pytest.approx(0.3, abs=0.07)


def test_a_bound_that_is_drawn_is_the_bound_itself():
    """0.1 is 0.1, though float32 has 0.10000000149."""
    for space in (fo.uniform(0.1, 0.3), fo.log_uniform(0.1, 0.3)):
        assert [space.exact(np.float32(x)) for x in (0.1, 0.3, 0.2)] == [0.1, 0.3, float(np.float32(0.2))]


def test_whole_numbers_are_exact_products_of_words():
    words = np.random.default_rng(0).integers(0, 2**32, 1000, np.uint32)
    words[:2] = 0, 2**32 - 1
    for low, high in ((-7, 9), (0, 2**31 - 1), (-(2**31) + 1, 2**31 - 1), (5, 6)):
        by_hand = [low + (int(w) * (high - low + 1) >> 32) for w in words]
        space = fo.integer(low, high)
        for function in (space.from_words, jax.jit(space.from_words)):
            assert np.asarray(function(jnp.asarray(words))).tolist() == by_hand


def test_a_space_that_holds_less_than_is_asked_for_says_so():
    data = fo.data.iris()
    with pytest.raises(ValueError, match=r"nothing is searched: .* 1 configuration, and n=2"):
        fo.caviar(ADAM, dict(lr=0.1), data, n=2, epochs=1)
    with pytest.warns(UserWarning, match="holds 2 different configurations, so n=3"):
        fo.caviar(ADAM, dict(lr=fo.choice(0.1, 0.2)), data, n=3, epochs=1, objective="train/loss")


def test_early_stopping_is_searched_and_a_pruner_is_not():
    rule = fo.early_stopping(patience=fo.integer(1, 2))
    sweep = fo.caviar(ADAM, dict(lr=fo.choice(0.0, 1e-9)), fo.data.iris(), n=2, epochs=6, key=KEY, stop=rule,
                      objective="train/accuracy")  # fmt: skip
    for row in sweep.table():
        assert row["epochs"] == 1 + row["stop.patience"], "nothing is learnt, so patience is all that there is"
    run = fo.fit(ADAM, fo.data.iris(), hyper=sweep.best.hyper, epochs=9, objective="train/accuracy")
    assert run.status == "stopped" and len(run.history["lr"]) == 1 + sweep.best.hyper["stop"]["patience"]
    with pytest.raises(ValueError, match=r"`patience` .* got -1; stop=early_stopping\(patience=integer\(-1, 2\)"):
        fo.caviar(ADAM, dict(lr=0.1), fo.data.iris(), n=1, stop=fo.early_stopping(patience=fo.integer(-1, 2)))
    for rule, name, range_ in (
        (fo.halving, "eta", fo.uniform(2, 3)), (fo.population, "every", fo.choice(1, 2)),
        (fo.median, "warmup", fo.integer(1, 2)), (fo.hyperband, "min_epochs", fo.integer(1, 2)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="takes one value and cannot be searched"):
            rule(**{name: range_})


def test_a_bell_that_leaves_its_number_says_what_to_take():
    data = fo.data.iris()
    with pytest.raises(ValueError, match=r"got -0\.16.*normal\(0\.1, 0\.05\).*smaller std.*fo\.log_normal"):
        fo.caviar(ADAM, dict(lr=fo.normal(0.1, 0.05)), data, n=2, epochs=1)
    for cure in (fo.normal(0.1, 0.01), fo.log_normal(-2.3, 0.5)):
        assert fo.caviar(ADAM, dict(lr=cure), data, n=2, epochs=1, objective="train/loss").best.hyper["lr"] > 0
