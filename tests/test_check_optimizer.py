"""The contract's check: every optimizer passes, and each planted fault is found where it is."""

import re
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import pytest
from contract_counts import counted

import fnopt as fo
from fnopt import optim
from fnopt.check.optimizer import PROPERTIES
from fnopt.numbers import DECAY, NONNEGATIVE, as_number
from fnopt.optim import NAMES, TABLE


class Hyper(NamedTuple):
    lr: Any
    b: Any = 0.9


class Longer(NamedTuple):
    """A state with a field too few."""

    params: Any
    hyper: Any


def init(params, *, lr, b=0.9):
    """A sound momentum with a root, the base of all faults below."""
    for leaf in jax.tree.leaves(params):
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise TypeError("floating parameters only")
    hyper = Hyper(as_number("lr", lr, NONNEGATIVE), as_number("b", b, DECAY))
    memory = jax.tree.map(lambda p: jnp.zeros(p.shape, jnp.float32), params)
    return fo.State(jnp.zeros((), jnp.int32), params, hyper, memory)


def sound_root(x):
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1)), 0)


def never_0(x):
    return sound_root(x) + 1e-8


def update(state, grads, lr=None, root=sound_root, cast=True):
    if jax.tree.structure(grads) != jax.tree.structure(state.params):
        raise ValueError("another tree")
    h = state.hyper
    lr = h.lr if lr is None else lr
    f = jnp.float32
    b = jnp.asarray(h.b).astype(f)
    memory = jax.tree.map(lambda v, g: b * v + (1 - b) * jnp.square(g.astype(f)), state.memory, grads)

    def move(p, v, g):
        size = root(v)
        moving = size > 0
        step = jnp.where(moving, g.astype(f) / jnp.where(moving, size, 1), 0)
        new = p.astype(f) - jnp.asarray(lr).astype(f) * step
        return new.astype(p.dtype) if cast else new

    return fo.State(state.step + 1, jax.tree.map(move, state.params, memory, grads), h, memory)


class Kept:
    """Numbers kept in the object."""

    def init(self, params, *, lr, b=0.9):
        self.lr = lr
        return init(params, lr=lr, b=b)

    def update(self, state, grads):
        return update(state, grads, lr=self.lr)


class Counting:
    """A count that Python keeps."""

    calls = 0
    init = staticmethod(init)

    def update(self, state, grads):
        self.calls += 1
        return update(state, grads, lr=state.hyper.lr / self.calls)


def made(lr):
    """As many libraries have it: the rate is captured where the optimizer is made."""
    return lambda params: init(params, lr=lr), update


def python_if(state, grads):
    return update(state, grads) if state.step < 3 else state


def growing(state, grads):
    new = update(state, grads)
    return new._replace(memory=jax.tree.map(lambda m: jnp.concatenate([m, m]), new.memory))


def checks_by_if(params, *, lr, b=0.9):
    if lr < 0:
        raise ValueError("lr")
    return init(params, lr=lr, b=b)


def anything(params, *, lr, b=0.9):
    return init(params, lr=0.1, b=b)._replace(hyper=Hyper(lr, b))


def promises(params, *, lr, b=0.9):
    """Numbers as they come."""
    return init(params, lr=0.1, b=b)._replace(hyper=Hyper(jnp.asarray(lr), jnp.asarray(b)))


