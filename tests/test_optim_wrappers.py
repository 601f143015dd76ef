"""Every wrapper × optimizer × property: a new wrapper is one more row in OWN."""

import copy
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import Ramp, advance, bits_equal, close, slope, stacked, start
from wrapper_cases import ABOVE, BOUNDED_BY_INF, MAKE, NUMBERS, OWN, middle

from fnopt._types import Optimizer, State
from fnopt.optim import NAMES, TABLE, WRAPPERS, by_name
from fnopt.optim.wrappers import PLAIN
from fnopt.run.codec import decode, encode

FEW = ("adam", "schedule_free")
ALL = {"lr": 0.07}  # of the optimizer inside, what has no default
PAIRS = list(itertools.product(OWN, FEW))
EVERY = list(itertools.product(OWN, NAMES))


def update_of(optimizer):
    return jax.jit(optimizer.update)


# ---- values ---------------------------------------------------------------------------------------------------------


def test_every_wrapper_is_in_the_table():
    assert set(OWN) == set(MAKE) == set(WRAPPERS) == {*PLAIN, "decay_by_path", "rate_by_path"}


@pytest.mark.parametrize(("wrapper", "name"), EVERY)
def test_a_wrapped_optimizer_is_a_frozen_value(wrapper, name):
    inner = by_name(name)
    one, two = MAKE[wrapper](inner), MAKE[wrapper](copy.deepcopy(inner))
    assert one == two and hash(one) == hash(two)
    assert isinstance(one, Optimizer) and one.name == f"{wrapper}({name})"
    assert one != inner and all(MAKE[other](inner) != one for other in MAKE if other != wrapper)
    assert one.numbers._fields == (*inner.numbers._fields, *OWN[wrapper])
    assert one.hyper(**ALL, **middle(wrapper))._asdict().items() >= middle(wrapper).items()
    assert one.wants_objective == inner.wants_objective and one.lr == inner.lr
    assert decode(encode({"optimizer": one})) == {"optimizer": one}
    assert MAKE[wrapper](MAKE["ema" if wrapper != "ema" else "lookahead"](inner)) != one


@pytest.mark.parametrize(("wrapper", "name"), PAIRS)
def test_equal_wrapped_optimizers_cost_one_trace(wrapper, name):
    traces = []

    def step(optimizer, state):
        traces.append(optimizer)
        return optimizer.update(state, slope(state.params))

    static = jax.jit(step, static_argnums=0)
    for inner in (by_name(name), copy.deepcopy(by_name(name))):
        optimizer = MAKE[wrapper](inner)
        state = static(optimizer, optimizer.init(start(), **ALL))
        for number, values in OWN[wrapper].items():
            for value in values:
                state = static(optimizer, state._replace(hyper=state.hyper._replace(**{number: value})))
    assert len(traces) == 1


@pytest.mark.parametrize("wrapper", OWN)
def test_the_docstring_is_the_modules_and_names_every_number(wrapper):
    module = __import__(f"fnopt.optim.wrappers.{wrapper}", fromlist=["__doc__"])
    assert getattr(module, wrapper) is WRAPPERS[wrapper]
    for number in OWN[wrapper]:
        assert (number if wrapper in PLAIN or number == "decay_coupling" else "_NAME") in module.__doc__
    assert WRAPPERS[wrapper].__doc__ == module.__doc__ or "see the module" in WRAPPERS[wrapper].__doc__


