"""Best values at an edge of their range: found, named, and searched beyond where the number can go there."""

import warnings

import numpy as np
import pytest

import fnopt as fo
from fnopt.space.edges import edges, widened
from fnopt.space.narrow import narrow
from fnopt.space.search_space import SearchSpace

MODEL = fo.classifier(hidden=(4,), optimizer="momentum", norm="batch")

# kind: (number, range, its ends as typed, the end of a range wider by half, where the number may go there)
KINDS = {
    "log_uniform": ("lr", fo.log_uniform(1e-5, 1e-3), (1e-6, 1e-2)),
    "uniform": ("l2", fo.uniform(1.0, 2.0), (0.5, 2.5)),
    "one_minus_log_uniform": ("beta", fo.one_minus_log_uniform(0.9, 0.999), (0.0, 0.9999)),
    "integer": ("hidden", fo.integer(40, 60), (30, 70)),
    "log_integer": ("batch_size", fo.log_integer(16, 64), (8, 128)),
    "normal": ("l2", fo.normal(3.0, 0.1), (2.6, 3.4)),
    "log_normal": ("lr", fo.log_normal(-5.0, 0.5), (np.exp(-7.0), np.exp(-3.0))),
}


def ranked_at(space, upper, count=20):
    """Configurations of one number, the better the nearer they lie to the given end."""
    u = np.linspace(0.02, 0.98, count)
    values = [space.unscaled(a + t * space.width) for t in u for a in [begin(space)]]
    values = [round(x) if space.whole else x for x in values]
    return values[::-1] if upper else values


def begin(space):
    return space.low - 2 * space.high if space.bell else space.scaled(space.low)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_edge_is_named_and_the_range_goes_beyond_it(kind, upper):
    name, leaf, ends = KINDS[kind]
    space = SearchSpace.parse({name: leaf}, MODEL)
    ranked = [{name: x} for x in ranked_at(leaf, upper)]
    (edge,) = edges(space, ranked)
    assert (edge.name, edge.upper, edge.value) == (name, upper, ranked[0][name])
    assert f"the best {name}, " in str(edge) and f"{'upper' if upper else 'lower'} edge of {leaf!r}" in str(edge)
    narrowed = narrow(space, ranked)
    wider = widened(narrowed, edge, MODEL).drawn[name,]
    assert (wider.high if upper else wider.low) == pytest.approx(
        ends[upper], rel=1e-6, abs=2e-3 if kind[0] == "o" else 0
    )
    old = narrowed.drawn[name,]  # the other end is the narrowed one
    assert (wider.low if upper else wider.high) == (old.low if upper else old.high)


@pytest.mark.parametrize(
    ("name", "leaf", "best", "end"),
    [
        ("dropout", fo.uniform(0.2, 0.8), True, 1.0),  # half of .6 would be 1.1
        ("dropout", fo.uniform(0.1, 0.9), False, 0.0),
        ("lr", fo.uniform(0.01, 1.0), False, 0.0),
        ("hidden", fo.integer(2, 40), False, 1),
        ("beta", fo.one_minus_log_uniform(0.9, 0.999999), True, 1 - 2.0**-24),
    ],
)
def test_a_range_goes_as_far_as_its_number_may(name, leaf, best, end):
    space = SearchSpace.parse({name: leaf}, MODEL)
    ranked = [{name: x} for x in ranked_at(leaf, best)]
    wider = widened(narrow(space, ranked), edges(space, ranked)[0], MODEL)
    assert (wider.drawn[name,].high if best else wider.drawn[name,].low) == pytest.approx(end, abs=2e-5)


@pytest.mark.parametrize(
    ("name", "leaf", "upper"), [("dropout", fo.uniform(0.0, 0.5), False), ("hidden", fo.integer(1, 9), False)]
)
def test_a_range_that_ends_where_its_number_does_stays(name, leaf, upper):
    space = SearchSpace.parse({name: leaf}, MODEL)
    ranked = [{name: x} for x in ranked_at(leaf, upper)]
    assert widened(narrow(space, ranked), edges(space, ranked)[0], MODEL) is None


