"""What a state holds, property by property: arrays that keep their types, and every number as a leaf that is read."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt.check._row import CHECKED, INIT, LEAF, Row, cure_of, said
from fnopt.check._subject import Held, Subject

CALLS = ("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "custom_jvp_call", "custom_vjp_call")
HALVES = ("float32", "bfloat16", "float16")


def state_of(subject: Subject) -> Iterator[Row]:
    """``init`` gives a state: arrays alone, with ``params`` as they came and a ``step``."""
    state = subject.begin()
    wanted = ("params",) if isinstance(state, Held) else ("step", "params", "hyper", "memory")
    lacking = [name for name in wanted if not hasattr(state, name)]
    if lacking:
        cure = "return fo.State(step, params, hyper, memory), or a NamedTuple with these fields"
        yield Row("state", None, False, f"the state has no `{lacking[0]}`", cure)
        return
    odd = [n for n, leaf in zip(tree.names(state), jax.tree.leaves(state), strict=True) if not _is_array(leaf)]
    if odd:
        yield Row("state", None, False, f"{odd[0]} is no array", "keep functions and text out of the state")
        return
    same = jax.tree.structure(state.params) == jax.tree.structure(subject.params)
    yield Row("state", None, same, "" if same else "state.params is not the tree that came", "keep it as it comes")


def traces(subject: Subject) -> Iterator[Row]:
    """``update`` can be traced at all: nothing in it looks at a value."""
    try:
        jax.eval_shape(subject.step, subject.begin())
    except Exception as error:
        yield Row("traces", None, False, said(error), cure_of(error))
    else:
        yield Row("traces", None, True)


def carries(subject: Subject) -> Iterator[Row]:
    """Structure, shapes and types of the state are those of ``init``, for parameters of each floating type.

    With numbers as Python has them, and as float32 arrays, which lanes and searches hand over: these promote.
    """
    arrays = {name: jnp.float32(value) for name, value in subject.numbers.items()}
    for name in HALVES:
        mine = subject._replace(params=jax.tree.map(lambda p, d=name: p.astype(d), subject.params))
        changed = next(filter(None, (_carried(mine, numbers) for numbers in ({}, arrays))), "")
        yield Row(f"carry {name}", None, not changed, changed, INIT)


def _carried(subject: Subject, numbers: dict[str, Any]) -> str:
    """What an update changes about the state's shapes and types; "" where it is nothing."""
    try:
        before = jax.eval_shape(lambda: subject.begin(**numbers))
        return _changed(before, jax.eval_shape(subject.step, before))
    except Exception as error:
        return said(error)


def numbers(subject: Subject) -> Iterator[Row]:
    """Every number is a leaf of the state, and the update reads it there."""
    if not subject.numbers:
        found = "init takes no numbers: they are captured where the optimizer was made, and each value is a new program"
        yield Row("number is a leaf", None, False, found, f"write init(params, *, lr); {LEAF}")
        return
    state = subject.begin()
    paths = tree.names(state)
    read = _read(subject, state)
    for number, value in subject.numbers.items():
        held = _place(paths, number)
        if held is None:
            found = f"`{number}` is nowhere in the state"
            yield Row("number is a leaf", number, False, found, LEAF)
            continue
        leaf = jax.tree.leaves(state)[held]
        if jnp.shape(leaf) != () or not np.isclose(float(leaf), value, rtol=1e-2):
            yield Row("number is a leaf", number, False, f"{paths[held]} is {leaf}, not {value:g}", LEAF)
            continue
        used = held in read or _starts_memory(subject, number, held)
        yield Row("number is a leaf", number, used, "" if used else f"update never reads {paths[held]}", LEAF)


def one_trace(subject: Subject) -> Iterator[Row]:
    """Another value of a number runs the program that is there."""
    step, count = subject.program, subject.traced
    first = subject.begin()
    step(step(first))
    again = count[0] > 1
    yield Row("one trace", None, not again, "the second step traces again: the state changed its type" * again, INIT)
    for number in subject.numbers:
        before = count[0]
        for value in subject.values(number):
            step(subject.begin(**{number: value}))
            if (changed := _with(first, number, value)) is not None:
                step(changed)
        more = count[0] - before
        yield Row("one trace", number, not more, f"{more} new traces for another value" if more else "", LEAF)


