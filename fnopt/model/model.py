"""A model: which names are structure, which are numbers, and how a structure becomes a trial."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from fnopt import optim
from fnopt._checks import nearest, one_of, whole
from fnopt._types import Optimizer, Searchable, Trial
from fnopt.numbers import REAL, Range, on_host

BATCHES = ("short", "drop", "masked")  # what becomes of a last batch that is not whole


class Build(Protocol):
    """``build(structure, numbers, features, outputs, metrics) -> Trial``; equal arguments give an equal trial."""

    def __call__(
        self,
        structure: Mapping[str, Any],
        numbers: tuple[str, ...],
        features: int,
        outputs: int,
        metrics: tuple[str, ...],
    ) -> Trial:
        """The trial of one structure."""
        ...


@dataclass(frozen=True, eq=False)
class Model:
    """A declaration that can be fitted, swept and saved; made by ``classifier``, ``regressor``, ``multilabel``
    and ``supervised``.
    """

    kind: str
    task: str  # "classes", "values" or "labels"
    build: Build = field(repr=False)
    structure: Mapping[str, Any]  # every structural name with the value it has unless said otherwise
    ranges: Mapping[str, Range] = field(repr=False)  # the model's own numbers
    numbers: Mapping[str, Any] = field(default_factory=dict)  # numbers given at the declaration
    standardize: bool = True
    standardize_target: bool = True
    class_weight: Any = None  # None, "balanced" or {label: weight}
    said: frozenset[str] = frozenset()  # names of structure that were given; a recipe may fill in the others
    recipe: str = "default"  # what fills them in where a call says no epochs

    def known(self) -> set[str]:
        """Every name that ``hyper`` and ``space`` may hold."""
        given = self.structure["optimizer"]
        own = given.numbers._fields if isinstance(given, Optimizer) else ()  # pyright: ignore
        return {*self.structure, *self.ranges, *_usual_numbers(), *own}

    def split(self, hyper: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """``hyper`` over the declaration, as (structure, numbers); an unknown name raises with the nearest one.

        ``epochs``, which a configuration may hold too, is how long it trains: neither of the two.
        """
        hyper = {name: value for name, value in dict(hyper or {}).items() if name != "epochs"}
        known = self.known() | {
            n
            for o in [hyper.get("optimizer")]
            if isinstance(o, Optimizer)
            for n in o.numbers._fields  # pyright: ignore
        }
        for name in hyper:
            if name not in known:
                raise ValueError(f"unknown name {name!r}{nearest(name, known | {'epochs'})}")
        structure = {name: _static(name, hyper.get(name, value)) for name, value in self.structure.items()}
        numbers = {k: v for k, v in {**self.numbers, **hyper}.items() if k not in structure and v is not None}
        return structure, numbers

    def bind(
        self, hyper: Mapping[str, Any] | None, features: int, outputs: int, metrics: tuple[str, ...]
    ) -> tuple[Trial, dict[str, Any]]:
        """The trial of this configuration and the numbers it takes; numbers that its structure lacks are left out."""
        structure, numbers = self.split(hyper)
        optimizer = as_optimizer(structure["optimizer"])
        _check_batches(structure["batch_size"], structure["shuffle"])
        if "batch" in structure:
            one_of("batch", structure["batch"], BATCHES)
        structure["optimizer"] = optimizer
        theirs = optimizer.numbers._fields if self.kind != "supervised" else ()  # pyright: ignore
        own = tuple(sorted(name for name in numbers if name in self.ranges and name not in theirs))
        if self.kind == "supervised":
            _check_single({name: numbers[name] for name in own})
        trial = self.build(structure, own, features, outputs, metrics)
        if "lr" in optimizer.numbers._fields:  # pyright: ignore[reportAttributeAccessIssue]
            numbers.setdefault("lr", optimizer.lr)
        clash = {*trial.numbers} & {*optimizer.numbers._fields}  # pyright: ignore[reportAttributeAccessIssue]
        if clash:
            name = sorted(clash)[0]
            raise ValueError(f"the model's number {name!r} is one of {optimizer.name}'s too; call it something else")
        mine = {*trial.numbers, *optimizer.numbers._fields}  # pyright: ignore[reportAttributeAccessIssue]
        return trial, {name: value for name, value in numbers.items() if name in mine}

    def complete(self, trial: Trial, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """All numbers that the trial takes, the optimizer's defaults included.

        Raises:
            ValueError, TypeError: for a concrete number out of its range.
        """
        for name in trial.numbers:
            jax.tree.map(
                lambda x, name=name: on_host(name, x, self.ranges.get(name, REAL)), numbers[name], is_leaf=_is_number
            )
        names = trial.optimizer.numbers._fields  # pyright: ignore[reportAttributeAccessIssue]
        given = {n: numbers[n] for n in names if n in numbers}
        if trial.optimizer.hyper is not None:
            hyper = trial.optimizer.hyper(**given)
        else:
            hyper = trial.optimizer.init({"w": jnp.zeros((1, 1))}, **given).hyper
        return {**{name: numbers[name] for name in trial.numbers}, **hyper._asdict()}


@cache
def _usual_numbers() -> frozenset[str]:
    """The numbers of all optimizers and wrappers that have a name: asked for each configuration of a sweep."""
    wrapped = [optim.WRAPPERS[name](optim.sgd) for name in optim.PLAIN]
    return frozenset(n for o in (*optim.TABLE.values(), *wrapped) for n in o.numbers._fields)  # pyright: ignore


def as_optimizer(value: Any) -> Optimizer:
    """An optimizer from its name, or the value itself."""
    if isinstance(value, Optimizer):
        return value
    if isinstance(value, str):
        return optim.by_name(value)
    raise TypeError(f"`optimizer` must be a name or an Optimizer, got {type(value).__name__}")


def _check_batches(batch_size: Any, shuffle: Any) -> None:
    whole("batch_size", batch_size)
    if shuffle not in (True, False, "replacement"):
        raise ValueError(f"`shuffle` must be True, False or 'replacement', got {shuffle!r}")


def _check_single(numbers: Mapping[str, Any]) -> None:
    """A number of a user's model is one number, or one schedule of it."""
    for name, value in numbers.items():
        if isinstance(value, tuple | list | Mapping) or (not callable(value) and getattr(value, "ndim", 0) > 0):
            raise ValueError(f"`{name}` must be one number or one schedule, got {value!r}; declare a number for each")


def _is_number(x: Any) -> bool:
    return callable(x) or isinstance(x, Searchable)


def _static(name: str, value: Any) -> Any:
    """Structure must be hashable; lists become tuples, whole arrays of width become ints."""
    if isinstance(value, list):
        value = tuple(value)
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    try:
        hash(value)
    except TypeError as error:
        if isinstance(value, tuple):
            raise TypeError(f"`{name}` is one value, got several, {value!r}; to search, write fo.choice(…)") from error
        raise TypeError(f"`{name}` is structure and must be hashable, got {type(value).__name__}") from error
    return value
