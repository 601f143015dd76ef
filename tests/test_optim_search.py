"""L-BFGS with its line search: every property once more with an objective, in training and in sweeps."""

import copy
import math
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import INSIDE, bits_equal, close, start

import fnopt as fo
from fnopt.model.widths import bucketed
from fnopt.optim import lbfgs, lbfgs_with
from fnopt.optim._line_search import search
from fnopt.optim.lbfgs import LbfgsHyper
from fnopt.sweep.merge import Options, program_of
from fnopt.train import start as begin
from fnopt.train.step import attempt, gradient

KEY, OTHER = jax.random.key(0), jax.random.key(1)
NUMBERS = {k: INSIDE[k][1] for k in LbfgsHyper._fields} | {"lr": 0.7}


def cost(p):
    """A curved valley in w, a bowl in b, and nothing in ``dead``."""
    w = p["w"].astype(jnp.float32 if p["w"].dtype != jnp.float64 else jnp.float64)
    b = p["b"].astype(w.dtype)
    return jnp.sum((1 - w[:, 0]) ** 2 + 10 * (w[:, 1] - w[:, 0] ** 2) ** 2) + jnp.sum((b - 1) ** 2)


def advanced(state, steps=6, optimizer=lbfgs, target=cost):
    def step(state, _):
        return optimizer.update(state, jax.grad(target)(state.params), objective=target), None

    return jax.lax.scan(step, state, None, length=steps)[0]


RUN = jax.jit(advanced, static_argnames=("steps", "optimizer", "target"))


def test_it_reaches_the_bottom_and_stays():
    state = RUN(lbfgs.init(start()), 40)
    np.testing.assert_allclose(state.params["w"], np.ones((3, 2)), atol=1e-3)
    np.testing.assert_allclose(state.params["b"], np.ones(2), atol=1e-3)
    bits_equal(state.params["dead"], jnp.ones(2))
    further = RUN(state, 40)
    assert cost(further.params) <= cost(state.params) + 1e-7


def test_every_step_descends(x64):
    state, values = lbfgs.init(start(jnp.float64)), []
    for _ in range(15):
        values.append(float(cost(state.params)))
        state = RUN(state, 1)
    assert all(b < a for a, b in pairwise(values))


def test_half_types_keep_every_carry():
    halves = {"w": jnp.bfloat16, "b": jnp.float16, "dead": jnp.bfloat16}
    state = lbfgs.init({k: p.astype(halves[k]) for k, p in start().items()})
    after = RUN(state, 5)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), after) == jax.tree.map(lambda x: (x.shape, x.dtype), state)
    assert cost(after.params) < cost(state.params) / 2


def test_vmap_over_each_number_is_a_loop(x64):
    rows = [{**NUMBERS, k: v} for k in NUMBERS for v in (0.7, *INSIDE[k]) if k != "evaluations" or v >= 1]

    def run(values):
        return advanced(lbfgs.init(start(jnp.float64), **values)).params

    lanes = jax.jit(jax.vmap(run))({k: jnp.array([row[k] for row in rows]) for k in NUMBERS})
    alone = jax.jit(run)
    for i, row in enumerate(rows):
        close(jax.tree.map(lambda x, i=i: x[i], lanes), alone(row), 1e-9)


def test_resume_at_any_step_is_the_straight_run():
    straight = RUN(lbfgs.init(start()), 6)
    for half in (1, 2, 5):
        bits_equal(RUN(jax.tree.map(np.asarray, RUN(lbfgs.init(start()), half)), 6 - half), straight)


def test_one_trace_for_all_values():
    traces = []

    @jax.jit
    def step(state):
        traces.append(state)
        return lbfgs.update(state, jax.grad(cost)(state.params), objective=cost)

    for k in NUMBERS:
        for v in INSIDE[k]:
            step(lbfgs.init(start(), **{k: v}))
    assert len(traces) == 1