@jax.tree_util.register_static
class Fixed:
    """A number as structure."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Fixed) and self.value == other.value

    def __hash__(self):
        return hash(self.value)


def static(params, *, lr, b=0.9):
    state = init(params, lr=lr, b=b)
    return state._replace(memory=(Fixed(float(lr)), state.memory))


def static_update(state, grads):
    fixed, memory = state.memory
    new = update(state._replace(memory=memory), grads)
    return new._replace(memory=(fixed, new.memory))


def drifting(state, grads):
    new = update(state, grads)
    return new._replace(memory=jax.tree.map(lambda m: m.astype(jnp.bfloat16), new.memory))


def forgetful(state, grads):
    new = update(state, grads)
    return new._replace(hyper=Hyper(state.hyper.lr, state.hyper.lr))


def promoting(state, grads):
    """Sound with a Python number, and no longer with an array of float32, as lanes of a sweep hand it over."""
    lr = state.hyper.lr
    return state._replace(
        step=state.step + 1, params=jax.tree.map(lambda p, g: p - lr * g.astype(p.dtype), state.params, grads)
    )


@jax.jit
def deaf(state, grads):
    """Takes the whole state into a call, and reads no number there."""
    return update(state._replace(hyper=Hyper(0.1, 0.9)), grads)._replace(hyper=state.hyper)


FAULTS = {  # what is broken -> (optimizer, property and number that must fail, words of what was found, of the cure)
    "lr captured where it is made": (made(0.1), "number is a leaf", None, "init takes no numbers", "lr"),
    "update reads another lr": ((init, partial(update, lr=0.1)), "number is a leaf", "lr", "never reads", "hyper"),
    "lr kept in the object": (Kept(), "vmap = loop", "lr", "UnexpectedTracerError", "outside the state"),
    "a count kept in the object": (Counting(), "pure", None, "the second time", "closure"),
    "types drift": ((init, partial(update, cast=False)), "carry bfloat16", None, "at first, float32", "cast"),
    "memory drifts": ((init, drifting), "carry float32", None, "memory.b is float32.* at first, bfloat16", "type"),
    "the root of 0": ((init, partial(update, root=jnp.sqrt)), "derivative", "b", "nan|inf", "jnp.where"),
    "a slope of 1/eps": ((init, partial(update, root=never_0)), "derivative", "lr", "their minimum", "jnp.where"),
    "an array promotes": ((promises, promoting), "carry bfloat16", None, "bfloat16.*float32", "type"),
    "deaf inside a call": ((init, deaf), "number is a leaf", "b", "never reads", "hyper"),
    "NaN passes": ((promises, update), "refuses nonsense", "lr", "NaN", "as_number"),
    "a carry that grows": ((init, growing), "carry float32", None, r"b is float32\[2\] at first, .*\[4\]", "shape"),
    "a Python if on the step": ((init, python_if), "traces", None, "TracerBool", "jnp.where"),
    "a Python if on a number": ((checks_by_if, update), "vmap = loop", "lr", "TracerBool", "Tracer"),
    "a number as structure": ((static, static_update), "one trace", "lr", "new traces", "hyper"),
    "a vector passes": ((anything, update), "refuses nonsense", "lr", "a vector and text and NaN and -1", "as_number"),
    "no step": ((lambda p, lr: Longer(p, Hyper(lr)), update), "state", None, "has no `step`", "fo.State"),
    "a step that breaks": ((init, lambda s, g: s.nothing), "traces", None, "AttributeError", ""),
}  # fmt: skip


AT = {name: [name] for name in PROPERTIES} | {f"carry {d}": ["carry"] for d in ("float32", "bfloat16")}
AT |= {"pure": ["resume = straight run"]}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    broken, name, number, found, cure = FAULTS[fault]
    with jax.numpy_dtype_promotion("standard"):  # as users have it; strict promotion names types in any order
        report = fo.check.optimizer(broken, only=AT.get(name, []))
    assert not report.passed
    rows = [row for row in report.failures if (row.property, row.number) == (name, number)]
    assert rows, f"{name} of {number} should fail:\n{report}"
    assert re.search(found, rows[0].found), rows[0].found
    assert cure in rows[0].cure
    assert "BREAKS THE CONTRACT" in str(report)
    assert rows[0].found in str(report)


def test_names_of_optax_are_known():
    def begin(params):
        return jax.tree.map(jnp.zeros_like, params)

    def moves(grads, opt_state, params=None):
        return jax.tree.map(lambda g: -0.1 * g, grads), opt_state

    rows = {(row.property, row.number) for row in fo.check.optimizer((begin, moves)).failures}
    assert rows == {("number is a leaf", None), ("refuses nonsense", None)}


def test_a_sound_optimizer_of_ones_own_passes():
    report = fo.check.optimizer((init, update))
    assert report.passed, report
    assert {row["number"] for row in report.table} == {None, "lr", "b"}
    assert "keeps the contract" in str(report)
    assert len(report.rows) == 20


CHEAP = [p for p in PROPERTIES if p != "derivative"]
FEW = {"sgd", "momentum", "adam"}
QUICK = {"adam", "rprop", "adafactor", "schedule_free", "lbfgs"}  # one of each kind
MARKED = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in NAMES]


@pytest.mark.holds
@pytest.mark.parametrize("name", MARKED)
def test_every_optimizer_keeps_the_contract(name, record_property):
    """But for derivatives, which are dear to compile and have a table of their own."""
    report = fo.check.optimizer(TABLE[name], only=CHEAP)
    counted(record_property, "optimizer", name, report)
    assert report.passed, report
    numbers = TABLE[name].numbers._fields
    per_number = {"number is a leaf", "one trace", "vmap = loop", "refuses nonsense"}
    assert {(row.property, row.number) for row in report.rows if row.number} == {
        (p, n) for p in per_number for n in numbers
    }


@pytest.mark.holds
@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in FEW else pytest.mark.slow) for n in NAMES])
def test_derivatives(name, record_property):
    report = fo.check.optimizer(TABLE[name], only=["derivative"])
    counted(record_property, "optimizer", name, report)
    # Muon's five steps multiply a small difference by 3.4^5: with some compilers the modes differ by more than usual.
    told = {"beta"} if name == "muon" else set()
    assert {row.number for row in report.rows if not row.passed} <= told, report
    assert all("mode" in row.found and "zero" not in row.found for row in report.rows if not row.passed), report
    assert [row.number for row in report.rows if row.property == "derivative"] == list(TABLE[name].numbers._fields)


def test_wrapped_ones_too():
    report = fo.check.optimizer(optim.clip_by_global_norm(optim.sgd), numbers={"max_norm": 0.5})
    assert report.passed, report


@pytest.mark.holds
@pytest.mark.slow
@pytest.mark.parametrize("wrapper", optim.WRAPPERS)
def test_every_wrapper_keeps_the_contract(wrapper, record_property):
    settings = () if wrapper in optim.PLAIN else ({"w": 0.1, "*": 0.5},)
    report = fo.check.optimizer(optim.WRAPPERS[wrapper](optim.adam, *settings))
    counted(record_property, "wrapper", wrapper, report)
    # Derivatives too pass through memory in bfloat16, forward and backward at different places: they are finite, and
    # those by the decays are told to differ by more than the usual rounding.
    told = {"b1", "b2"} if wrapper == "compact" else set()
    assert {row.number for row in report.rows if not row.passed} <= told, report
    assert all(row.property == "derivative" and "mode" in row.found for row in report.rows if not row.passed), report


def test_one_property_by_its_name():
    report = fo.check.optimizer(optim.sgd, only="resume = straight run")
    assert report.passed and {row.property for row in report.rows} == {
        "state",
        "traces",
        "resume = straight run",
        "pure",
    }


def test_refusals():
    with pytest.raises(ValueError, match="unknown property 'derivate'; did you mean 'derivative'"):
        fo.check.optimizer(optim.sgd, only=["derivate"])
    with pytest.raises(TypeError, match=r"write check\.optimizer\(fo\.optim\.adam\)"):
        fo.check.optimizer("adam")
    with pytest.raises(TypeError, match=r"an optimizer has init.*got int"):
        fo.check.optimizer(3)
    with pytest.raises(ValueError, match=r"`strength` of init has no value to try.*numbers=dict\(strength="):
        fo.check.optimizer((lambda params, *, strength: None, update))


def test_a_pair_of_another_form_goes_through_all_properties():
    """A state that is a dict, and optax's form: what they keep is found kept, and what they break is named."""

    def begin(params, *, lr):
        return {"params": params, "lr": jnp.asarray(lr, jnp.float32)}

    def descend(state, grads):
        step = lambda p, g: (p.astype(jnp.float32) - state["lr"] * g.astype(jnp.float32)).astype(p.dtype)  # noqa: E731
        return {**state, "params": jax.tree.map(step, state["params"], grads)}

    report = fo.check.optimizer((begin, descend))
    held = {row["property"] for row in report.table if row["passed"]}
    assert {"state", "traces", "carry bfloat16", "number is a leaf", "vmap = loop", "derivative"} <= held, report
    assert {row.property for row in report.failures} == {"refuses nonsense"}, report

    def update(updates, state, params=None):
        del params
        return jax.tree.map(lambda g: -0.1 * g, updates), state + 1

    report = fo.check.optimizer((lambda params: jnp.zeros((), jnp.int32), update))
    failed = {row.property for row in report.failures}
    assert {"number is a leaf"} <= failed <= {"number is a leaf", "refuses nonsense"}, report
    assert "captured where the optimizer was made" in str(report)
