"""One row of the contract: what was looked at, what was found, and the cure."""

from typing import NamedTuple

import jax


class Row(NamedTuple):
    """One property, of one number where it is about one."""

    property: str
    number: str | None
    passed: bool
    found: str = ""
    cure: str = ""


LEAF = "keep every number in the state, state.hyper being a NamedTuple of them, and read it from there in update"
WHERE = "write jnp.where instead of a Python `if`, and check ranges only where the number is no jax.core.Tracer"
INIT = "give every array of the state its type and shape in init, and cast what update computes back to it"
CHECKED = "check in init: fnopt.numbers.as_number(name, x, range) refuses vectors, text and what is out of range"
SAFE = "mask before and after: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1)), 0)"


def said(error: Exception) -> str:
    """An error in a line."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first[:100]}"


def cure_of(error: Exception) -> str:
    """What to write instead, from the kind of error."""
    if isinstance(error, jax.errors.UnexpectedTracerError):
        return "a value is kept outside the state (in the object, or a closure): return it in the state"
    if isinstance(error, jax.errors.ConcretizationTypeError | jax.errors.TracerBoolConversionError):
        return WHERE
    return "keep shapes, types and structure of the state as init made them"
