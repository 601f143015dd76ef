"""A model: which names are structure, which are numbers, and how a structure becomes a trial."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from fnopt import optim
from fnopt._checks import brief, nearest, one_of, unknown_number, whole
from fnopt._types import Optimizer, Score, Searchable, Trial
from fnopt.data.augment import Augmentation
from fnopt.model.augmenting import check_optimizer, missing
from fnopt.model.by_layer import check_layers, several
from fnopt.model.mlp import network_of
from fnopt.model.recipes import RECIPES
from fnopt.numbers import REAL, Range, on_host
from fnopt.space.columns import refuse_reserved
from fnopt.space.entry import has_ranges
from fnopt.space.epochs import NAME
from fnopt.space.stopping import STOP

ANY = (1, 2, ())  # features, outputs and metrics where a structure is looked at without data
TAKEN = {NAME: "is how long a configuration trains", STOP: "is what early stopping is called"}

BATCHES = ("short", "drop", "masked")  # what becomes of a last batch that is not whole


class Build(Protocol):
    """``build(structure, numbers, features, outputs, metrics) -> Trial``; equal arguments give an equal trial."""

    def __call__(
        self,
        structure: Mapping[str, Any],
        numbers: tuple[str, ...],
        features: int,
        outputs: int,
        metrics: tuple[Score, ...],
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
    augment: Augmentation | None = None  # of training batches; its numbers are among those of the model
    needs: Mapping[str, tuple[str, tuple[Any, ...]]] = field(default_factory=dict, repr=False)  # see ``lacks``
    layered: frozenset[str] = frozenset()  # names, of structure and numbers, that do nothing without a hidden layer

    def __post_init__(self) -> None:
        """Raise for a structure or a number of the declaration that cannot be, with what to write."""
        for name in self.ranges:
            refuse_reserved(name, "a model")
            if name in TAKEN:
                raise ValueError(f"the number {name!r} {TAKEN[name]}; call the model's own something else")
            if name in self.structure:
                raise ValueError(f"the number {name!r} is a name of structure; call the model's own something else")
        structure, numbers = self.split(None)
        _no_ranges({**structure, **numbers})
        trial, given = self.bind(structure, *ANY)
        self.complete(trial, given)
        if "hidden" in self.said:  # else a call may name the layers that numbers of the declaration are of
            self.check_layers(trial, given)
        if lacking := self.lacking({}, self.numbers):
            filled = RECIPES[self.recipe](self.task, 1, 1).get("optimizer")  # where a call leaves that to the recipe
            free = self.kind != "supervised" and "optimizer" not in self.said and filled is not None
            if not free or self.lacking({"optimizer": filled}, self.numbers):
                raise ValueError(lacking)

    def known(self) -> set[str]:
        """Every name that ``hyper`` and ``space`` may hold."""
        return {*self.structure, *self.ranges, *usual_numbers(), *numbers_of(self.structure["optimizer"])}

    def split(self, hyper: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """``hyper`` over the declaration, as (structure, numbers); an unknown name raises with the nearest one.

        ``epochs``, which a configuration may hold too, is how long it trains: neither of the two.
        """
        hyper = {name: value for name, value in dict(hyper or {}).items() if name not in (NAME, STOP)}
        self.check_names(list(hyper), [hyper.get("optimizer")])
        structure = {name: _static(name, hyper.get(name, value)) for name, value in self.structure.items()}
        numbers = {k: v for k, v in {**self.numbers, **hyper}.items() if k not in structure}
        for name, value in numbers.items():
            if value is None:
                raise ValueError(f"`{name}` must be a number, got None: leave the name out for its default")
        return structure, numbers

    def check_names(self, names: Sequence[str], optimizers: Sequence[Any] = ()) -> None:
        """ValueError for a name that neither the model nor one of these optimizers has, with the nearest one."""
        own = {n for o in optimizers if isinstance(o, Optimizer) for n in _fields(o)}
        known = self.known() | own
        for name in names:
            if name in known:
                continue
            if self.kind != "supervised":
                raise ValueError(f"unknown name {name!r}{missing(name) or nearest(name, known | {NAME})}")
            theirs = {
                n for o in (*optimizers, self.structure["optimizer"]) if o is not None for n in _fields(as_optimizer(o))
            }
            near = nearest(name, {*self.structure, *self.ranges, *theirs, NAME})
            raise ValueError(
                f"unknown name {name!r}{near if near.startswith('; did') else ''}; structure of a supervised model: "
                f"{', '.join(self.structure)}; its numbers: {', '.join(self.ranges) or 'none'}; its optimizer's: "
                f"{', '.join(sorted(theirs))}"
            )

    def used(self, structure: Mapping[str, Any], names: Sequence[str]) -> Sequence[str]:
        """All numbers that a structure has where these are given: of the model and of its optimizer."""
        optimizer = as_optimizer(structure["optimizer"])
        known = {*self.ranges, *_fields(optimizer), *usual_numbers()}
        trial, _ = self.bind({**structure, **{n: 1.0 for n in names if n in known}}, *ANY)
        return (*trial.numbers, *_fields(trial.optimizer))

    def check_values(self, structure: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
        """ValueError or TypeError for a structure or a number that cannot be, whatever the data are."""
        trial, given = self.bind({**structure, **numbers}, *ANY)
        self.complete(trial, given)
        self.check_layers(trial, given)

    def check_layers(self, trial: Trial, numbers: Mapping[str, Any]) -> None:
        """ValueError for a number by layer that has not as many parts as the network of a trial has layers."""
        network = network_of(trial) if any(several(name, x) for name, x in numbers.items()) else None
        if network is not None:
            check_layers(len(network.hidden), numbers)

    def lacking(self, hyper: Mapping[str, Any], given: Iterable[str]) -> str:
        """What is wrong with the first number among ``given`` that the structure of ``hyper`` lacks, and the cure.

        Empty where nothing is.
        """
        structure, _ = self.split(hyper)
        given, idle = list(given), self.idle(structure)
        for name in (name for name in given if name in idle):
            return f"`{name}` is of hidden layers, and hidden=() has none: leave it out, or give layers"
        names = [name for name in given if name not in structure and name not in (NAME, STOP)]
        has = self.used(structure, [*self.ranges, *names]) if names else ()
        for name in (name for name in names if name not in has):
            how = self.lacks(structure, name) or "leave it out, or choose a structure that has it"
            return f"this structure has no number {name!r}, it has {', '.join(sorted(has))}: {how}"
        return ""

    def idle(self, structure: Mapping[str, Any]) -> frozenset[str]:
        """The names of structure that change nothing in this one."""
        return frozenset(self.layered & structure.keys()) if structure.get("hidden") == () else frozenset()

    def lacks(self, structure: Mapping[str, Any], name: str) -> str:
        """How a structure comes to have a number, in words: ``needs`` says which structure that takes."""
        if name in self.layered and structure.get("hidden") == ():
            return "it is a number of hidden layers, and here hidden is ()"
        if name in self.needs:
            kind, options = self.needs[name]
            return f"it is a number of {kind}={' or '.join(map(repr, options))}, and here {kind} is {structure[kind]!r}"
        optimizer = as_optimizer(structure["optimizer"])
        if name == "weight_decay":
            return unknown_number(optimizer.name, name, _fields(optimizer))
        having = [o.name for o in optim.TABLE.values() if name in _fields(o)]
        return f"{optimizer.name} has none; take it out, or take {' or '.join(having[:3])}" if having else ""

    def bind(
        self, hyper: Mapping[str, Any] | None, features: int, outputs: int, metrics: tuple[Score, ...]
    ) -> tuple[Trial, dict[str, Any]]:
        """The trial of this configuration and the numbers it takes; numbers that its structure lacks are left out."""
        structure, numbers = self.split(hyper)
        structure |= {name: self.structure[name] for name in self.idle(structure)}  # so that equal nets are one trial
        optimizer = as_optimizer(structure["optimizer"])
        _check_batches(structure["batch_size"], structure["shuffle"])
        if "batch" in structure:
            one_of("batch", structure["batch"], BATCHES)
        structure["optimizer"] = optimizer
        if self.augment is not None:
            check_optimizer(self.augment, optimizer)
            structure["augment"] = self.augment
        theirs = _fields(optimizer) if self.kind != "supervised" else ()
        own = tuple(sorted(name for name in numbers if name in self.ranges and name not in theirs))
        cure = "; declare a number for each" if self.kind == "supervised" else ""
        _check_single({name: numbers[name] for name in own}, cure, layers=self.kind != "supervised")
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
def usual_numbers() -> frozenset[str]:
    """The numbers of all optimizers and wrappers that have a name: asked for each configuration of a sweep."""
    wrapped = [optim.WRAPPERS[name](optim.sgd) for name in optim.PLAIN]
    return frozenset(n for o in (*optim.TABLE.values(), *wrapped) for n in o.numbers._fields)  # pyright: ignore


def _fields(optimizer: Optimizer) -> tuple[str, ...]:
    """The names of an optimizer's numbers."""
    return optimizer.numbers._fields  # pyright: ignore[reportAttributeAccessIssue]


def numbers_of(optimizer: Any) -> tuple[str, ...]:
    """The names of the numbers of an optimizer that is no name; () for a name, whose numbers are usual ones."""
    return _fields(optimizer) if isinstance(optimizer, Optimizer) else ()


def _no_ranges(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if has_ranges(value):
            raise ValueError(f"`{name}` is a range to search, {value!r}: give a value here, or the space to fo.caviar")


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


def _check_single(numbers: Mapping[str, Any], cure: str, layers: bool = False) -> None:
    """A number of a model is one number, or one schedule of it; with ``layers`` some may be one of these a layer."""
    for name, value in numbers.items():
        if layers and several(name, value):
            _check_single({f"{name}.{k}": one for k, one in enumerate(value)}, cure)
            continue
        if isinstance(value, tuple | list | Mapping) or (not callable(value) and getattr(value, "ndim", 0) > 0):
            raise ValueError(f"`{name}` must be one number or one schedule, got {brief(value)}{cure}")


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
