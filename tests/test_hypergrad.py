"""Hypergradients equal differences in float64, both ways; polishing never makes a configuration worse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt._compile import TRACES
from fnopt.check.hypergradient import differences
from fnopt.run.hypergrad import _slope, _static, loss_at, problem_of
from fnopt.run.polish import _problems
from fnopt.space import Distribution, SearchSpace

KEY = jax.random.key(5)
TRAIN, DEV, TEST = fo.data.split(fo.data.iris(), (0.5, 0.3, 0.2), key=KEY, stratify=True)
SMOOTH = fo.classifier(hidden=(6,), activation="tanh", batch_size=16)
HYPER = dict(lr=0.02, l2=1e-3)
SCHEDULED = dict(lr=fo.schedules.cosine(peak=0.05, steps=40, warmup=4.5), l1=1e-3, norm_decay=0.8)


def test_fifty_steps_equal_differences_both_ways():
    report = fo.check.hypergradient(SMOOTH, TRAIN, DEV, HYPER, wrt=("lr", "b1", "b2", "l2", "eps"), steps=50, key=KEY)
    assert report.passed, report
    assert report.steps == 50 and "hypergradients agree after 50 steps" in str(report)
    for row in report.table:
        assert row["verdict"] == "agree"
        assert row["error"] < 1e-5
        assert abs(row["reverse"]) > 1e-3, "nothing to compare"
        assert row["forward"] == pytest.approx(row["reverse"], rel=1e-9)


@pytest.mark.slow
def test_schedules_batch_norm_penalty_and_momentum():
    model = fo.classifier(hidden=(5,), activation="tanh", norm="batch", optimizer="momentum", batch_size=32)
    wrt = ("lr", "beta", "l1", "norm_decay")
    report = fo.check.hypergradient(model, TRAIN, DEV, SCHEDULED, wrt=wrt, steps=8, key=KEY)
    assert report.passed, report
    assert [row["number"] for row in report.table] == ["lr.peak", "lr.steps", "lr.warmup", "lr.floor", *wrt[1:]]
    # the dampening follows beta, so that beta's derivative is that of both
    assert report.table[4]["verdict"] == "agree" and abs(report.table[4]["reverse"]) > 1e-3


def functions():
    return fo.supervised(
        init=lambda key, example, hyper: ({"w": jnp.zeros(example.x.shape[1], example.x.dtype)}, ()),
        loss=lambda p, stats, batch, hyper, key, train: (jnp.square(batch.x @ p["w"] - batch.y), stats),
        predict=lambda p, stats, x, hyper: x @ p["w"],
        penalty=lambda p, hyper: hyper["pull"] * jnp.sum(jnp.square(p["w"])),
        task="values", numbers={"pull": 0.1}, optimizer="sgd", batch_size=64, standardize=True,
    )  # fmt: skip


def line():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 3))
    return fo.data.split(fo.data.dataset(x, x @ np.array([1.0, -1.0, 2.0])), (0.5, 0.5), key=KEY)


def test_supervised_against_the_gradient_by_hand():
    """Full-batch descent on a quadratic: w' = w − lr (H w − c), so dw'/dlr = (I − lr H) dw/dlr − (H w − c)."""
    train, dev = line()
    model, lr, pull, steps = functions(), 0.05, 0.1, 7
    loss, slopes = fo.hypergrad(model, train, dev, dict(lr=lr, pull=pull), steps=steps, key=KEY)
    scale = fo.data.standardizer(train.x)
    x, y, x2, y2 = (np.asarray(a, np.float64) for a in (scale(train.x), train.y, scale(dev.x), dev.y))
    h, c = 2 * x.T @ x / len(x) + 2 * pull * np.eye(3), 2 * x.T @ y / len(x)
    w, by_lr, by_pull = np.zeros(3), np.zeros(3), np.zeros(3)
    for _ in range(steps):
        by_lr = by_lr - lr * h @ by_lr - (h @ w - c)
        by_pull = by_pull - lr * h @ by_pull - lr * 2 * w
        w = w - lr * (h @ w - c)
    gradient = 2 * x2.T @ (x2 @ w - y2) / len(x2)
    assert float(loss) == pytest.approx(np.mean((x2 @ w - y2) ** 2), rel=1e-5)
    assert set(slopes) == {"lr", "pull"}
    assert float(slopes["lr"]) == pytest.approx(gradient @ by_lr, rel=1e-4)
    assert float(slopes["pull"]) == pytest.approx(gradient @ by_pull, rel=1e-4)


@pytest.mark.slow
def test_regressor_and_a_trial():
    train, dev = line()
    model = fo.regressor(hidden=(3,), activation="tanh", optimizer="sgd")
    report = fo.check.hypergradient(model, train, dev, dict(lr=0.1), steps=3)
    assert report.passed and report.worst["error"] < 1e-5
    trial, numbers = functions().bind({"lr": 0.05}, 3, 1, ())
    loss, slopes = fo.hypergrad(trial, train, dev, numbers, steps=2)
    assert np.isfinite(float(loss)) and set(slopes) == {"pull", "lr"}


def test_the_loss_is_that_of_fit_and_one_program_serves_all_numbers():
    key = jax.random.key(9)
    before = TRACES["hypergrad"]
    for lr in (0.02, 0.05):
        run = fo.fit(SMOOTH, TRAIN, DEV, hyper=dict(lr=lr, l2=1e-3), epochs=2, key=key)
        loss, slopes = fo.hypergrad(SMOOTH, TRAIN, DEV, dict(lr=lr, l2=1e-3), epochs=2, wrt="lr", key=key)
        assert float(loss) == pytest.approx(run.scores["dev"]["loss"], rel=1e-5)
        assert loss.dtype == slopes["lr"].dtype == jnp.float32
    assert TRACES["hypergrad"] == before + 1


def test_a_large_batch_has_the_masks_that_training_draws():
    """Batches of 150 go in blocks, each with its draws, and the last one is short: 160 = 150 + 10."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(160, 3)).astype(np.float32)
    data, model = fo.data.dataset(x, x[:, 0] - x[:, 1]), fo.regressor(hidden=(5,), batch_size=150)
    hyper = dict(lr=0.02, dropout=0.5)
    run = fo.fit(model, data, data, hyper=hyper, epochs=2, key=KEY)
    loss, slopes = fo.hypergrad(model, data, data, hyper, epochs=2, wrt="lr", key=KEY)
    assert float(loss) == pytest.approx(run.history["dev"]["loss"][-1], rel=1e-5)
    assert np.isfinite(slopes["lr"])


