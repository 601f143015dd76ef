"""The schedules' share of the contract: every number of every schedule, ours and optax's."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo
from benchmarks import peers

STEPS = (0, 1, 4, 9, 30)
NONSENSE = (float("nan"), "fast", [0.1, 0.2])


def schedules(whose: str) -> Iterator[Any]:
    """A line a schedule; each number by itself, the others as they are."""
    from benchmarks.contract import Line

    for name, (factory, numbers) in (_ours() if whose == "fnopt" else _theirs()).items():
        counts: dict[str, list[int]] = {}
        first = ""
        for number in numbers:
            for column, found in _looked(factory, numbers, number):
                held = counts.setdefault(column, [0, 0])
                held[0] += not found
                held[1] += 1
                first = first or (found and f"{column}, {number}: {found}")
        yield Line(whose, "schedule", name, {c: (h, n) for c, (h, n) in counts.items()}, first)


def _looked(factory: Any, numbers: dict[str, Any], number: str) -> Iterator[tuple[str, str]]:
    """Property and what is wrong with it, "" for nothing."""
    value = numbers[number]
    others = (value * 0.75, value * 1.05)

    def at(x: Any) -> Any:
        schedule = factory(**{**numbers, number: x})
        return jnp.stack([jnp.asarray(schedule(step), jnp.result_type(float)) for step in STEPS])

    traces = []

    @jax.jit
    def program(x: Any) -> Any:
        traces.append(1)
        return at(x)

    def traced() -> str:
        whole = value if isinstance(value, int) else float(value)
        same = np.allclose(program(jnp.float32(value)), at(whole), rtol=1e-5, atol=1e-7)
        return "" if same else "another value than for a plain number"

    def one_trace() -> str:
        before = len(traces)
        for x in others:
            program(jnp.float32(x))
        return "" if len(traces) == before == 1 else f"{len(traces)} traces"

    def lanes() -> str:
        made = jax.jit(jax.vmap(at))(jnp.asarray(others, jnp.float32))
        alone = jnp.stack([program(jnp.float32(x)) for x in others])
        return "" if np.allclose(made, alone, rtol=1e-5, atol=1e-7) else "vmap and loop differ"

    def derivative() -> str:
        for mode in (jax.jacrev, jax.jacfwd):
            for x in (value, *others, 0.0):
                if not np.isfinite(mode(at)(jnp.float32(x))).all():
                    return f"not finite at {x}"
        return ""

    yield from ((column, _tried(look)) for column, look in _LOOKS(traced, one_trace, lanes, derivative))
    for bad in NONSENSE:
        yield "nonsense", _tried(partial(_refused, factory, {**numbers, number: bad}))


def _LOOKS(*looks: Callable[[], str]) -> Iterator[tuple[str, Callable[[], str]]]:
    return zip(("traced", "one trace", "vmap = loop", "derivative"), looks, strict=True)


def _refused(factory: Any, numbers: dict[str, Any]) -> str:
    try:
        factory(**numbers)(3)
    except (TypeError, ValueError):
        return ""
    return "accepted"


def _tried(look: Callable[[], str]) -> str:
    try:
        return look()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"


def _ours() -> dict[str, tuple[Any, dict[str, Any]]]:
    s = fo.schedules

    def of(factory: Any, **numbers: float) -> tuple[Any, dict[str, Any]]:
        return factory, numbers

    return {
        "constant": of(s.constant, value=0.1),
        "inverse_time": of(s.inverse_time, value=0.1, rate=0.5),
        "exponential": of(s.exponential, value=0.1, rate=0.5),
        "inverse_sqrt": of(s.inverse_sqrt, value=0.1, k=2.0),
        "step_decay": of(s.step_decay, value=0.1, rate=0.5, steps=3.0),
        "linear": of(s.linear, start=0.1, end=0.01, steps=20.0),
        "polynomial": of(s.polynomial, start=0.1, end=0.01, steps=20.0, power=2.0),
        "cosine": of(s.cosine, peak=0.1, steps=20.0, warmup=5.0, floor=0.01),
        "one_cycle": of(s.one_cycle, peak=0.1, steps=20.0, rise=0.3, divide=25.0, final_divide=1e4),
        "warmup_stable_decay": of(s.warmup_stable_decay, peak=0.1, steps=20.0, warmup=5.0, decay=5.0, floor=0.01),
        "warm_restarts": of(s.warm_restarts, peak=0.1, period=6.0, multiplier=1.5, floor=0.01),
        "cyclic": of(s.cyclic, low=0.01, high=0.1, half=3.0, rate=0.9),
        "then": of(lambda peak, after: s.constant(peak).then(s.exponential(peak, 0.5), after), peak=0.1, after=5.0),
        "stretched": of(lambda by: s.exponential(0.1, 0.5).stretched(by), by=3.0),
        "scaled": of(lambda by: s.exponential(0.1, 0.5).scaled(by), by=0.5),
        "clipped": of(lambda low, high: s.exponential(0.1, 0.5).clipped(low, high), low=0.01, high=0.08),
        "warmed": of(lambda steps, start: s.constant(0.1).warmed(steps, start), steps=5.0, start=0.01),
        "every": of(
            lambda steps_per_epoch, staircase: s.exponential(0.1, 0.5).every(steps_per_epoch, staircase),
            steps_per_epoch=3.0,
            staircase=0.5,
        ),
        "piecewise": of(
            lambda boundary, before, after: s.piecewise((boundary, 20.0), (before, after, 0.01)),
            boundary=5.0,
            before=0.1,
            after=0.05,
        ),
        "plateau": of(_cut, value=0.1, factor=0.5, patience=2.0, cooldown=1.0, min_delta=0.01, floor=0.01),
    }


def _cut(**numbers: Any) -> Any:
    """A plateau that has seen one improvement and four looks without."""
    lr = fo.schedules.plateau(**numbers)
    for score in (0.5, 0.6, 0.6, 0.6, 0.6, 0.6):
        lr = fo.schedules.follow(lr, score)
    return lr


def _theirs() -> dict[str, tuple[Any, dict[str, Any]]]:
    s = peers.load("optax_update").optax.schedules

    def of(name: str, **numbers: Any) -> tuple[Any, dict[str, Any]]:
        return getattr(s, name), numbers

    ramp: dict[str, Any] = dict(init_value=0.1, end_value=0.01, transition_steps=20)
    rising: dict[str, Any] = dict(init_value=0.01, peak_value=0.1, warmup_steps=5)
    cycle: dict[str, Any] = dict(
        transition_steps=20, peak_value=0.1, pct_start=0.3, div_factor=25.0, final_div_factor=1e4
    )
    return {
        name: of(name, **numbers)
        for name, numbers in {
            "constant_schedule": dict(value=0.1),
            "exponential_decay": dict(
                init_value=0.1, transition_steps=4, decay_rate=0.5, transition_begin=1, end_value=0.01
            ),
            "linear_schedule": ramp | dict(transition_begin=1),
            "polynomial_schedule": ramp | dict(power=2.0, transition_begin=1),
            "cosine_decay_schedule": dict(init_value=0.1, decay_steps=20, alpha=0.1, exponent=1.5),
            "cosine_onecycle_schedule": cycle,
            "linear_onecycle_schedule": cycle | dict(pct_final=0.85),
            "warmup_constant_schedule": rising,
            "warmup_cosine_decay_schedule": rising | dict(decay_steps=20, end_value=0.01, exponent=1.5),
            "warmup_exponential_decay_schedule": rising | dict(transition_steps=4, decay_rate=0.5, end_value=0.01),
        }.items()
    }