# ---- types ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wrapper", "name"), EVERY)
def test_half_types_keep_every_carry(wrapper, name):
    optimizer = MAKE[wrapper](by_name(name))
    halves = {"w": jnp.bfloat16, "b": jnp.float16, "dead": jnp.bfloat16}
    params = {k: p.astype(halves[k]) for k, p in start().items()}

    def run(values):
        state = optimizer.init(params, **ALL, **values)
        return state, optimizer.update(state, slope(state.params), loss=jnp.ones(())), optimizer.readout(state)

    values = {k: jnp.asarray(v) for k, v in middle(wrapper).items()}
    state, after, weights = jax.eval_shape(run, values)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), after) == jax.tree.map(lambda x: (x.shape, x.dtype), state)
    assert {k: p.dtype for k, p in weights.items()} == {k: p.dtype for k, p in params.items()}
    halves = {x.dtype for x in jax.tree.leaves(state.memory)} & {jnp.bfloat16.dtype, jnp.float16.dtype}
    assert halves == ({jnp.bfloat16.dtype} if wrapper == "compact" and TABLE[name].moments else set())


@pytest.mark.parametrize("wrapper", OWN)
def test_each_leaf_works_in_its_own_type(wrapper, x64):
    if wrapper.endswith("_by_path"):
        optimizer = WRAPPERS[wrapper](by_name("adam"), {"*": 0.5})
    else:
        optimizer = MAKE[wrapper](by_name("adam"))
    params = {"a": jnp.ones(2, jnp.float64), "b": jnp.ones(3, jnp.bfloat16), "c": jnp.ones((), jnp.float32), "d": 1.0}
    state = optimizer.init(params, lr=0.1)
    after = jax.jit(optimizer.update)(state, state.params)
    for now in (state.params, after.params, optimizer.readout(after)):
        assert [p.dtype for p in jax.tree.leaves(now)] == [jnp.float64, jnp.bfloat16, jnp.float32, jnp.float64]


@pytest.mark.parametrize("wrapper", PLAIN)
def test_any_tree_will_do(wrapper):
    optimizer = MAKE[wrapper](by_name("sgd"))
    for params in ((), [jnp.ones(()), None, (jnp.ones((0, 3)),)]):
        state = optimizer.init(params, lr=0.1)
        after = jax.jit(optimizer.update)(state, params, loss=jnp.ones(()))
        assert jax.tree.structure(after) == jax.tree.structure(state) and isinstance(after, State)
        assert jax.tree.structure(optimizer.readout(after)) == jax.tree.structure(params)


def test_no_leaf_is_carried_twice():
    """So that a state may be donated."""
    for wrapper in ("ema", "lookahead"):
        state = MAKE[wrapper](by_name("sgd")).init(start(), lr=0.1)
        places = [x.unsafe_buffer_pointer() for x in jax.tree.leaves((state.params, state.memory))]
        assert len(set(places)) == len(places)


# ---- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapper", OWN)
def test_vmap_over_each_number_is_a_loop(wrapper):
    optimizer = MAKE[wrapper](by_name("adam"))
    rows = [middle(wrapper) | {k: v} for k, values in OWN[wrapper].items() for v in values]

    def run(values):
        state = advance(optimizer, optimizer.init(start(), lr=0.07, **values))
        return state.params, optimizer.readout(state)

    lanes, alone = jax.jit(jax.vmap(run))(stacked(rows)), jax.jit(run)
    for i, row in enumerate(rows):
        close(jax.tree.map(lambda x, i=i: x[i], lanes), alone(row))


@pytest.mark.parametrize(("wrapper", "name"), PAIRS)
def test_any_number_may_be_a_schedule(wrapper, name):
    """Each on a way of its own, and the same as setting it by hand before every call, by the updates made so far."""
    optimizer = MAKE[wrapper](by_name(name))
    update = update_of(optimizer)
    own = {k: Ramp(v[1], v[1] / 2) for k, v in OWN[wrapper].items()}
    ramps = {"lr": Ramp(0.07, 0.2), **own}
    scheduled, plain = optimizer.init(start(), **ramps), optimizer.init(start(), lr=0.07, **middle(wrapper))
    for _ in range(6):
        made = int(optimizer.clock(plain))
        by_hand = {k: float(ramp(made)) for k, ramp in ramps.items()}
        plain = plain._replace(hyper=plain.hyper._replace(**by_hand))
        scheduled, plain = update(scheduled, slope(scheduled.params)), update(plain, slope(plain.params))
        close((scheduled.params, optimizer.readout(scheduled)), (plain.params, optimizer.readout(plain)))
    assert int(scheduled.step) == 6


