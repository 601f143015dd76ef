"""Any order of nesting: what is evaluated follows what the wrappers around do to the weights."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import TARGET, advance, bits_equal, close, slope, start
from wrapper_cases import MAKE as ALL

from fnopt.optim import accumulate, adamw, by_name, decay_by_path, ema, lookahead, rate_by_path, schedule_free, sgd

MAKE = {
    "ema": ema,
    "lookahead": lookahead,
    "accumulate": accumulate,
    "decay_by_path": lambda inner: decay_by_path(inner, {"*": 0.5}),
    "rate_by_path": lambda inner: rate_by_path(inner, {"*": 0.5}),
}
NUMBERS = {
    "ema": {"ema_decay": 0.9},
    "lookahead": {"sync_every": 3.0, "slow_rate": 0.5},
    "accumulate": {"every_k": 2.0},
    "decay_by_path": {"decay_rest": 0.5},
    "rate_by_path": {"rate_rest": 0.5},
}
BASES = ("adam", "schedule_free")
PAIRS = [pair for two in (("ema", "lookahead"), ("decay_by_path", "rate_by_path")) for pair in (two, two[::-1])]
EDITS = ("decay_by_path", "rate_by_path")


def run(names, base, steps=7, **changes):
    """(state, weights evaluated) of the base in these wrappers, the first the innermost."""
    optimizer, numbers = by_name(base), {"lr": 0.05}
    for name in names:
        optimizer, numbers = MAKE[name](optimizer), numbers | NUMBERS[name]
    state = advance(optimizer, optimizer.init(start(), **(numbers | changes)), steps)
    return state, optimizer.readout(state)


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("edit", "other"), list(itertools.product(EDITS, ("ema", "lookahead", "accumulate"))))
def test_decay_and_rates_act_where_a_step_is_taken_on_whichever_side_they_stand(edit, other, base):
    (inside, seen), (around, also) = run([edit, other], base), run([other, edit], base)
    close((inside.params, seen), (around.params, also), 1e-6)
    assert edit != "decay_by_path" or seen["dead"].max() < 0.99  # which no gradient moves


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("inner", "outer"), PAIRS)
def test_what_is_evaluated_goes_where_the_weights_go(inner, outer, base):
    """At the end of a long run all weights that there are have met: at the optimum, or where decay holds them."""
    state, seen = run([inner, outer], base, 600, lr=0.1, b2=0.9, **({"r": 2.0} if base == "schedule_free" else {}))
    for k in seen:
        np.testing.assert_allclose(seen[k], state.params[k], atol=0.05)
        if k in TARGET and "decay_by_path" not in (inner, outer):
            np.testing.assert_allclose(seen[k], TARGET[k], atol=0.1)
    if "decay_by_path" in (inner, outer):
        assert seen["dead"].max() < 0.1


@pytest.mark.parametrize("name", ["ema(adamw)", "lookahead(adamw)", "schedule_free", "ema(schedule_free)"])
def test_what_is_evaluated_of_a_frozen_group_keeps_its_bits(name):
    inner = {
        "ema(adamw)": ema(adamw),
        "lookahead(adamw)": lookahead(adamw),
        "schedule_free": schedule_free,
        "ema(schedule_free)": ema(schedule_free),
    }[name]
    optimizer = rate_by_path(inner, {"dead": 0.0, "*": 1.0})
    more = {"sync_every": 2.0} if "lookahead" in name else {}
    state = advance(optimizer, optimizer.init(start(), lr=0.1, weight_decay=0.5, **more), 5)
    bits_equal((state.params["dead"], optimizer.readout(state)["dead"]), (start()["dead"], start()["dead"]))


@pytest.mark.parametrize("wrapper", ALL)
def test_every_wrapper_hands_an_edit_on_to_where_the_step_is_taken(wrapper):
    """And what it tells, back: shown by shapes, which cost no compilation."""

    def edit(old, new):
        seen.append((old, new))
        return new, jnp.zeros(7)

    for base in BASES:
        seen = []
        optimizer = ALL[wrapper](by_name(base))
        state = optimizer.init(start(), lr=0.1)
        new, told = jax.eval_shape(lambda s, o=optimizer: o.edited(s, slope(s.params), edit, loss=jnp.ones(())), state)
        assert told.shape == (7,) and len(seen) == 1
        assert jax.tree.map(jnp.shape, new) == jax.tree.map(jnp.shape, state)


def test_decay_around_schedule_free_is_its_own():
    """Taken at y, in units of lr: with b2 = 0 its γ is lr, and the two are one formula."""
    own = schedule_free.init(start(), lr=0.05, b2=0.0, weight_decay=0.5)
    around = decay_by_path(schedule_free, {"*": 0.5})
    ends = advance(schedule_free, own, 6), advance(around, around.init(start(), lr=0.05, b2=0.0), 6)
    close(
        *(
            (end.params, schedule_free.readout(end._replace(memory=memory)))
            for end, memory in ((ends[0], ends[0].memory), (ends[1], ends[1].memory.inner))
        ),
        1e-6,
    )


def test_syncs_around_schedule_free_are_of_its_steps():
    """slow_rate = 0 takes every k-th step back to the start: z is there, and x has averaged what z was."""
    optimizer = lookahead(schedule_free)
    numbers = dict(lr=0.05, sync_every=2.0, slow_rate=0.0)
    state = advance(optimizer, optimizer.init(start(), **numbers), 4)
    bits_equal(state.memory.inner.z, start())
    bits_equal(optimizer.readout(state), schedule_free.readout(state._replace(memory=state.memory.inner)))


def test_an_average_inside_lookahead_is_what_is_evaluated():
    optimizer = lookahead(ema(sgd))
    state = optimizer.init(jnp.zeros(1), lr=1.0, sync_every=2.0, ema_decay=0.5, ema_correction=0.0)
    seen = []
    for _ in range(2):
        state = optimizer.update(state, -jnp.ones(1))
        seen.append((state.params.tolist(), optimizer.readout(state).tolist()))
    assert seen == [([1.0], [0.5]), ([1.0], [0.75])]  # the second step leads to 2, and back to 1


@pytest.mark.parametrize("outer", ["lookahead", *EDITS])
def test_nothing_is_lost_in_half_precision(outer):
    """z, and slow weights of it, are edited in their own type, not in that of the parameters."""
    optimizer = MAKE[outer](schedule_free)
    params = jax.tree.map(lambda p: p.astype(jnp.bfloat16), start())
    state = optimizer.init(params, lr=0.05, **NUMBERS[outer])
    before = jax.tree.map(lambda x: x.dtype, state)
    for _ in range(3):
        state = jax.jit(optimizer.update)(state, slope(state.params))
    assert jax.tree.map(lambda x: x.dtype, state) == before
    z = state.memory.inner.z["w"]
    assert (z != z.astype(jnp.bfloat16).astype(z.dtype)).any()
    if outer == "lookahead":
        close(state.memory.own.weights["w"], z, 1e-7)  # the third step was a sync
