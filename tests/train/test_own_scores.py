"""Scores that a call asks for: names of the task's, scores that a user wrote, and the updates until a level."""

import math
import pickle
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt.run.setup import least_loss
from fnopt.train import SCORES, objective_of

IRIS = fo.data.iris()
TRAIN, DEV = fo.data.split(IRIS, (0.7, 0.3), key=jax.random.key(0), stratify=True)
VALUES = fo.data.dataset(np.asarray(IRIS.x)[:, :3], 1e4 + np.asarray(IRIS.x)[:, 3])
SPACE = dict(lr=fo.log_uniform(1e-4, 1e-1))
NET = fo.classifier(hidden=(4,))


def margin(y, outputs, weight):
    """How far the right class leads, on average."""
    own = jnp.take_along_axis(outputs, y[:, None], axis=1)[:, 0]
    return jnp.sum(weight * (own - outputs.mean(axis=1))) / jnp.sum(weight)


def rows(y, outputs, weight):
    """How many examples count."""
    return jnp.sum(weight)


def mean_of_truth(y, outputs, weight):
    """In the target's own unit."""
    return jnp.sum(weight * y) / jnp.sum(weight)


MARGIN = fo.metric(margin, higher=True)


def sweep_of(model=NET, **more):
    call = dict(n=5, epochs=3, key=jax.random.key(1), follow=("f1_macro", "brier", MARGIN))
    return fo.caviar(model, SPACE, TRAIN, DEV, **{**call, **more})


@pytest.fixture(scope="module")
def sweep():
    return sweep_of(objective="dev/margin")


def test_what_is_followed_is_reported_after_each_epoch(sweep):
    best = sweep.best
    run = fo.fit(NET, TRAIN, DEV, hyper=best.hyper, epochs=3, follow=["f1_macro", "brier", MARGIN])
    for history, scores in ((run.history, run.scores), (sweep.lanes(0)[0].history, sweep.table()[0])):
        assert {"f1_macro", "brier", "margin", "accuracy", "loss"} <= set(history["dev"])
        assert len(history["dev"]["margin"]) == 3
        assert scores
    chances, truth = run.predict_proba(DEV.x), np.asarray(DEV.y)
    assert run.scores["dev"]["brier"] == pytest.approx(float(fo.metrics.brier(truth, chances)), rel=1e-5)
    called = np.asarray(run.outputs(DEV.x)).argmax(axis=1)
    expected = fo.metrics.f1(truth, called, average="macro", classes=3)
    assert run.scores["dev"]["f1_macro"] == pytest.approx(float(expected), rel=1e-5)
    outputs = np.asarray(run.outputs(DEV.x), np.float64)
    lead = (outputs[np.arange(len(truth)), truth] - outputs.mean(axis=1)).mean()
    assert run.scores["dev"]["margin"] == pytest.approx(lead, rel=1e-5)
    assert run.evaluate(DEV)["margin"] == pytest.approx(lead, rel=1e-5)


def test_a_score_of_ones_own_ranks_in_its_direction(sweep):
    scores = [row["dev/margin"] for row in sweep.table()]
    assert sweep.best.config == int(np.argmax(scores))
    least = sweep_of(objective="dev/least", follow=fo.metric(margin, higher=False, name="least"))
    assert least.best.config == int(np.argmin(scores))
    assert [row["score"] for row in least.table()] == scores


@pytest.mark.parametrize(
    ("name", "task"),
    [("f1_macro", "classes"), ("average_precision", "classes"), ("expected_calibration_error", "classes")],
)
def test_scores_of_the_task_rank_in_their_direction(name, task):
    found = sweep_of(objective=f"dev/{name}", follow=None)
    scores = [row["score"] for row in found.table()]
    assert found.best.score == (max if SCORES[task][name].higher else min)(scores)
    assert found.best.score == found.table()[found.best.config][f"dev/{name}"]


def test_padding_never_counts():
    score = fo.metric(rows, higher=True)
    weighted = TRAIN._replace(weight=np.r_[np.zeros(5), np.full(len(TRAIN) - 5, 2.0)])
    run = fo.fit(NET, weighted, DEV, epochs=1, hyper=dict(lr=0.1), follow=score)
    assert run.scores["dev"]["rows"] == len(DEV)
    assert run.scores["train"]["rows"] == 2 * (len(TRAIN) - 5)