@pytest.mark.slow  # the difference quotient is quick
@pytest.mark.parametrize("wrapper", OWN)
def test_gradient_by_every_number_is_finite_forward_and_reverse(wrapper):
    """At edges too, where a leaf never had a gradient, and where no gradient is left at all."""
    optimizer = MAKE[wrapper](by_name("sgd"))

    def end(values, size):
        def step(state, _):
            return optimizer.update(state, jax.tree.map(lambda g: size * g, slope(state.params))), None

        state = jax.lax.scan(step, optimizer.init(start(), lr=0.07, **values), None, length=3)[0]
        return sum(jnp.sum(p**2) for p in jax.tree.leaves((state.params, optimizer.readout(state))))

    rows = [({k: v[edge] for k, v in OWN[wrapper].items()}, size) for edge in range(3) for size in (1.0, 0.0)]
    values, sizes = stacked([row for row, _ in rows]), jnp.array([size for _, size in rows])
    forward, reverse = jax.jit(jax.vmap(lambda v, s: (jax.jacfwd(end)(v, s), jax.jacrev(end)(v, s))))(values, sizes)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((forward, reverse))), forward
    close(forward, reverse, 1e-4)


SMOOTH = {  # numbers by which the end of a run is not constant, at values where it is smooth
    "clip_by_value": {"max_value": 0.3},
    "clip_by_global_norm": {"max_norm": 0.7},
    "adaptive_clip": {"clipping": 0.2, "clipping_eps": 0.5},
    "ema": {"ema_decay": 0.7, "ema_correction": 0.6},
    "lookahead": {"slow_rate": 0.4},
    "gradient_noise": {"noise_eta": 0.3, "noise_gamma": 0.5},
    "decay_by_path": {"decay_b": 0.2, "decay_rest": 0.1, "decay_coupling": 0.3},
    "rate_by_path": {"rate_b": 0.5, "rate_dw": 1.0},
}


@pytest.mark.parametrize("wrapper", SMOOTH)
def test_gradient_by_every_number_is_the_difference_quotient(wrapper, x64):
    optimizer, h = MAKE[wrapper](by_name("momentum")), 1e-6

    @jax.jit
    @jax.value_and_grad
    def end(values):
        state = advance(optimizer, optimizer.init(start(jnp.float64), lr=0.07, **{**middle(wrapper), **values}))
        return sum(jnp.sum(p**2) for p in optimizer.readout(state).values())

    values = SMOOTH[wrapper]
    slopes = end(values)[1]
    for k, v in values.items():
        quotient = (end({**values, k: v + h})[0] - end({**values, k: v - h})[0]) / (2 * h)
        assert float(slopes[k]) == pytest.approx(float(quotient), rel=1e-5, abs=1e-8), k
        assert slopes[k] != 0, k


@pytest.mark.parametrize(("wrapper", "number"), NUMBERS)
def test_out_of_range(wrapper, number):
    optimizer = MAKE[wrapper](by_name("sgd"))
    upper = () if number in BOUNDED_BY_INF else (ABOVE.get(number, math.inf),)
    for bad in (-0.1, math.nan, *upper):
        for refuse in (lambda **n: optimizer.init(start(), **n), optimizer.hyper):
            with pytest.raises(ValueError, match=f"`{number}` must be in"):
                refuse(lr=0.1, **{number: bad})
    with pytest.raises(ValueError, match="vmap over `init`"):
        optimizer.init(start(), lr=0.1, **{number: jnp.ones(3) / 2})


