"""A sweep's plan in words and figures: padding, waste, segments, time and memory, said before and measured after."""

import json
import math

import jax
import pytest
from test_engine import sweep_of

import fnopt as fo
from fnopt.sweep.drive import SEGMENT, SHORT, segment_of
from fnopt.sweep.forecast import Forecast
from fnopt.sweep.plan import Plan

SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1), hidden=fo.choice((10,), (16,), (9,)), batch_size=16)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return sweep_of(6, space=SPACE, epochs=4, path=tmp_path_factory.mktemp("plan") / "s")


def test_padding_and_waste_by_hand(sweep):
    """Widths 10, 16 and 9 share a network of 16 units; six lanes in chunks of four leave two places of eight empty."""
    widths = [config["hidden"][0] for config in sweep.configs]
    assert len({entry.program.trial for entry in sweep.entries}) == 1 and len({*widths}) > 1
    plan = sweep.plan
    assert plan.padding == pytest.approx(1 - sum(widths) / (6 * 16)) and plan.padding > 0
    assert plan.live == 24 and plan.executed == 32
    assert plan.wasted == pytest.approx(1 - 24 / 32 * (1 - plan.padding))
    assert f"{plan.wasted:.1%}: 25.0% of the places were empty or dead, {plan.padding:.1%} of the units" in str(plan)
    assert sweep_of(2, epochs=1).plan.padding == 0


def test_time_and_memory_are_said_and_measured(sweep):
    plan = sweep.plan
    assert plan.predicted is not None and 0 < plan.predicted < math.inf and plan.wall > 0
    assert f"time        {plan.wall:.1f} s, predicted {plan.predicted:.1f} s if no lane ends early" in str(plan)
    data = sum(leaf.nbytes for leaf in jax.tree.leaves(sweep.work.folds))
    assert plan.room == data + plan.threads * plan.memory and "predicted\n" in str(plan)
    assert plan.segment == SEGMENT and "segments    0.2 s aimed at" in str(plan)
    assert segment_of(sweep.work._replace(rule=fo.early_stopping(patience=1))) == SHORT


def test_a_device_is_named_once(sweep):
    plan = sweep.plan
    assert plan.device == "cpu cpu" and str(plan).startswith("device      cpu, ")
    assert str(plan._replace(device="gpu NVIDIA H200")).startswith("device      gpu NVIDIA H200, ")


def test_a_forecast_by_hand():
    """Two programs, two threads; nothing is said before both are timed, and what is said stays."""
    forecast = Forecast({"a": (12, 4), "b": (2, 1)}, at_once=2)
    forecast.took("a", 2, 1.0, [{"a": 0.5}])
    assert forecast.seconds is None
    forecast.took("b", 1, 2.0, [{"a": 0.5, "b": 0.25}, {"a": 0.4}])
    assert forecast.seconds == pytest.approx(2 + (10 * 0.4 + 1 * 0.25) / 2)
    forecast.took("a", 1, 9.0, [{"a": 5.0, "b": 5.0}])
    assert forecast.seconds == pytest.approx(4.125)
    alone = Forecast({"a": (5, 5)}, at_once=8)  # one chunk keeps one thread busy, however many there are
    alone.took("a", 1, 1.0, [{"a": 1.0}])
    assert alone.seconds == 5.0


def test_what_is_forecast_is_all_that_waits(sweep):
    """Chunks of four: one and a half a seed and fold, to the last epoch."""
    from fnopt.run.conduct import field_of

    field = field_of(sweep)
    field.start()
    (left,) = field.waiting().values()
    assert left == (2 * 4, 4)
    field = field_of(sweep_of(5, epochs=1, seeds=3))
    field.start()
    assert list(field.waiting().values()) == [(6, 1)]


def test_a_plan_comes_back_and_so_does_an_older_one(sweep):
    plan = sweep.plan
    plain = json.loads(json.dumps(plan.plain()))
    assert Plan.of(plain) == plan
    older = Plan.of({name: value for name, value in plain.items() if name not in ("padding", "segment", "predicted")})
    assert older == plan._replace(padding=0.0, segment=0.0, predicted=None)
    assert "segments" not in str(older) and " if no lane" not in str(older)
    assert "segments" in str(plan)


@pytest.mark.parametrize(
    ("hidden", "stop", "narrowest"),
    [
        (fo.choice(9, 16), None, 8),
        (fo.choice(9, 17), None, None),  # as many buckets as widths
        (fo.choice(9, 17), fo.halving(), 24),  # no wider than the widest needs
        (fo.choice((9,), (17, 100)), fo.halving(), None),
        (fo.choice((9,), (17,), (64, 64)), fo.hyperband(), 64),
        (fo.choice(32, 64, 128), fo.median(), 64),
        (fo.choice(32, 64, 128), fo.population(), None),  # where nobody stops
        (fo.integer(4, 300), None, 8),
        (fo.integer(4, 300), fo.asynchronous_halving(), 64),
        ((fo.integer(4, 9), fo.choice(5, 30)), fo.halving(), 32),
        ((20, 30), fo.halving(), None),
        (None, fo.halving(), None),
    ],
)
def test_the_narrowest_bucket_of_a_space(hidden, stop, narrowest):
    """Under a rule most lanes train few epochs, so narrow widths share the program of the next wider ones."""
    from fnopt.run.programs import options_of
    from fnopt.space.search_space import SearchSpace

    space = SearchSpace.parse({"hidden": hidden}, fo.classifier())
    assert options_of(space, stop).narrowest == narrowest


def test_wide_inputs_share_programs_under_a_rule_too():
    """Where a bucket of 64 units is too large to be padded to, the next narrower ones serve."""
    data = fo.data.dataset(jax.numpy.zeros((6, 1100)), jax.numpy.arange(6) % 2)
    few = sweep_of(24, space=dict(lr=0.1, hidden=fo.integer(8, 40)), data=(data, data), epochs=1, stop=fo.halving())
    assert len({entry.program.trial for entry in few.entries}) < len({config["hidden"] for config in few.configs}) - 4


def test_widths_share_a_program_under_a_rule(tmp_path):
    """They give what each width gives in a program of its own, to rounding, and their own replay to the bit."""
    space = SPACE | dict(hidden=fo.choice((9,), (30,), (40,)))
    rule = fo.halving(eta=2)
    halved = sweep_of(6, space=space, epochs=4, stop=rule, path=tmp_path / "s")
    full = sweep_of(6, space=space, epochs=4)
    assert halved.plan.programs <= 1 < len({entry.program.trial for entry in full.entries})
    again = fo.open(tmp_path / "s")
    assert again.options == halved.options and again.options.narrowest == 48
    for i in range(6):
        for sweep in (halved, again):
            assert sweep.replay(i).going.result.digest == halved.kept.lanes[i, 0, 0].digest
        mine, own = (s.lanes(i)[0].history["dev"]["loss"] for s in (halved, full))
        assert mine[0] == pytest.approx(own[0], rel=1e-5)


@pytest.mark.parametrize("width", [0, -3, 2.5, True])
@pytest.mark.parametrize("stop", [None, fo.halving()])
def test_a_layer_has_units_in_a_bucket_too(width, stop):
    space = SPACE | dict(hidden=fo.choice((width,), (4,), (7,)))
    with pytest.raises(ValueError, match=rf"`hidden` must be a whole number ≥ 1, got {width}"):
        sweep_of(8, space=space, epochs=1, stop=stop)