@pytest.mark.parametrize("standardize_target", [True, False])
def test_a_score_of_values_sees_the_targets_own_unit(standardize_target):
    model = fo.regressor(hidden=(), standardize_target=standardize_target)
    run = fo.fit(model, VALUES, epochs=1, hyper=dict(lr=0.01), follow=fo.metric(mean_of_truth, higher=True))
    truth = float(np.asarray(VALUES.y, np.float64).mean())
    assert run.scores["train"]["mean_of_truth"] == pytest.approx(truth, rel=1e-6)
    assert run.evaluate(VALUES)["mean_of_truth"] == pytest.approx(truth, rel=1e-6)
    sweep = fo.caviar(
        model, dict(lr=fo.log_uniform(1e-3, 1e-1)), VALUES, folds=2, n=2, epochs=1, follow=fo.metric(rows, higher=True)
    )
    assert {row["dev/rows"] for row in sweep.table()} == {75.0}


@pytest.mark.filterwarnings("ignore:coarse to fine")
def test_the_coarse_stage_of_a_search_sees_the_same_unit():
    truth = float(np.asarray(VALUES.y, np.float64).mean())
    call = dict(n=7, epochs=3, search="coarse_to_fine", follow=fo.metric(mean_of_truth, higher=True), key=0)
    sweep = fo.caviar(fo.regressor(hidden=()), dict(lr=fo.log_uniform(1e-3, 1e-1)), VALUES, VALUES, **call)
    for stage in (sweep, sweep.coarse):
        assert [row["dev/mean_of_truth"] for row in stage.table()] == pytest.approx([truth] * stage.n, rel=1e-6)


def test_a_score_changes_no_bit_of_training():
    plain = fo.fit(NET, TRAIN, DEV, epochs=3, hyper=dict(lr=0.1))
    followed = fo.fit(NET, TRAIN, DEV, epochs=3, hyper=dict(lr=0.1), follow=(MARGIN, "brier"))
    jax.tree.map(np.testing.assert_array_equal, plain.params, followed.params)
    np.testing.assert_array_equal(plain.history["dev"]["loss"], followed.history["dev"]["loss"])


def test_a_folder_opens_without_the_function_and_is_resumed_by_the_same_call(tmp_path, sweep):
    path = tmp_path / "sweep"
    first = sweep_of(objective="dev/margin", path=path)
    assert first.table() == sweep.table()
    opened = fo.open(path)
    assert opened.table() == first.table()
    assert opened.best.score == first.best.score
    with pytest.raises(ValueError, match=r"the score 'margin' was written by a user.*fo\.metric"):
        opened.replay(0)
    more = sweep_of(objective="dev/margin", path=path, n=6)
    assert more.table()[:5] == [{**row, "rank": more.table()[k]["rank"]} for k, row in enumerate(first.table())]
    other = fo.metric(lambda y, z, w: -margin(y, z, w), higher=True, name="margin")
    with pytest.raises(ValueError, match="holds another sweep: follow"):
        sweep_of(objective="dev/margin", follow=("f1_macro", "brier", other), path=path)


def test_runs_with_such_scores_are_saved_and_pickled(tmp_path):
    run = fo.fit(NET, TRAIN, DEV, epochs=1, hyper=dict(lr=0.1), follow=MARGIN)
    run.save(tmp_path / "m.safetensors")
    loaded, copied = fo.load(tmp_path / "m.safetensors"), pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(loaded.predict(DEV.x), run.predict(DEV.x))
    assert loaded.history["dev"]["margin"] == pytest.approx(run.history["dev"]["margin"])
    assert copied.evaluate(DEV)["margin"] == run.evaluate(DEV)["margin"]