def refuses(subject: Subject) -> Iterator[Row]:
    """Nonsense raises a TypeError or a ValueError at once."""
    for number, value in subject.numbers.items():
        passed = [what for what, x in (("a vector", np.full(2, value)), ("text", "fast")) if _takes(subject, number, x)]
        passed += ["NaN"] if _takes(subject, number, float("nan")) else []
        passed += ["-1"] if number == "lr" and _takes(subject, number, -1.0) else []
        found = f"{number} may be {' and '.join(passed)}" if passed else ""
        yield Row("refuses nonsense", number, not passed, found, CHECKED)
    state = subject.begin()
    other = [jnp.ones(2), *jax.tree.leaves(state.params)]
    yield _refused("gradients of another tree", lambda: subject.update(state, other), "compare jax.tree.structure")
    whole = jax.tree.map(lambda p: jnp.ones(p.shape, jnp.int32), subject.params)
    cure = "refuse leaves that are not jnp.floating"
    yield _refused("integer parameters", lambda: subject.init(whole, **subject.numbers), cure)


def _refused(what: str, call: Callable[[], Any], cure: str) -> Row:
    try:
        call()
    except (TypeError, ValueError):
        return Row("refuses nonsense", None, True)
    return Row("refuses nonsense", None, False, f"{what} pass", cure)


def _takes(subject: Subject, number: str, value: Any) -> bool:
    try:
        subject.begin(**{number: value})
    except (TypeError, ValueError):
        return False
    return True


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, Array | np.ndarray | np.generic | bool | int | float)


def _changed(before: Any, after: Any) -> str:
    """The first leaf whose shape or type an update changed; "" where there is none."""
    if jax.tree.structure(before) != jax.tree.structure(after):
        return "update gives back another tree than init"
    for name, a, b in zip(tree.names(before), jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{name} is {a.dtype}{list(a.shape)} at first, {b.dtype}{list(b.shape)} after an update"
    return ""


def _place(paths: list[str], number: str) -> int | None:
    """Where a number stands among the leaves: in ``hyper``, else anywhere by its name."""
    for wanted in (f"hyper.{number}", number):
        for k, path in enumerate(paths):
            if path == wanted or path.endswith(f".{wanted}"):
                return k
    return None


def _with(state: Any, number: str, value: float) -> Any:
    """The state with one number changed; None where it is not in ``state.hyper``."""
    hyper: Any = getattr(state, "hyper", None)
    if number in getattr(hyper, "_fields", ()) and hasattr(state, "_replace"):
        return state._replace(hyper=hyper._replace(**{number: _like(getattr(hyper, number), value)}))
    return None


def _like(leaf: Any, value: float) -> Any:
    """The value as the state holds numbers: an array of the leaf's type, weak or not, or a Python number."""
    if not hasattr(leaf, "dtype"):
        return value
    array = jnp.asarray(value)  # weak
    return array if getattr(leaf, "weak_type", False) and array.dtype == leaf.dtype else array.astype(leaf.dtype)


def _read(subject: Subject, state: Any) -> set[int]:
    """Which leaves of the state the update computes with."""
    return _operands(jax.make_jaxpr(subject.step)(state).jaxpr)


def _operands(traced: Any) -> set[int]:
    """Which arguments an equation takes; of a call, which are taken inside."""
    used = set()
    for equation in traced.eqns:
        inner = [x.jaxpr if hasattr(x, "jaxpr") else x for x in equation.params.values() if _is_program(x)]
        whole = len(inner) == 1 and len(inner[0].invars) == len(equation.invars) and equation.primitive.name in CALLS
        taken = _operands(inner[0]) if whole else range(len(equation.invars))
        used |= {id(equation.invars[k]) for k in taken}
    return {k for k, v in enumerate(traced.invars) if id(v) in used}


def _is_program(x: Any) -> bool:
    return hasattr(x, "eqns") or hasattr(getattr(x, "jaxpr", None), "eqns")


def _starts_memory(subject: Subject, number: str, held: int) -> bool:
    """Whether another value begins with another memory, as an estimate that training then goes on with does."""
    states = [jax.tree.leaves(subject.begin(**{number: value})) for value in subject.values(number)]
    return len(states) > 1 and any(
        not np.array_equal(np.asarray(a), np.asarray(b))
        for k, (a, b) in enumerate(zip(*states[:2], strict=True))
        if k != held
    )