@pytest.mark.slow
def test_memory_grows_with_the_root():
    def temporary(steps):
        p = problem_of(functions(), *line(), None, steps=steps)
        static = dict(**_static(p), places=(1,), mode="reverse")
        return _slope.lower(p.numbers, p.data, p.keys, **static).compile().memory_analysis().temp_size_in_bytes

    def growing(steps):  # beside the order of each epoch, here one step of 20 rows, 4 bytes a row
        return temporary(steps) - 4 * 20 * steps

    assert growing(4096) < 16 * growing(64)  # √64 = 8; with every step kept it would be 64


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_run_that_diverges_has_no_derivative(mode):
    loss, slopes = fo.hypergrad(functions(), *line(), dict(lr=1e6), steps=20, wrt="lr", mode=mode)
    assert not np.isfinite(float(loss)) and not np.isfinite(float(slopes["lr"]))


def test_a_kink_is_told():
    exact = fo.schedules.cosine(peak=0.05, steps=40, warmup=2.0)  # a step stands exactly where the warmup ends
    report = fo.check.hypergradient(functions(), *line(), dict(lr=exact), wrt="lr.warmup", steps=5)
    assert report.worst["verdict"] == "kink" and report.passed


def test_a_wrong_derivative_is_found():
    @jax.custom_jvp
    def off(x):
        return x

    off.defjvp(lambda primals, tangents: (primals[0], 1.001 * tangents[0]))
    wrong = fo.supervised(
        init=lambda key, example, hyper: ({"w": jnp.zeros(3, example.x.dtype)}, ()),
        loss=lambda p, stats, batch, hyper, key, train: (jnp.square(batch.x @ p["w"] - batch.y), stats),
        predict=lambda p, stats, x, hyper: x @ p["w"],
        penalty=lambda p, hyper: off(hyper["pull"]) * jnp.sum(jnp.square(p["w"])),
        task="values", numbers={"pull": 0.1}, optimizer="sgd", batch_size=64,
    )  # fmt: skip
    report = fo.check.hypergradient(wrong, *line(), dict(lr=0.05), wrt="pull", steps=3)
    assert not report.passed and report.worst["verdict"] == "DIFFER"
    assert "HYPERGRADIENTS DIFFER, worst `pull`" in str(report)