@pytest.mark.parametrize("mode", [jax.jacfwd, jax.grad], ids=["forward", "reverse"])
def test_derivatives_are_those_of_the_decided_path(mode, x64):
    """Through what the objective closes over too, and with a leaf that never has a gradient."""

    def end(values):
        def target(p):
            return cost(p) + values["pull"] * jnp.sum(p["w"] ** 2)

        hyper = {k: v for k, v in values.items() if k != "pull"}
        return cost(advanced(lbfgs.init(start(jnp.float64), **hyper), 4, target=target).params)

    values, h = {**NUMBERS, "pull": 0.1}, 1e-6
    slopes, end = jax.jit(mode(end))(values), jax.jit(end)
    for k, v in values.items():
        if k in ("c1", "c2", "evaluations"):
            assert slopes[k] == 0
        else:
            quotient = (end({**values, k: v + h}) - end({**values, k: v - h})) / (2 * h)
            assert float(slopes[k]) == pytest.approx(float(quotient), rel=1e-5), k
    slopes = slopes_of(mode)
    for edge in range(3):
        assert all(np.isfinite(s) for s in slopes({k: INSIDE[k][edge] for k in NUMBERS}).values())


def slopes_of(mode):
    """One program for all values: the derivatives of what three steps come to."""

    def end(values):
        return sum(jnp.sum(p**2) for p in advanced(lbfgs.init(start(jnp.float64), **values), 3).params.values())

    return jax.jit(mode(end))


def test_what_is_not_finite():
    """A cost that is infinite beyond a wall is searched on this side of it; a gradient that is not finite shows."""

    def walled(p):
        return jnp.where(p < 1, p**2 - 3 * p, jnp.inf)

    state = lbfgs.init(jnp.zeros(()), lr=100.0)
    state = lbfgs.update(state, jnp.asarray(-3.0), objective=walled)
    assert 0 < float(state.params) < 1
    broken = lbfgs.update(state, jnp.asarray(jnp.nan), objective=walled)
    assert math.isnan(broken.params)


def test_the_search_counts_and_brackets(x64):
    """f(q) = (q − a)² along d = 1 from 0: Wolfe's conditions hold for q in [a (1 − c2), 2 a (1 − c1)]."""
    h = LbfgsHyper(jnp.asarray(1.0), jnp.asarray(0.1), jnp.asarray(0.2), jnp.asarray(20.0))

    def found(a, h=h):
        gradient = jnp.asarray(-2.0 * a)
        return float(search(lambda p: (p - a) ** 2, None, jnp.zeros(()), jnp.ones(()), gradient, h))

    for a in (0.01, 0.3, 0.6, 1.0, 5.0, 300.0):
        assert 0.8 * a <= found(a) <= 1.8 * a
    assert found(5.0) == 4.0  # 1, 2, 4
    assert found(5.0, h._replace(evaluations=jnp.asarray(2.0))) == 2.0  # descended, but not to the bottom
    assert found(0.01, h._replace(evaluations=jnp.asarray(2.0))) == 0.0  # never descended: stays


def test_known_loss_spares_an_evaluation():
    def costs(state, loss):
        """How often the cost is written into the program."""
        calls = []

        def counted(p):
            calls.append(p)
            return cost(p)

        made = jax.jit(lambda s: lbfgs.update(s, jax.grad(cost)(s.params), objective=counted, loss=loss(s.params)))
        return made(state).params, len(calls)

    state = lbfgs.init(start())
    (without, more), (known, fewer) = costs(state, lambda p: None), costs(state, cost)
    bits_equal(without, known)
    assert fewer <= more


def test_history_is_structure():
    five = lbfgs_with(history=5)
    assert five == lbfgs_with(5) == copy.deepcopy(five) != lbfgs
    assert hash(five) == hash(lbfgs_with(history=5))
    assert five.init(start()).memory.s["w"].shape == (5, 3, 2)
    assert lbfgs.init(start()).memory.y["b"].shape == (10, 2)
    with pytest.raises(ValueError, match="`history` must be a whole number ≥ 1, got 0"):
        lbfgs_with(history=0)
    one = RUN(lbfgs_with(1).init(start()), 60, lbfgs_with(1))
    assert cost(one.params) < 1e-3


# ---- in training and in sweeps --------------------------------------------------------------------------------------

TRAIN, DEV = fo.data.split(fo.data.load("iris"), (0.7, 0.3), key=KEY, stratify=True)


