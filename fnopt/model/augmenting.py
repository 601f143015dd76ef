"""An augmentation as a part of a model's declaration: its numbers join the model's, its crops are what is evaluated."""

from collections.abc import Iterable, Mapping
from typing import Any

from jax import Array

from fnopt._types import Optimizer
from fnopt.data.augment import Augmentation
from fnopt.numbers import Range

STRENGTHS = ("flip", "flip_vertical", "zoom", "crop", "crop_to", "noise")  # of the augmentations of this package


def with_strengths(
    augment: Augmentation | None, ranges: Mapping[str, Range], numbers: Mapping[str, Any], taken: Iterable[str]
) -> tuple[dict[str, Range], dict[str, Any]]:
    """A model's ranges and numbers with those of its augmentation, the numbers at their defaults unless given.

    Raises:
        ValueError: for a strength with a name that is ``taken``, or that another number of the model has.

    >>> from fnopt.data.augment import flip
    >>> with_strengths(flip, {}, {"flip": 0.2}, ())[1], with_strengths(flip, {}, {}, ())[1]
    ({'flip': 0.2}, {'flip': 0.5})
    """
    strengths = {} if augment is None else augment.strengths
    for name in strengths:
        if name in ranges or name in {*taken}:
            raise ValueError(
                f"{name!r} is a strength of the augmentation and another name of the model: call the other one "
                "something else"
            )
    within = {name: one.within for name, one in strengths.items()}
    return {**ranges, **within}, {**{name: one.default for name, one in strengths.items()}, **numbers}


def check_optimizer(augment: Augmentation | None, optimizer: Optimizer) -> None:
    """ValueError where an optimizer has a number of the name of a strength."""
    fields: tuple[str, ...] = optimizer.numbers._fields  # pyright: ignore[reportAttributeAccessIssue]
    for name in () if augment is None else augment.strengths:
        if name in fields:
            raise ValueError(
                f"{name!r} is a strength of the augmentation and a number of {optimizer.name}: call that one something "
                "else"
            )


def view_of(augment: Augmentation | None) -> Augmentation | None:
    """The augmentation where it leaves a part of x outside training, else None."""
    return augment if augment is not None and augment.resizes else None


def viewed(view: Augmentation | None, x: Array) -> Array:
    """What a model sees of x outside training."""
    return x if view is None else view.evaluated(x)


def missing(name: str) -> str:
    """What to write where a number is one of an augmentation that the model does not have; "" for other names."""
    if name not in STRENGTHS:
        return ""
    how = f"{name}((24, 24))" if name == "crop_to" else name
    return f": it is a strength of an augmentation, declare augment=fo.data.augment.{how}"