def test_choices_are_named_and_not_widened():
    space = SearchSpace.parse(
        dict(l2=fo.choice(0.1, 0.3, 0.2), hidden=fo.choice(4, 8), optimizer=fo.choice("sgd", "adam")), MODEL
    )
    ranked = [dict(l2=x, hidden=8, optimizer="sgd") for x in (0.3, 0.3, 0.3, 0.2, 0.1, 0.1)]
    (edge,) = edges(space, ranked)  # of two options one is always the greatest
    assert str(edge) == "the best l2, 0.3, is the greatest of choice(0.1, 0.3, 0.2)"
    assert widened(space, edge, MODEL) is None
    assert not edges(space, [{**hyper, "l2": 0.2} for hyper in ranked])


def test_several_numbers_schedules_and_conditions():
    space = SearchSpace.parse(
        dict(
            lr=fo.schedules.cosine(fo.log_uniform(1e-4, 1e-2), 9),
            dropout=(fo.uniform(0.2, 0.5),),
            beta=fo.when(optimizer="momentum", beta=fo.uniform(0.2, 0.8)),
            optimizer=fo.choice("momentum", "sgd"),
            l2=fo.uniform(0.1, 0.9),
        ),
        MODEL,
    )
    part = np.linspace(0.0, 1.0, 10)
    ranked = [
        dict(
            lr=fo.schedules.cosine(1e-2 ** (1 - t) * 1e-4**t, 9), dropout=(0.2 + 0.3 * t,), beta=0.8 - 0.6 * t,
            optimizer="momentum", l2=0.5,
        )
        for t in part
    ]  # fmt: skip
    found = edges(space, ranked)
    assert {(e.name, e.upper) for e in found} == {("lr.peak", True), ("dropout.0", False), ("beta", True)}
    made = narrow(space, ranked)
    for edge in found:
        made = widened(made, edge, MODEL)
    assert made.drawn["lr", "peak"].high == pytest.approx(1e-1)
    assert made.drawn["dropout", 0].low == pytest.approx(0.05) and made.drawn["beta",].high == pytest.approx(
        1.0, abs=0.11
    )
    without = [{**{k: v for k, v in hyper.items() if k != "beta"}, "optimizer": "sgd"} for hyper in ranked]
    assert {e.name for e in edges(space, without)} == {"lr.peak", "dropout.0"}


def test_what_is_no_edge():
    space = SearchSpace.parse(dict(lr=fo.log_uniform(1e-4, 1e-2)), MODEL)
    at = lambda *us: [dict(lr=1e-4 * 100**u) for u in us]  # noqa: E731
    assert not edges(space, at(0.95, 0.9, 0.8, 0.1))  # too few
    assert not edges(space, at(0.5, 0.9, 0.1, 0.4, 0.6))
    assert not edges(space, at(0.8, 0.9, 0.7, 0.4, 0.6))  # something beyond was worse
    assert not edges(space, at(0.95, 0.1, 0.2, 0.3, 0.15))  # the other good ones lie elsewhere
    assert edges(space, at(0.85, 0.7, 0.6, 0.4, 0.6))  # nothing beyond was tried
    assert not edges(space, at(0.95, 0.9, 0.8, 0.4, 0.3), lost=at(0.99))  # what lies beyond diverged
    assert not edges(space, [])


X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
DATA = fo.data.dataset(X, (X[:, 0] > 0).astype(int))


def searched(**how):
    model = fo.classifier(hidden=(), optimizer="sgd")
    space = dict(lr=fo.log_uniform(1e-5, 1e-3))  # far too slow: the cost falls with lr
    return fo.caviar(model, space, DATA, DATA, epochs=6, objective="dev/loss", key=0, **how)


def test_coarse_to_fine_says_it_and_goes_beyond(tmp_path):
    why = r"coarse to fine: the best lr, .* the upper edge of log_uniform\(1e-05, 0.001\); the fine sweep goes beyond"
    with pytest.warns(UserWarning, match=why):
        sweep = searched(n=24, search="coarse_to_fine", path=tmp_path / "c")
    lr = sweep.space["lr"]
    assert lr.high == pytest.approx(1e-2) and lr.low > 1e-5 and sweep.best.hyper["lr"] > 1e-3
    with pytest.warns(UserWarning, match=why):  # and comes to the same space when it is called again
        assert searched(n=24, search="coarse_to_fine", path=tmp_path / "c").attached


def test_a_plain_search_prints_it():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        sweep = searched(n=12)
    line = "lies at the upper edge of log_uniform(1e-05, 0.001): a wider range may hold a better one"
    assert sum(line in some and some.startswith("the best lr, ") for some in str(sweep).splitlines()) == 1
