"""The plateau against its definition in plain Python and against torch's; in lanes, in vmap, in sweeps."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt import schedules
from fnopt._compile import TRACES
from fnopt.numbers import resolve
from fnopt.optim import adam
from fnopt.schedules import follow, follows, plateau

NUMBERS = {"factor": 0.5, "patience": 3.0, "cooldown": 2.0, "min_delta": 0.01, "floor": 0.1}
TRIED = [
    NUMBERS,
    {**NUMBERS, "patience": 0.0, "cooldown": 0.0},
    {**NUMBERS, "patience": 1.0, "floor": 0.0},
    {**NUMBERS, "patience": 2.5, "factor": 0.9, "cooldown": 5.0},
    {**NUMBERS, "min_delta": 0.0, "factor": 1.0},
    {**NUMBERS, "min_delta": 0.3, "factor": 0.0, "floor": 0.2},
]


def by_hand(scores, factor, patience, cooldown, min_delta, floor):
    """The scale after each score, from the definition."""
    best, waited, rest, scale, out = None, 0, 0, 1.0, []
    for score in scores:
        if not math.isnan(score) and (best is None or score > best + min_delta * abs(best)):
            best, waited = score, 0
        elif rest == 0:
            waited += 1
        else:
            waited = 0
        rest = max(rest - 1, 0)
        if waited > 0 and waited >= patience:
            scale, waited, rest = max(scale * factor, floor), 0, cooldown
        out.append(scale)
    return out


def noisy(sign, length=60, seed=0):
    """Scores that rise, stall and wander."""
    rng = np.random.default_rng(seed)
    return sign * (2 - np.exp(-np.arange(length) / 8) + 0.05 * rng.normal(size=length)).astype(np.float32)


@jax.jit
def scales(rule, scores):
    """The scale after each score, in one compiled scan."""
    return jax.lax.scan(lambda rule, score: ((new := rule.look(score)), new.memory.scale), rule, scores)[1]


@pytest.mark.parametrize("numbers", TRIED)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_machine_is_its_definition(numbers, sign):
    scores = noisy(sign)
    scores[[0, 7, 8, 30]] = np.nan
    got = scales(strong(plateau(1.0, **numbers)).begin(), jnp.asarray(scores))
    np.testing.assert_allclose(got, by_hand([float(s) for s in scores], **numbers), rtol=1e-5)


def strong(rule):
    """Numbers of one type, so that all rules are one trace."""
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(float)), rule)


def test_by_hand_itself_on_a_case_worked_out_on_paper():
    # best 1, then two without improvement: cut; two that rest; then two more: cut; .25 is below the floor .3
    scores = [1.0, 1.0, 1.005, 1.0, 1.0, 0.9, math.nan, 2.0, 1.0]
    rule = {"factor": 0.5, "patience": 2, "cooldown": 2, "min_delta": 0.01, "floor": 0.3}
    assert by_hand(scores, **rule) == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3]
    got = scales(plateau(1.0, **rule).begin(), jnp.array(scores, jnp.float32))
    np.testing.assert_allclose(got, [1, 1, 0.5, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3], rtol=1e-6)


@pytest.mark.parametrize("numbers", TRIED[:4])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_torch_cuts_where_we_do(numbers, mode):
    torch = pytest.importorskip("torch")
    numbers = {**numbers, "patience": max(round(numbers["patience"]), 1)}
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode=mode,
        factor=numbers["factor"],
        patience=numbers["patience"] - 1,  # torch cuts one look later
        cooldown=int(numbers["cooldown"]),
        threshold=numbers["min_delta"],
        min_lr=0.4 * numbers["floor"],
        eps=0.0,
    )
    scores = np.abs(noisy(1 if mode == "max" else -1))
    expected = []
    for score in scores:
        peer.step(float(score))
        expected.append(optimizer.param_groups[0]["lr"])
    got = 0.4 * scales(strong(plateau(1.0, **numbers)).begin(), jnp.asarray(scores if mode == "max" else -scores))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert len(set(expected)) > 1


def test_nan_is_never_an_improvement_and_does_not_stay():
    rule = plateau(1.0, patience=1)
    for score in (math.nan, 0.5):
        rule = rule.look(score)
    assert float(rule.memory.best) == 0.5
    assert float(rule.memory.scale) == 0.5  # the NaN was a look without improvement
    assert float(rule.look(math.nan).memory.best) == 0.5
    assert float(rule.look(-math.inf).memory.best) == 0.5


def test_the_least_improvement_is_relative_whatever_the_sign():
    for best, enough, less in ((2.0, 2.3, 2.1), (-2.0, -1.7, -1.9)):
        rule = plateau(1.0, patience=1, min_delta=0.1).look(best)
        assert float(rule.look(enough).memory.best) == pytest.approx(enough)
        assert float(rule.look(less).memory.scale) == 0.5


@pytest.mark.parametrize("number", list(NUMBERS))
def test_vmap_over_each_number_is_a_loop_over_it_with_one_trace(number):
    traces = []

    def last(x, scores):
        traces.append(number)
        rule = plateau(1.0, **{**NUMBERS, number: x}).begin()
        return jax.lax.scan(lambda rule, score: (rule.look(score), None), rule, scores)[0].memory

    values = {"patience": [0.0, 2.0, 9.0], "cooldown": [0.0, 1.0, 9.0]}.get(number, [0.0, 0.4, 1.0])
    scores = jnp.asarray(noisy(1))
    many = jax.jit(jax.vmap(last, (0, None)))(jnp.array(values), scores)
    assert len(traces) == 1
    one = jax.jit(last)
    for i, x in enumerate(values):
        alone = one(jnp.float32(x), scores)
        jax.tree.map(lambda a, b, i=i: np.testing.assert_allclose(a[i], b, rtol=1e-6), many, alone)
    assert len(traces) == 2


@pytest.mark.parametrize("number", list(NUMBERS))
def test_gradients_are_finite_and_those_of_the_factor_and_floor_are_right(number, x64):
    scores = jnp.asarray(noisy(1), jnp.float64)

    def total(x):
        rule = plateau(2.0, **{**NUMBERS, number: x}).begin()

        def look(rule, score):
            new = rule.look(score)
            return new, new(0)

        return jax.lax.scan(look, rule, scores)[1].sum()

    at = NUMBERS[number]
    slope = jax.jit(jax.grad(total))(at)
    assert np.isfinite(slope)
    if number in ("factor", "floor"):
        h = 1e-6
        np.testing.assert_allclose(slope, (total(at + h) - total(at - h)) / (2 * h), rtol=1e-6)
        assert abs(slope) > 1


def test_a_traced_number_out_of_range_makes_the_value_nan():
    def value(factor):
        return plateau(1.0, factor=factor, patience=1).look(1.0).look(1.0)(0)

    assert float(jax.jit(value)(0.5)) == 0.5
    assert np.isnan(jax.jit(value)(1.5))


def test_it_is_a_multiplier_on_any_schedule_and_stands_inside_others():
    fall = schedules.exponential(0.8, 0.5)
    rule = follow(plateau(fall, patience=1).begin(), 1.0)
    lower = follow(rule, 1.0)
    np.testing.assert_allclose([rule(n) for n in range(3)], [0.8, 0.4, 0.2], rtol=1e-6)
    np.testing.assert_allclose([lower(n) for n in range(3)], [0.4, 0.2, 0.1], rtol=1e-6)
    inner = schedules.filled({"a": 0.1, "b": (plateau(0.4, patience=1).warmed(2).clipped(low=0.3), 7.0)}, 5)
    for _ in range(3):
        inner = follow(inner, 1.0)
    assert inner["a"] == 0.1
    assert float(inner["b"][0](9)) == pytest.approx(0.3)
    assert float(inner["b"][0].schedule.schedule.memory.scale) == 0.25
    twice = follow(follow(plateau(plateau(1.0, patience=1), patience=1).begin(), 1.0), 1.0)
    assert float(twice(0)) == 0.25


def test_epochs_are_filled_in_below_it_and_its_memory_with_them():
    waiting = plateau(schedules.exponential(0.8, 0.5).every())
    assert waiting.memory is None
    ready = schedules.filled({"lr": waiting}, 4)["lr"]
    assert float(ready(4)) == pytest.approx(0.4)
    assert float(ready.memory.scale) == 1
    assert schedules.filled(ready, 9) is ready


def test_only_what_looks_is_touched():
    numbers = {"lr": schedules.cosine(0.1, 10), "b1": 0.9}
    assert not follows(numbers)
    assert follows({**numbers, "l2": plateau(0.1)})
    assert jax.tree.leaves(follow(numbers, 0.5)) == jax.tree.leaves(numbers)


def test_in_a_loop_of_ones_own_it_lives_in_the_optimizers_state():
    """A run that never improves: the learning rate halves, and nothing is traced again."""
    traces = []

    @jax.jit
    def step(state, score):
        traces.append(0)
        state = adam.update(state, {"w": jnp.ones(2)})
        return state._replace(hyper=follow(state.hyper, score))

    state = adam.init({"w": jnp.zeros(2)}, lr=plateau(0.1, patience=2).begin())
    rates = []
    for score in (1.0, 1.0, 1.0, 1.0, 1.0):
        state = step(state, score)
        rates.append(float(resolve(state.hyper, state.step).lr))
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.05, 0.05, 0.025], rtol=1e-6)
    assert len(traces) == 1


# ---- in runs and sweeps ---------------------------------------------------------------------------------------------

RULE = {"factor": 0.5, "patience": 2.0, "cooldown": 1.0, "min_delta": 0.05, "floor": 0.1}


@pytest.fixture(scope="module")
def iris():
    data = fo.data.load("iris")
    return fo.data.split(data, (0.6, 0.4), key=jax.random.key(0), stratify=True)


@pytest.fixture(scope="module")
def fitted(iris):
    hyper = {"lr": plateau(schedules.cosine(0.1, 200), **RULE), "b1": plateau(0.9, patience=1, factor=0.9)}
    return fo.fit(fo.classifier(hidden=4), *iris, hyper=hyper, epochs=12, objective="dev/accuracy")


def test_fit_shows_it_the_objective_after_each_epoch(fitted):
    scores = fitted.history["dev"]["accuracy"]
    cut = [1.0, *by_hand(list(map(float, scores)), **RULE)[:-1]]  # what is seen after an epoch counts from the next
    usual = schedules.cosine(0.1, 200)(jnp.arange(1, 13) * 3 - 1)
    np.testing.assert_allclose(fitted.history["lr"], np.asarray(usual) * cut, rtol=1e-5)
    assert min(cut) < 1


def test_one_score_at_a_time():
    with pytest.raises(ValueError, match=r"`score` must be one number, got shape \(2,\)"):
        schedules.follow(schedules.plateau(0.1), np.array([0.1, 0.2]))


def test_the_history_has_every_number_that_changes(fitted, iris):
    scores = list(map(float, fitted.history["dev"]["accuracy"]))
    rule = {"patience": 1, "factor": 0.9, "cooldown": 0, "min_delta": 1e-4, "floor": 0}
    cut = [1.0, *by_hand(scores, **rule)]
    np.testing.assert_allclose(fitted.history["b1"], 0.9 * np.array(cut[:-1]), rtol=1e-5)
    hyper = {"dropout": (schedules.linear(0.4, 0.0, 2).every(),), "l2": 1e-4}
    run = fo.fit(fo.classifier(hidden=(4,)), *iris, hyper=hyper, epochs=3)
    np.testing.assert_allclose(run.history["dropout.0"], [0.4, 0.2, 0.0], atol=1e-7)
    assert set(run.history) == {"train", "dev", "cost", "lr", "updates", "dropout.0"}
    assert set(run.more(1).history["dropout.0"].tolist()) == {*run.history["dropout.0"].tolist()}


def test_going_on_gives_the_bits_of_one_longer_run(fitted, iris):
    whole = fo.fit(fo.classifier(hidden=4), *iris, hyper=fitted.hyper, epochs=15, objective="dev/accuracy")
    more = fitted.more(3)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), more.params, whole.params))
    np.testing.assert_array_equal(more.history["lr"], whole.history["lr"])
    np.testing.assert_array_equal(more.history["b1"], whole.history["b1"])


def test_a_run_without_one_keeps_its_program(iris):
    """The lane of a run that names no plateau has no leaf more, and the segment no operation."""
    from fnopt.train.segment import _follow

    run = fo.fit(fo.classifier(hidden=4), *iris, hyper={"lr": schedules.cosine(0.1, 20)}, epochs=1)
    assert _follow(run.trial, run.going.work.objective, run.going.lanes, jnp.zeros(2)) is run.going.lanes


def space_of(high):
    peak, factor, patience = fo.log_uniform(0.01, high), fo.uniform(0.1, 0.9), fo.integer(1, 4)
    lr = plateau(schedules.cosine(peak, 200), factor=factor, patience=patience)
    return {"lr": lr, "optimizer": fo.choice("adam", "momentum")}


def test_a_sweep_searches_its_numbers_and_replays_to_the_bit(iris, tmp_path):
    told = {"epochs": 6, "objective": "train/loss", "train_every": 0}
    sweep = fo.caviar(fo.classifier(hidden=4), space_of(0.2), *iris, n=5, path=tmp_path / "sweep", **told)
    row = sweep.table()[0]
    assert {"lr.value.peak", "lr.factor", "lr.patience"} <= set(row)
    assert not any("memory" in name for name in row)
    rates = [tuple(sweep.lanes(c)[0].history["lr"].tolist()) for c in range(5)]
    assert len(set(rates)) == 5
    opened = fo.open(tmp_path / "sweep")
    for config in (1, 3):  # replay raises where bits differ
        hyper = sweep.configs[config]["lr"]
        scores = -sweep.lanes(config)[0].history["train"]["loss"]
        assert np.isfinite(scores).all()  # under a train objective the part it watches is scored after each epoch
        numbers = {name: float(getattr(hyper, name)) for name in RULE}
        cut = [1.0, *by_hand(list(map(float, scores)), **numbers)[:-1]]
        usual = schedules.cosine(float(hyper.value.peak), 200)(jnp.arange(1, 7) * 3 - 1)
        np.testing.assert_allclose(rates[config], np.asarray(usual) * cut, rtol=1e-5)
        np.testing.assert_array_equal(opened.replay(config).history["lr"], rates[config])
    before = TRACES["advance"]
    fo.caviar(fo.classifier(hidden=4), space_of(0.5), *iris, n=3, **told)
    assert TRACES["advance"] == before  # other bounds compile nothing


def test_refit_takes_the_course_of_the_tuned_run(iris):
    """Where no dev part is left, the cuts come when they came, whatever the training part says."""
    rule = plateau(schedules.constant(0.1), factor=0.5, patience=1, min_delta=0.5)
    sweep = fo.caviar(fo.classifier(hidden=4), {"lr": rule, "optimizer": "momentum"}, *iris, n=1, epochs=5)
    tuned = sweep.lanes(0)[0].history["lr"]
    assert len(set(tuned.tolist())) > 2
    made, again = sweep.lanes(0)[0].history["updates"], sweep.refit(*iris)
    each = made[0]  # updates of an epoch; those of the refit lie at the same share of the way
    at = (again.history["updates"] - 1) * (made[-1] - 1) / (again.history["updates"][-1] - 1) // each
    np.testing.assert_allclose(again.history["lr"], tuned[at.astype(int)], rtol=1e-6)
    assert again.epochs < len(tuned) and again.history["lr"][-1] == tuned[-1]
    assert "plateau" not in repr(again.hyper["lr"]).lower()


def test_a_run_with_one_is_saved_and_loaded(fitted, tmp_path):
    pytest.importorskip("safetensors")
    fitted.save(tmp_path / "m.safetensors")
    loaded = fo.load(tmp_path / "m.safetensors")
    assert repr(loaded.hyper["lr"]) == repr(fitted.hyper["lr"])
    np.testing.assert_allclose(loaded.history["b1"], fitted.history["b1"])