REFUSED = {
    "no scalar": (lambda: fo.fit(NET, TRAIN, epochs=1, follow=fo.metric(lambda y, z, w: w, higher=True, name="w"))),
    "a lambda": lambda: fo.metric(lambda y, z, w: 0.0, higher=True),
    "no direction": lambda: fo.metric(margin, higher=1),
    "no function": lambda: fo.metric("margin", higher=True),
    "a name of ours": lambda: sweep_of(follow=fo.metric(margin, higher=True, name="accuracy")),
    "the loss": lambda: sweep_of(follow=fo.metric(margin, higher=True, name="loss")),
    "two of one name": lambda: sweep_of(follow=(MARGIN, fo.metric(rows, higher=True, name="margin"))),
    "an unknown name": lambda: sweep_of(follow="f1_makro"),
    "a score of another task": lambda: sweep_of(follow="r2"),
    "a number": lambda: sweep_of(follow=3),
    "no number to reach": lambda: fo.reach("dev/loss", math.nan),
    "an unknown score to reach": lambda: sweep_of(objective=fo.reach("dev/r2", 0.1)),
    "text to reach": lambda: fo.reach("dev/loss", "0.5"),
    "several to reach": lambda: fo.reach("dev/loss", jnp.array([0.5])),
    "a share above 1": lambda: sweep_of(objective=fo.reach("dev/accuracy", 2)),
    "a share in percent": lambda: sweep_of(objective=fo.reach("dev/f1_macro", 95)),
    "a loss below 0": lambda: sweep_of(objective=fo.reach("dev/loss", -1)),
    "a square below 0": lambda: squares(-0.5),
}


def squares(level):
    reached = fo.reach("train/mean_squared_error", level)
    return fo.caviar(fo.regressor(hidden=()), SPACE, VALUES, n=2, epochs=1, objective=reached)