def test_differences_at_the_edge_of_a_range():
    cut = lambda x: np.nan if x < 0 else np.exp(x)  # noqa: E731
    assert differences(cut, 0.0).value == pytest.approx(1, abs=1e-8)
    assert differences(lambda x: cut(-x), 0.0).value == pytest.approx(-1, abs=1e-8)


def test_refusals():
    cases = {
        "`batch_size` is structure, not a number.*fo.caviar.*lr": dict(wrt="batch_size"),
        "`hidden` is structure": dict(wrt=("lr", "hidden")),
        "this run has no 'beta1'; did you mean 'b1'": dict(wrt="beta1"),
        "the model's number `l1` is not given: give it a value in `hyper`; this run has b1": dict(wrt="l1"),
        "give `epochs` or `steps`, not both": dict(epochs=1, steps=1),
        "unknown mode 'backward'": dict(mode="backward"),
        "`wrt` names no number": dict(wrt=()),
        "`steps` must be a whole number ≥ 1, got 0": dict(steps=0),
    }
    for words, options in cases.items():
        with pytest.raises(ValueError, match=words):
            fo.hypergrad(SMOOTH, TRAIN, DEV, HYPER, **options)
    with pytest.raises(ValueError, match="`dampening` follows another number"):
        fo.hypergrad(SMOOTH, TRAIN, DEV, {**HYPER, "optimizer": "momentum"}, wrt="dampening")
    with pytest.raises(ValueError, match="give one"):
        fo.hypergrad(SMOOTH, TRAIN, None, HYPER)
    with pytest.raises(TypeError, match=r"must come from fo\.classifier and its like, or be a Trial, got int"):
        fo.hypergrad(3, TRAIN, DEV, HYPER)


# ---- polishing ------------------------------------------------------------------------------------------------------

SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1), b1=fo.one_minus_log_uniform(0.5, 0.99), l2=fo.log_uniform(1e-6, 1e-2))


@pytest.fixture(scope="module")
def swept():
    return fo.caviar(SMOOTH, SPACE, TRAIN, DEV, n=6, epochs=3, seeds=2, key=KEY, objective="dev/loss")


def test_polish_never_makes_worse_and_mostly_better(swept):
    polished = swept.polish(k=3, steps=2)
    assert [row.config for row in polished.rows] == [s.config for s in swept.ranking()[:3]]
    assert polished.improved >= 2
    for row in polished.rows:
        assert row.after <= row.before
        assert row.before == pytest.approx(swept.table()[row.config]["dev/loss"], rel=1e-5)
        assert set(row.old) == set(SPACE)
        for name, space in SPACE.items():
            assert space.low <= row.new[name] <= space.high and row.hyper[name] == row.new[name]
    best = polished.best
    seeds = [jax.random.fold_in(swept.work.key, seed) for seed in range(2)]
    again = [fo.fit(SMOOTH, TRAIN, DEV, hyper=best.hyper, epochs=3, key=k).scores["dev"]["loss"] for k in seeds]
    assert np.mean(again) == pytest.approx(best.after, rel=1e-5)
    cost = polished.cost
    assert cost["gradients"] == sum(r.gradients for r in polished.rows) >= 2 * 3 and cost["trainings"] > 0
    assert f"{polished.improved} of 3 configurations improved" in str(polished)
    assert len(polished.table()) == 3 and "lr after" in polished.table()[0]


def test_polish_takes_a_step_back_that_was_too_long(swept):
    polished = swept.polish(k=2, steps=4, first=1.0)
    for row in polished.rows:
        assert row.after <= row.before
        assert (row.after == row.before) == (row.new == row.old)
    # one training a seed for each step taken, one derivative for each step begun: more trainings are steps taken back
    assert polished.cost["trainings"] > polished.cost["gradients"], "over the whole range, some step should be too long"


