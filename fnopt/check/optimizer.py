"""An optimizer through the whole contract, property by property and number by number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from fnopt._checks import one_of
from fnopt._types import Params
from fnopt.check import _held, _runs
from fnopt.check._row import Row, cure_of, said
from fnopt.check._subject import subject_of
from fnopt.check._table import shown

FIRST = (_held.state_of, _held.traces)  # what all others need
THEN = {
    "carry": _held.carries,
    "number is a leaf": _held.numbers,
    "one trace": _held.one_trace,
    "vmap = loop": _runs.lanes,
    "resume = straight run": _runs.resumes,
    "derivative": _runs.derivatives,
    "refuses nonsense": _held.refuses,
}
PROPERTIES = tuple(THEN)


@dataclass(frozen=True)
class Contract:
    """What :func:`optimizer` found; printed, a table of what failed and a line on what held."""

    name: str
    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Whether every property holds."""
        return all(row.passed for row in self.rows)

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows that failed: ``property``, ``number``, ``found`` and ``cure``."""
        return tuple(row for row in self.rows if not row.passed)

    @property
    def table(self) -> list[dict[str, Any]]:
        """One dict a property and number: ``property``, ``number``, ``passed``, ``found``, ``cure``."""
        return [{**row._asdict(), "cure": "" if row.passed else row.cure} for row in self.rows]

    def __str__(self) -> str:
        held = len(self.rows) - len(self.failures)
        verdict = "keeps the contract" if self.passed else "BREAKS THE CONTRACT"
        return f"{self.name} {verdict}: {held} of {len(self.rows)} checks hold\n{shown(self.table, most=200)}"


def optimizer(
    optimizer: Any,
    *,
    numbers: Mapping[str, float] | None = None,
    params: Params | None = None,
    only: str | Sequence[str] | None = None,
) -> Contract:
    """Take any pair of ``init`` and ``update`` through the contract that fit, sweeps and resume rely on.

    - state: ``init(params, **numbers)`` gives a pytree of arrays with ``step``, ``params``, ``hyper`` and ``memory``,
      or a dict with ``params``, or what optax's ``update(updates, state, params)`` takes (``opt_state`` is as good a
      name for its second argument);
    - traces: no Python decision in ``update`` looks at a value;
    - carry: structure, shapes and types never change, for float32, bfloat16 and float16 parameters, whether numbers
      are Python's or float32 arrays;
    - number is a leaf: each stands in the state, and ``update`` reads it there;
    - one trace: another value of a number runs the same program;
    - vmap = loop: several values side by side come to what each comes to alone;
    - resume = straight run, pure: what is saved as arrays goes on to the same bits, and equal calls give equal bits;
    - derivative: with respect to each number finite and alike in forward and reverse mode, also at zero gradients
      and, over more steps, at the minimum;
    - refuses nonsense: vectors, text, NaN, a negative learning rate, other trees, integers.

    Args:
        optimizer: an ``Optimizer``, anything with ``init`` and ``update``, or the pair ``(init, update)``.
        numbers: values of numbers to check at; else defaults, and 0.01 for a learning rate without one.
        params: parameters to check with, where its own rules ask for certain names; the last leaf's gradient is 0.
        only: one of the properties or several, by name; ``"derivative"`` takes about half of the time. All by default.

    Returns:
        a :class:`Contract`: ``passed``, ``failures``, ``table``. Where the first two properties fail the others are
        not looked at.

    Raises:
        TypeError, ValueError: for what is no optimizer, and for a number that has no value.

    >>> from fnopt import optim
    >>> optimizer(optim.sgd).passed
    True
    """
    asked = [only] if isinstance(only, str) else only
    chosen = PROPERTIES if asked is None else [one_of("property", name, PROPERTIES) for name in asked]
    subject = subject_of(optimizer, numbers, params)
    with jax.enable_x64(False):
        rows: list[Row] = []
        for properties in (FIRST, [THEN[name] for name in chosen]):
            for look in properties:
                rows += _looked(look, subject)
            if not all(row.passed for row in rows):
                break
    return Contract(subject.name, tuple(rows))


def _looked(look: Any, subject: Any) -> list[Row]:
    """The rows of one property; an error on the way is its failure."""
    try:
        return list(look(subject))
    except Exception as error:
        name = look.__name__.replace("_", " ")
        return [Row(name, None, False, said(error), cure_of(error))]