@pytest.mark.parametrize("wrapper", OWN)
def test_a_traced_number_out_of_range_is_nan_in_its_own_lane(wrapper):
    optimizer = MAKE[wrapper](by_name("sgd"))
    bad = [middle(wrapper) | {k: v} for k in OWN[wrapper] for v in (-0.1, ABOVE.get(k, -1.0))]

    def run(values):
        params = advance(optimizer, optimizer.init(start(), lr=0.1, **values), 4).params
        return jnp.stack([jnp.sum(p) for p in params.values()])

    ends = jax.jit(jax.vmap(run))(stacked([middle(wrapper), *bad]))
    assert np.isfinite(ends[0]).all()
    assert np.isnan(ends[1:]).all()


# ---- state ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wrapper", "name"), PAIRS)
def test_resume_after_any_step_is_the_straight_run(wrapper, name):
    optimizer = MAKE[wrapper](by_name(name))
    update = update_of(optimizer)
    state = optimizer.init(start(), lr=Ramp(0.07, 0.2), **{k: Ramp(v[1], v[1] / 2) for k, v in OWN[wrapper].items()})
    states = [state]
    for _ in range(5):
        states.append(update(states[-1], slope(states[-1].params)))
    for cut, at in enumerate(states[:-1]):
        leaves, structure = jax.tree.flatten(at)
        state = structure.unflatten([jnp.asarray(np.array(x)) for x in leaves])  # arrays are all there is to save
        for _ in range(5 - cut):
            state = update(state, slope(state.params))
        bits_equal(state, states[-1])
    assert int(state.step) == 5 and state.step.dtype == jnp.int32


NEUTRAL = {  # at these values a wrapper does nothing
    "clip_by_value": {"max_value": math.inf},
    "clip_by_global_norm": {"max_norm": math.inf},
    "adaptive_clip": {"clipping": math.inf},
    "accumulate": {"every_k": 1.0},
    "ema": {"ema_decay": 0.0},
    "lookahead": {"sync_every": 99.0},
    "skip_nonfinite": {},
    "gradient_noise": {"noise_eta": 0.0},
    "compact": {},
    "decay_by_path": {"decay_b": 0.0, "decay_rest": 0.0},
    "rate_by_path": {"rate_b": 1.0},
}


@pytest.mark.parametrize(("wrapper", "name"), PAIRS)
def test_a_wrapper_that_does_nothing_leaves_the_optimizer_as_it_is(wrapper, name):
    inner = by_name(name)
    optimizer = MAKE[wrapper](inner)
    state, plain = optimizer.init(start(), lr=0.07, **NEUTRAL[wrapper]), inner.init(start(), lr=0.07)
    wrapped, bare = update_of(optimizer), update_of(inner)
    for _ in range(4):
        state, plain = wrapped(state, slope(state.params)), bare(plain, slope(plain.params))
    if wrapper == "compact":  # whose memory is not the same
        close(state.params, plain.params, 1e-2)
    else:
        close((state.params, state.memory.inner), (plain.params, plain.memory), 1e-6)
    assert int(optimizer.clock(state)) == 4


def nested(names, name="adam"):
    optimizer = by_name(name)
    for wrapper in names:
        optimizer = MAKE[wrapper](optimizer)
    return optimizer


def shuffled(seed):
    return [str(name) for name in np.random.default_rng(seed).permutation(list(OWN))]


ORDERS = [(list(OWN)[::-1], "adam"), (shuffled(0), "schedule_free"), (shuffled(1), "lbfgs")]


@pytest.mark.parametrize(("order", "name"), ORDERS, ids=["adam", "schedule_free", "lbfgs"])
def test_all_wrappers_nest_in_any_order(order, name):
    optimizer, again = nested(order, name), nested(order, name)
    assert optimizer == again and hash(optimizer) == hash(again) and decode(encode(optimizer)) == optimizer
    assert {*optimizer.numbers._fields} == {*TABLE[name].numbers._fields, *(number for _, number in NUMBERS)}
    traces = []

    @jax.jit
    def update(state):
        traces.append(state)
        return optimizer.update(state, slope(state.params))

    state = first = optimizer.init(start(), lr=0.05, every_k=2.0, max_norm=3.0, clipping=1.0, clipping_eps=0.5)
    for _ in range(12):
        state = update(state)
    assert int(state.step) == 12 and int(optimizer.clock(state)) == 6
    for tree in (state.params, optimizer.readout(state)):
        assert all(np.isfinite(p).all() for p in tree.values())
    assert float(jnp.abs(state.params["w"] - first.params["w"]).max()) > 0.005
    changed = update(state._replace(hyper=state.hyper._replace(lr=0.0, max_norm=0.5, rate_b=0.0)))
    assert jax.tree.structure(changed) == jax.tree.structure(state)
    assert len(traces) == 1