WORDS = {
    "no scalar": r"'w' must return one number",
    "a lambda": "needs a name",
    "no direction": "True or False",
    "no function": "must be a function",
    "a name of ours": "a score of fnopt's own",
    "the loss": "a score of fnopt's own",
    "two of one name": "two scores called 'margin'",
    "an unknown name": "did you mean 'f1_macro'",
    "a score of another task": "it is a score of values",
    "a number": "names of scores",
    "no number to reach": "finite number",
    "an unknown score to reach": "no score 'r2'",
    "text to reach": "`level` must be a finite number, got '0.5'",
    "several to reach": "`level` must be a finite number",
    "a share above 1": r"level. of fo.reach\('dev/accuracy', 2\) can never be reached: .* at most 1; take 1 or less",
    "a share in percent": "f1_macro is at most 1; take 1 or less: 95 % is 0.95",
    "a loss below 0": "can never be reached: loss is at least 0; take 0 or more",
    "a square below 0": "mean_squared_error is at least 0",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_score_is_refused(case):
    with pytest.raises((ValueError, TypeError), match=WORDS[case]):
        REFUSED[case]()


def short(y, outputs):
    return jnp.mean(outputs)


BROKEN = {  # what a score does, and what is said of it
    "text": (lambda y, z, w: "a", "must return one number, .* got str: write f.y, outputs, weight. -> scalar"),
    "nothing": (lambda y, z, w: None, "must return one number, .* got None: write f.y, outputs, weight. -> scalar"),
    "a complex number": (lambda y, z, w: jax.lax.complex(z.mean(), z.max()), "a real one, got dtype complex64"),
    "NumPy": (lambda y, z, w: np.log(z).mean(), r"TracerArrayConversionError.*jax\.numpy; its values are traced"),
    "a branch": (lambda y, z, w: 1.0 if z.mean() > 0 else 0.0, "TracerBoolConversionError.*jnp.where for if"),
    "a float": (lambda y, z, w: float(z.mean()), r"ConcretizationTypeError.*no float\(\)"),
    "shapes": (lambda y, z, w: z + jnp.zeros(7), r"failed with \w+ .*: write f.y, outputs, weight. -> scalar, in jax"),
    "a name": (lambda y, z, w: undefined, "failed with NameError .*undefined"),  # noqa: F821
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_score_is_one_error_before_training(case, monkeypatch):
    function, words = BROKEN[case]
    score = fo.metric(function, higher=True, name="mine")
    monkeypatch.setattr(sys.modules["fnopt.run.fit"], "begin_lanes", None)  # nothing is drawn, compiled or trained
    with pytest.raises((ValueError, TypeError), match=f"the score 'mine' .*{words}") as raised:
        fo.fit(NET, TRAIN, DEV, epochs=1, follow=score)
    if "failed with" in str(raised.value):
        assert type(raised.value.__cause__).__name__ in str(raised.value)
    monkeypatch.setattr(sys.modules["fnopt.run.caviar"], "assemble", None)
    with pytest.raises((ValueError, TypeError), match=f"the score 'mine' .*{words}"):
        sweep_of(follow=score)


def test_a_score_of_other_arguments_is_refused_at_once():
    with pytest.raises(TypeError, match=r"'short' takes \(y, outputs\): write f\(y, outputs, weight\) -> scalar"):
        fo.metric(short, higher=True)
    assert fo.metric(lambda y, outputs, weight=None, *more: 0.0, higher=True, name="loose").name == "loose"
    assert fo.metric(jax.jit(margin), higher=True).name == "margin"


def test_numbers_of_all_kinds_are_scores_and_levels():
    kinds = (lambda y, z, w: 1, lambda y, z, w: 0.5, lambda y, z, w: np.float32(2), lambda y, z, w: z.mean() > 0)
    some = [fo.metric(f, higher=True, name=f"kind_{k}") for k, f in enumerate(kinds)]
    run = fo.fit(NET, TRAIN, epochs=1, follow=some)
    assert [run.scores["train"][f"kind_{k}"] for k in range(3)] == [1.0, 0.5, 2.0]
    for level in (jnp.float32(0.5), jnp.asarray(0.5, jnp.bfloat16), np.float64(0.5), np.array(0.5), 0.5):
        assert fo.reach("dev/loss", level) == ("dev/loss", 0.5)
    assert fo.reach("dev/loss", jnp.int32(1)).level == 1.0


def test_levels_that_have_no_known_bound_may_be_any():
    """A loss of one's own, e^z − y z, and a score of one's own; the bounds themselves may be reached."""
    own = fo.metric(margin, higher=True)
    assert objective_of("classes", fo.reach("dev/margin", 40), True, (own,)).level == 40
    assert objective_of("values", fo.reach("dev/loss", -40), True).level == -40
    assert least_loss(fo.regressor(loss="poisson")) == -math.inf and least_loss(fo.regressor(loss="huber")) == 0
    for name, level in (("accuracy", 1), ("brier", 0), ("loss", 0)):
        assert objective_of("classes", fo.reach(f"dev/{name}", level), True, least=0.0).level == level


def test_the_fewest_updates_to_a_level_rank(tmp_path):
    path = tmp_path / "sweep"
    call = dict(n=8, epochs=6, follow=None, path=path)
    found = sweep_of(objective=fo.reach("dev/loss", 0.9), **call)
    assert found.objective == "updates to dev/loss ≤ 0.9"
    expected = []
    for k in range(8):
        history = found.lanes(k)[0].history
        there = np.flatnonzero(history["dev"]["loss"] <= 0.9)
        expected.append(float(history["updates"][there[0]]) if len(there) else math.inf)
    rows = found.table()
    assert [row["score"] for row in rows] == expected
    assert math.inf in expected and min(expected) < math.inf
    order = sorted(range(8), key=lambda k: (expected[k], rows[k]["dev/loss"]))
    assert [standing.config for standing in found.ranking()] == order
    assert fo.open(path).table() == rows
    plain = sweep_of(objective="dev/loss", follow=None, n=8, epochs=6)
    assert [row["dev/loss"] for row in plain.table()] == [row["dev/loss"] for row in rows]
    with pytest.raises(ValueError, match="holds another sweep: level"):
        sweep_of(objective=fo.reach("dev/loss", 0.8), **call)


def test_where_none_comes_to_the_level_the_loss_ranks():
    found = sweep_of(objective=fo.reach("dev/matthews_corrcoef", 1.0), follow=None)
    rows = found.table()
    assert found.objective == "updates to dev/matthews_corrcoef ≥ 1"
    assert {row["score"] for row in rows} == {math.inf}
    assert found.best.config == int(np.argmin([row["dev/loss"] for row in rows]))
    assert "updates to dev/matthews_corrcoef" in str(found)


def test_rungs_go_by_the_updates_to_a_level():
    found = sweep_of(objective=fo.reach("dev/loss", 0.9), follow=None, n=9, epochs=9, stop=fo.halving())
    whole = sweep_of(objective=fo.reach("dev/loss", 0.9), follow=None, n=9, epochs=9)
    first = [len(found.lanes(k)[0].history["dev"]["loss"]) for k in range(9)]
    age = min(first)
    shown = []
    for k in range(9):
        curve = whole.lanes(k)[0].history["dev"]["loss"][:age]
        there = np.flatnonzero(curve <= 0.9)
        shown.append((there[0] if len(there) else math.inf, curve[-1]))
    kept = [k for k in range(9) if first[k] > age]
    assert set(kept) == set(sorted(range(9), key=lambda k: shown[k])[: len(kept)])
