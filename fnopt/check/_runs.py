"""What a state comes to, property by property: among others, after a break, and with its derivatives."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt.check._row import LEAF, SAFE, Row, cure_of, said
from fnopt.check._subject import Subject, bowl, well

STEPS = 4
LONG = 16  # steps at rest: a slope of 1/eps squared every few steps has left float32 by then
NEAR = 2e-4  # relative; one program for several lanes adds in another order than a program for one
ADDRESS = re.compile(r"0x[0-9a-f]+")


def lanes(subject: Subject) -> Iterator[Row]:
    """Several values under ``vmap`` come to what each comes to alone."""
    yield from _each(subject, "vmap = loop", _lanes)


def _lanes(subject: Subject, names: list[str]) -> dict[str, str]:
    runs = [(number, {**subject.numbers, number: v}) for number in names for v in subject.values(number)]
    if not runs:
        return {}
    f = jnp.result_type(float)
    stacked = {n: jnp.array([run[n] for _, run in runs], f) for n in subject.numbers}
    states = jax.jit(jax.vmap(lambda given: subject.begin(**given)))(stacked)
    step = jax.jit(jax.vmap(subject.step))
    states = step(states)  # at once: a number that an object kept instead of the state would still be a tracer
    alone = [subject.begin(**run) for _, run in runs]  # all begin before any goes on: nothing may pass between them
    single = subject.program
    alone = [single(state) for state in alone]
    for _ in range(STEPS - 1):
        states, alone = step(states), [single(state) for state in alone]
    wrong = {}
    for k, (number, run) in enumerate(runs):
        lane = jax.tree.map(lambda a, k=k: a[k], states.params)
        if not all(map(_close, jax.tree.leaves(lane), jax.tree.leaves(alone[k].params))):
            wrong[number] = f"{number}={run[number]:g} ends elsewhere among others than alone"
    return wrong


def resumes(subject: Subject) -> Iterator[Row]:
    """A state saved as plain arrays goes on to the bits of the straight run, and the same call gives the same bits."""
    step = subject.program
    half = step(step(subject.begin()))
    leaves, structure = jax.tree.flatten(half)
    saved = [np.array(leaf) for leaf in leaves]
    resumed = step(step(structure.unflatten([jnp.asarray(leaf) for leaf in saved])))
    differs = _first_difference(step(step(half)), resumed)
    cure = "keep all that update remembers in the state, and nothing in the object or a closure"
    yield Row("resume = straight run", None, not differs, f"{differs} differs" if differs else "", cure)
    one, other = _operations(subject, half), _operations(subject, half)
    found = "" if one == other else "the same call with the same state computes something else the second time"
    yield Row("pure", None, not found, found, cure)


def _operations(subject: Subject, state: Any) -> tuple[str, list[bytes]]:
    """What a step computes, as text, and the constants in it: what Python code keeps to itself shows here."""
    traced = jax.make_jaxpr(subject.step)(state)
    return ADDRESS.sub("", str(traced.jaxpr)), [np.asarray(c).tobytes() for c in traced.consts]


def derivatives(subject: Subject) -> Iterator[Row]:
    """Finite derivatives with respect to every number, both ways, also where gradients are 0; both ways alike."""
    yield from _each(subject, "derivative", _derivatives)


def _derivatives(subject: Subject, names: list[str]) -> dict[str, str]:
    def after(some: Array) -> Array:
        given = {name: some[k] for k, name in enumerate(names)}

        def run(alive: Array) -> Array:
            state = subject.begin(**given)
            end = jax.lax.scan(lambda s, _: (subject.step(s, alive), None), state, None, length=STEPS)[0]
            return bowl(end.params) + sum(jnp.sum(p) for p in jax.tree.leaves(end.params))

        return jax.lax.map(run, jnp.array([1.0, 0.0]))

    here = jnp.array([subject.numbers[name] for name in names], jnp.result_type(float))
    both = jax.jit(lambda x: (jax.jacfwd(after)(x), jax.jacrev(after)(x)))
    forward, reverse = map(np.asarray, both(here))
    wrong = _at_rest(subject, names)
    for k, name in enumerate(names):
        for slopes, mode in ((forward, "forward"), (reverse, "reverse")):
            for slope, where in zip(
                slopes[:, k], ("with a leaf of zero gradient", "with all gradients 0"), strict=True
            ):
                if not np.isfinite(slope):
                    wrong.setdefault(name, f"{mode} mode gives {slope} {where}")
        gap = np.abs(forward[:, k] - reverse[:, k])
        if name not in wrong and not np.all(gap <= 1e-3 * (np.abs(forward[:, k]) + np.abs(reverse[:, k])) + 1e-5):
            wrong[name] = f"forward mode gives {forward[0, k]:g}, reverse {reverse[0, k]:g}"
    return wrong


def _at_rest(subject: Subject, names: list[str]) -> dict[str, str]:
    """Derivatives over many steps of parameters that begin exactly at their minimum, but for one entry.

    Gradients are 0 there and their slopes are not: each step's slope is a factor of the next one's.
    """

    def moved(some: Array) -> Array:
        state = subject.begin(**{name: some[k] for k, name in enumerate(names)})
        away = jax.tree.map(jnp.zeros_like, state.params)
        leaves, structure = jax.tree.flatten(away)
        away = structure.unflatten([leaves[0].at[(0,) * leaves[0].ndim].set(0.5), *leaves[1:]])
        target = jax.tree.map(jnp.subtract, jax.lax.stop_gradient(state.params), away)

        def step(state: Any, _: None) -> tuple[Any, None]:
            return subject.descend(state, lambda p: well(p, target)), None

        return well(jax.lax.scan(step, state, None, length=LONG)[0].params, jax.tree.map(jnp.zeros_like, target))

    here = jnp.array([subject.numbers[name] for name in names], jnp.result_type(float))
    both = jax.jit(lambda x: (jax.jacfwd(moved)(x), jax.jacrev(moved)(x)))
    wrong = {}
    for slopes, mode in zip(both(here), ("forward", "reverse"), strict=True):
        for name, slope in zip(names, np.asarray(slopes), strict=True):
            if not np.isfinite(slope):
                wrong.setdefault(name, f"{mode} mode gives {slope} after {LONG} steps with entries at their minimum")
    return wrong


def _each(subject: Subject, name: str, look: Callable[[Subject, list[str]], dict[str, str]]) -> Iterator[Row]:
    """One row a number from one look at all of them; one look each where that one breaks."""
    names = list(subject.numbers)
    cures = {"derivative": SAFE, "vmap = loop": LEAF}
    try:
        wrong = look(subject, names) if names else {}
        errors: dict[str, str] = {}
    except Exception:
        wrong, errors = {}, {}
        for number in names:
            try:
                wrong |= look(subject, [number])
            except Exception as error:
                wrong[number], errors[number] = said(error), cure_of(error)
    for number in names:
        yield Row(name, number, number not in wrong, wrong.get(number, ""), errors.get(number, cures[name]))


def _close(a: Any, b: Any) -> bool:
    return np.allclose(np.asarray(a), np.asarray(b), rtol=NEAR, atol=NEAR / 10, equal_nan=True)


def _first_difference(a: Any, b: Any) -> str:
    for name, x, y in zip(tree.names(a), jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        if not np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True):
            return name
    return ""