def test_numbers_of_one_name_clash():
    with pytest.raises(ValueError, match="`max_norm` is one of clip_by_global_norm\\(adam\\)'s too"):
        nested(["clip_by_global_norm", "clip_by_global_norm"])
    with pytest.raises(ValueError, match="`every_k`"):
        nested(["accumulate", "ema", "accumulate"])


# ---- anyone's optimizer ---------------------------------------------------------------------------------------------


def test_what_else_an_update_is_given_goes_in():
    seen = {}

    def update(state, grads, *, loss=None, objective=None, more=0):
        seen.update(loss=loss, objective=objective, more=more)
        return by_name("sgd").update(state, grads)

    sgd = by_name("sgd")
    mine = Optimizer("mine", sgd.init, update, sgd.numbers, readout=lambda s: {k: -p for k, p in s.params.items()})
    optimizer = nested([])
    for wrapper in (w for w in OWN if w not in ("ema", "lookahead")):
        optimizer = MAKE[wrapper](mine if optimizer.name == "adam" else optimizer)
    state = optimizer.init(start(), lr=0.1, every_k=1.0)
    objective = lambda params: 0.0  # noqa: E731
    after = optimizer.update(state, slope(state.params), loss=jnp.asarray(2.5), objective=objective, more=3)
    assert seen["more"] == 3 and float(seen["loss"]) == 2.5
    assert seen["objective"] is None  # accumulation is among them: of the batches gathered it is one, not their mean
    clipped = MAKE["clip_by_value"](mine)
    clipped.update(clipped.init(start(), lr=0.1), slope(start()), objective=objective)
    assert seen["objective"] is objective
    bits_equal(optimizer.readout(after), {k: -p for k, p in after.params.items()})
    assert optimizer.hyper(lr=0.1).lr == 0.1  # although `mine` has none of its own
    with pytest.raises(ValueError, match="'mine' is not one of fnopt's own"):
        encode(optimizer)


@pytest.mark.parametrize("wrapper", OWN)
def test_wrong_calls(wrapper):
    optimizer = MAKE[wrapper](by_name("adam"))
    number = next(iter(OWN[wrapper]))
    with pytest.raises(TypeError, match=f"no number `{number}x`; did you mean `{number}`\\? it has lr"):
        optimizer.init(start(), lr=0.1, **{f"{number}x": 0.5})
    with pytest.raises(TypeError, match="numbers go by name: write "):
        optimizer.init(start(), 0.1)
    with pytest.raises(TypeError, match=r"wraps an Optimizer, got 'adam'; write .*fo\.optim\.adam"):
        MAKE[wrapper]("adam")
    with pytest.raises(TypeError, match="adam needs `lr`"):
        optimizer.init(start())
    with pytest.raises(TypeError, match=r"params\['n'\] must be a floating array, got int32"):
        optimizer.init({"n": jnp.arange(3)}, lr=0.1)
    state = optimizer.init(start(), lr=0.1)
    with pytest.raises(ValueError, match="grads must have the structure"):
        optimizer.update(state, {"w": jnp.ones((3, 2))})
    lanes = state._replace(hyper=state.hyper._replace(**{number: jnp.ones(2)}))
    with pytest.raises(ValueError, match="one number at each step, got shape \\(2,\\)"):
        optimizer.update(lanes, slope(start()))