def test_polish_moves_what_is_asked_and_refuses_the_rest(swept):
    row = swept.polish(k=1, steps=1, numbers=["lr"]).rows[0]
    assert swept.polish(k=1, steps=1, numbers="lr").rows[0].new == row.new
    assert set(row.new) == {"lr"} and row.hyper["l2"] == swept.configs[row.config]["l2"]
    with pytest.raises(ValueError, match="'lrr' is no range of this sweep; did you mean 'lr'"):
        swept.polish(numbers=["lrr"])
    with pytest.raises(ValueError, match="`first` must be a number in"):
        swept.polish(first=0.0)
    blind = fo.caviar(SMOOTH, SPACE, TRAIN, n=2, epochs=1)
    with pytest.raises(ValueError, match="this sweep has none: sweep with `dev`"):
        blind.polish()


@pytest.mark.parametrize("kind", ["uniform", "log_uniform", "one_minus_log_uniform", "normal", "log_normal"])
def test_coordinates_follow_the_quantiles(kind):
    low, high = {"uniform": (0.1, 0.9), "one_minus_log_uniform": (0.5, 0.999)}.get(kind, (0.2, 1.5))
    space = Distribution(kind, low, high)
    for u in (0.1, 0.5, 0.8):
        x = float(space.quantile(jnp.asarray(u)))
        assert space.from_unit(space.to_unit(x)) == pytest.approx(x, rel=1e-6)
        assert space.to_unit(x) == pytest.approx(u, abs=1e-5)
        h, there = 1e-6, space.to_unit(x)
        slope = (space.from_unit(there + h) - space.from_unit(there - h)) / (2 * h)
        assert space.slope(x) == pytest.approx(slope, rel=1e-5)


def test_ranges_of_schedules_and_conditions_are_found_by_path():
    space = {
        "lr": fo.schedules.cosine(peak=fo.log_uniform(1e-4, 1e-1), steps=100),
        "b1": fo.when(optimizer="adam", b1=fo.one_minus_log_uniform(0.5, 0.999)),
        "l2": fo.log_uniform(1e-6, 1e-1, points=7),
        "hidden": fo.choice((8,), (16,)),
        "batch_size": fo.integer(8, 64),
    }
    found = SearchSpace(space)
    assert {path for path, x in found.drawn.items() if isinstance(x, Distribution)} == {
        ("lr", "peak"), ("b1",), ("l2",), ("batch_size",)
    }  # fmt: skip
    assert found.labels["lr", "peak"] == "lr.peak" and found.drawn["lr", "peak"] == fo.log_uniform(1e-4, 1e-1)


# ---- lanes ----------------------------------------------------------------------------------------------------------


def test_lane_identity(swept):
    report = fo.check.lane_identity(swept)
    assert report.passed, report
    assert len(report.table) == 12 and "12 of 12 equal to the bit" in str(report)
    at = next(iter(swept.kept.lanes))
    sound = swept.kept.lanes[at]
    try:
        params = jax.tree.map(np.array, sound.params)
        params["hidden_0"]["weight"][0, 0] = np.nextafter(params["hidden_0"]["weight"][0, 0], np.float32(9))
        swept.kept.lanes[at] = sound._replace(params=params)
        report = fo.check.lane_identity(swept)
        (wrong,) = [row for row in report.table if not row["same"]]
        assert (wrong["config"], wrong["seed"], wrong["fold"]) == at
        assert wrong["differs"].startswith("hidden_0.weight: by up to")
        curve = {**sound.history, "cost": sound.history["cost"] + np.float32([0, 1, 0])}
        swept.kept.lanes[at] = sound._replace(history=curve)
        assert "cost from epoch 2" in str(fo.check.lane_identity(swept))
    finally:
        swept.kept.lanes[at] = sound
    with pytest.raises(TypeError, match="give a model with `space` and `train`, or a sweep"):
        fo.check.lane_identity(SMOOTH)


def test_polish_begins_at_the_loss_that_the_sweep_found():
    """Batches taken in parts drop the units that they dropped in the sweep, where each part has draws of its own."""
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), dropout=fo.uniform(0.3, 0.6), batch_size=fo.choice(10, 16, 32))
    sweep = fo.caviar(SMOOTH, space, TRAIN, DEV, n=6, epochs=2, key=KEY, objective="dev/loss")
    each = {sweep.entries[i].program.batch_size: i for i in range(6)}
    assert each.keys() == {10, 16, 32}
    for config in (each[10], each[32]):
        (problem,) = _problems(sweep, config)
        assert float(loss_at(problem)) == pytest.approx(sweep.table()[config]["dev/loss"], rel=1e-5)