def test_training_gives_the_cost_that_it_descends():
    """At the step's own weights it is the step's cost, dropout and penalty included, and its gradient is the step's."""
    from fnopt.model import prepare

    model = fo.classifier(hidden=6, optimizer="lbfgs")
    ready = prepare(model, TRAIN)
    numbers = dict(dropout=0.3, l2=1e-2)
    trial, numbers = model.bind(numbers, ready.features, ready.frame.outputs, ())
    lane = begin(trial, KEY, ready.example, numbers)
    given = {k: jnp.asarray(lane.numbers[k]) for k in lane.numbers}
    batch = fo.Batch(ready.train.x[:40], ready.train.y[:40], ready.train.pull[:40])

    @jax.jit
    def both(key):
        at = gradient(trial, lane, given, batch, jnp.asarray(40), key)
        again = jax.value_and_grad(at.objective)(lane.state.params)
        return (at.cost, at.grads), again, at.objective(attempt(trial, lane, given, at).params)

    (cost, grads), again, after = both(KEY)
    close((cost, grads), again)
    assert after < cost
    assert float(cost) != pytest.approx(float(both(OTHER)[0][0]))  # the masks count


def test_fit_reaches_the_convex_anchor(x64):
    data = fo.data.load("iris")
    data = data._replace(x=fo.data.standardizer(data.x)(data.x))
    model = fo.classifier(hidden=(), standardize=False, optimizer="lbfgs", batch_size=len(data), shuffle=False)
    run = fo.fit(model, data, hyper=dict(l2=0.005), epochs=40, key=KEY)
    cost = run.scores["train"]["loss"] + 0.005 * np.sum(np.asarray(run.params["output"]["weight"]) ** 2)
    assert cost == pytest.approx(0.2436772266493824, abs=1e-12)


KINDS = ("adam", "muon", "adafactor", "schedule_free", "prodigy", "lbfgs")


@pytest.fixture(scope="module")
def sweep():
    space = dict(optimizer=fo.choice(*KINDS))
    return fo.caviar(fo.classifier(hidden=()), space, TRAIN, DEV, search="grid", n=6, epochs=2, key=KEY)


@pytest.mark.slow
@pytest.mark.parametrize("i", range(6), ids=KINDS)
def test_a_sweep_over_all_kinds_replays_to_the_bit(sweep, i):
    row, run = sweep.table()[i], sweep.replay(i)
    assert (row["optimizer"], row["status"]) == (KINDS[i], "done")
    assert run.going.result.digest == sweep.kept.lanes[i, 0, 0].digest
    moved = np.asarray(run.going.lanes.state.params["output"]["weight"][0])
    judged = np.array_equal(moved, run.params["output"]["weight"])  # the weights that move are those that are scored
    assert judged == (KINDS[i] != "schedule_free")


def test_what_shares_a_program():
    """A whole-tree optimizer among the choices does not pull the others apart, and takes a batch whole."""
    found = {}
    kinds = ("momentum", "adam", "lbfgs", "prodigy", "schedule_free", "muon")
    for name in kinds:
        for batch_size in (16, 32):
            model = fo.classifier(hidden=3, optimizer=name, batch_size=batch_size)
            trial, _ = model.bind({}, features=4, outputs=3, metrics=())
            example = fo.Batch(jnp.ones((16, 4)), jnp.zeros(16, jnp.int32), jnp.ones(16))
            options = Options(tuple(map(fo.optim.by_name, kinds)), (16, 32))
            found[name, batch_size] = program_of(trial, options, example).trial
    assert len({found[name, size] for name in ("momentum", "adam") for size in (16, 32)}) == 1
    for name in kinds[2:]:
        sizes = {found[name, 16], found[name, 32]}
        assert len(sizes) == (2 if name == "lbfgs" else 1)
        assert all(trial.optimizer == fo.optim.by_name(name) for trial in sizes)


def test_no_padding_for_whole_trees():
    for name in ("adam", "muon", "lbfgs"):
        trial, _ = fo.classifier(hidden=(20,), optimizer=name).bind({}, features=4, outputs=3, metrics=())
        assert (bucketed(trial) is None) == (name != "adam")
