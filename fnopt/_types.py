"""The contracts that every layer shares: read this file first.

Numbers are leaves, structure is static: whatever could be tuned as a number is a leaf of one of these records and may
be traced; whatever changes shapes or code is a static field, hashable and part of the tree structure.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import chex
import jax
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt import _html as html

Params = chex.ArrayTree  # pytree of floating arrays
Stats = chex.ArrayTree  # pytree of arrays that training collects but does not differentiate; () where there are none
Label = int | str


@runtime_checkable
class Schedule(Protocol):
    """A number over time: a pytree of numbers, called with the updates done so far (from 0)."""

    def __call__(self, step: ArrayLike) -> Array: ...


@runtime_checkable
class Searchable(Protocol):
    """A number that is still to be drawn: a search space standing where a value will stand."""

    def quantile(self, u: Array) -> Array: ...


class State(NamedTuple):
    """What every optimizer carries; wrappers nest only ``memory``, and ``hyper`` stays one flat record of numbers."""

    step: Array  # shape=(), int32; updates done so far
    params: Params
    hyper: Any  # NamedTuple of scalars or schedules
    memory: Any  # the optimizer's own


class InitState(Protocol):
    """``init(params, **numbers) -> State``: start at ``params``."""

    def __call__(self, params: Params, **numbers: Any) -> State: ...


class UpdateState(Protocol):
    """``update(state, grads, *, loss=None) -> State``: one step; ``loss`` is for those that ask for it."""

    def __call__(self, state: State, grads: Params, *, loss: Array | None = None) -> State: ...


class Cost(Protocol):
    """``cost(params) -> scalar``: what a step makes smaller, on the batch of that step, as a pure function."""

    def __call__(self, params: Params) -> Array: ...


class Edit(Protocol):
    """``edit(old, new) -> (params, told)``: where a step from ``old`` to ``new`` leads instead, and what else to tell.

    Both are shaped like the parameters, perhaps in a finer type, which is to be kept; ``told`` is any pytree.
    """

    def __call__(self, old: Params, new: Params) -> tuple[Params, Any]: ...


class UpdateEdited(Protocol):
    """``edited(state, grads, edit) -> (state, told)``: one step, edited before anything else is made of it."""

    def __call__(self, state: State, grads: Params, edit: Edit, **extra: Any) -> tuple[State, Any]: ...


def parameters(state: State) -> Params:
    """The weights to evaluate where an optimizer keeps no separate ones."""
    return state.params


def as_it_is(old: Params, new: Params) -> tuple[Params, Any]:
    """The Edit that leaves a step as it is."""
    del old
    return new, ()


def updates(state: State) -> Array:
    """The updates that schedules count, where every call of ``update`` is one."""
    return state.step


@dataclass(frozen=True)
class Optimizer:
    """A frozen value: ``init(params, **numbers) -> State``, ``update(state, grads) -> State``, ``readout(state)``.

    ``numbers`` is the NamedTuple class of its numbers (names and defaults; ``lr`` first).
    """

    name: str
    init: InitState = field(repr=False)
    update: UpdateState = field(repr=False)
    numbers: type = field(repr=False)
    readout: Callable[[State], Params] = field(default=parameters, repr=False)
    lr: float = field(default=1e-3, repr=False)  # where a search or a first run starts when nobody says
    hyper: Callable[..., Any] | None = field(
        default=None, repr=False
    )  # all numbers of those given, checked, as plain as they came
    wants_objective: bool = field(default=False, repr=False)  # whether ``update`` takes ``objective``, a Cost, by name
    elementwise: bool = field(default=True, repr=False)  # whether each entry moves by itself, so that padding is inert
    clock: Callable[[State], Array] = field(default=updates, repr=False)  # updates made: what its schedules count
    moments: tuple[str, ...] = field(
        default=(), repr=False
    )  # the fields of its memory that gather gradients: trees like the parameters, 0 at first
    edited: UpdateEdited | None = field(default=None, repr=False)  # None: nothing is made of a step but ``params``
    recipe: tuple[Any, ...] | None = field(
        default=None, repr=False, compare=False
    )  # of a wrapped one: (the wrapper's name, the Optimizer inside, settings)
    maker: tuple[Callable[..., Any], tuple[Any, ...]] | None = field(
        default=None, repr=False, compare=False
    )  # a function of a module and arguments that give it again, where it goes by no name


class Column(NamedTuple):
    """How one column of a table becomes numbers: as it is, one-hot over ``categories``, or the parts of a date.

    ``form`` is the order of a date's parts, as in "ymd hms"; ``marks`` are the texts that stand for a missing cell,
    None for the usual ones.
    """

    name: str
    categories: tuple[str, ...] | None = None
    form: str | None = None
    marks: tuple[str, ...] | None = None

    def to_json(self) -> list[Any]:
        """The column as JSON holds it."""
        return [list(part) if isinstance(part, tuple) else part for part in self]

    @classmethod
    def from_json(cls, parts: Sequence[Any]) -> "Column":
        """The column that ``to_json`` wrote; files of the first format hold the first two parts."""
        name, categories = parts[:2]
        form, marks = (*parts[2:], None, None)[:2]
        categories = None if categories is None else tuple(categories)
        return cls(name, categories, form, None if marks is None else tuple(marks))


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["x", "y", "weight"],
    meta_fields=["classes", "features", "columns", "missing", "target", "name"],
)
@dataclass(frozen=True)
class Dataset:
    """Examples in rows, with what their numbers mean.

    ``x`` is shape=(m, n_x) or (m, …), real numbers; ``y`` is shape=(m,) or (m, outputs): integers for classes,
    floating values, or 0/1 columns for labels; ``weight`` is shape=(m,), not negative, or None for all alike. Arrays
    are JAX's, or NumPy's where a device's types would lose digits, which :func:`fnopt.data.dataset` decides.
    ``classes[k]`` is what label ``k`` stands for, or None where the labels are what they are. ``columns`` say how a
    table's columns became ``x``. With ``missing="mean"`` a NaN in ``x`` is a missing cell, which takes its column's
    mean over the training part when a model is fitted; else NaN is an error there.
    """

    x: Any
    y: Any
    weight: Any = None
    classes: tuple[Label, ...] | None = None
    features: tuple[str, ...] | None = None
    columns: tuple[Column, ...] | None = None
    missing: str | None = None
    target: str = "y"
    name: str = "data"

    def _replace(self, **changes: Any) -> "Dataset":
        """A copy with these fields changed, as a NamedTuple has it."""
        return replace(self, **changes)

    def __len__(self) -> int:
        return self.x.shape[0]

    def _repr_html_(self) -> str:
        return dataset_html(self)


def dataset_html(data: Dataset) -> str:
    """What a dataset holds: how many rows, its first columns, its target."""
    kind = f"{len(data.classes)} classes" if data.classes is not None else f"target {data.target}"
    head = f"{data.name}: {len(data):,} rows, x of shape {tuple(data.x.shape[1:])}, {kind}"
    if not isinstance(data.x, Array | np.ndarray) or isinstance(data.x, Tracer):
        return html.page(html.heading(head))
    x = np.asarray(data.x[:SHOWN_ROWS], np.float64).reshape(min(len(data), SHOWN_ROWS), -1)[:, :SHOWN_COLUMNS]
    names = data.features or tuple(f"x{k}" for k in range(x.shape[1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a column that has no number at all
        moments = [f(x, axis=0) for f in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)]
    cells = [[f"{value:.5g}" if np.isfinite(value) else "–" for value in some] for some in moments]
    rows = [[name, *(some[k] for some in cells)] for k, name in enumerate(names[: x.shape[1]])]
    parts = [html.heading(head), html.table(["column", "mean", "deviation", "least", "largest"], rows)]
    columns = int(np.prod(data.x.shape[1:]))
    parts += [_and_more(columns - len(rows), "columns")]
    if data.classes is not None and np.ndim(data.y) == 1:
        counts = np.bincount(np.asarray(data.y).astype(int), minlength=len(data.classes))
        some = list(zip(data.classes, counts.tolist(), strict=False))[:SHOWN_COLUMNS]
        parts.append(html.table(["class", *(name for name, _ in some)], [["rows", *(count for _, count in some)]]))
        parts.append(_and_more(len(data.classes) - len(some), "classes"))
    return html.page(*parts)


def _and_more(count: int, what: str) -> str:
    return html.paragraph(f"… and {count:,} more {what}") if count > 0 else ""


SHOWN_ROWS, SHOWN_COLUMNS = 100_000, 12  # that a notebook's display looks at


class Batch(NamedTuple):
    """Some examples; the loss counts each by its weight, and padding by 0."""

    x: Array  # shape=(b, …)
    y: Array  # shape=(b,) or (b, outputs)
    weight: Array  # shape=(b,)
    mask: Any = None  # shape=(b,), bool; False for a row of padding. A model of ``supervised`` always gets it


class InitModel(Protocol):
    """``init(key, example, hyper) -> (params, stats)``; ``example`` is a batch of the training data's kind."""

    def __call__(self, key: chex.PRNGKey, example: Batch, hyper: Mapping[str, Array]) -> tuple[Params, Stats]: ...


class Loss(Protocol):
    """``loss(params, stats, batch, hyper, key, train) -> (one value an example, stats)``."""

    def __call__(
        self,
        params: Params,
        stats: Stats,
        batch: Batch,
        hyper: Mapping[str, Array],
        key: chex.PRNGKey | None,
        train: bool,
    ) -> tuple[Array, Stats]: ...


class Predict(Protocol):
    """``predict(params, stats, x, hyper) -> outputs``: logits for classes and labels, values for values."""

    def __call__(self, params: Params, stats: Stats, x: Array, hyper: Mapping[str, Array]) -> Array: ...


class Penalty(Protocol):
    """``penalty(params, hyper) -> scalar`` added to the mean loss."""

    def __call__(self, params: Params, hyper: Mapping[str, Array]) -> Array: ...


class Project(Protocol):
    """``project(params, hyper, lr) -> params``: after each update, onto what the numbers allow."""

    def __call__(self, params: Params, hyper: Mapping[str, Array], lr: Array) -> Params: ...


class Augment(Protocol):
    """``augment(key, x, hyper) -> x``: the inputs of a training batch, changed at random; see ``fo.data.augment``."""

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Array]) -> Array: ...

    def evaluated(self, x: Array) -> Array:
        """What the model sees of x outside training, of the shape and type that a call gives."""
        ...


@dataclass(frozen=True)
class Score:
    """A score of outputs, and whether more of it is better. Hashable: it is a part of a program's name.

    ``of(truth, outputs, weight) -> scalar`` takes labels and logits, or values and predicted values, of all examples
    of a part; an example of weight 0 is padding. None for the loss, which training reports by itself, and for a score
    whose function a file could not hold.
    """

    name: str
    of: Callable[[Array, Array, Array], Array] | None = field(default=None, repr=False)
    higher: bool = True
    unit: int = 0  # the power of the target's unit that it is in: 0 for R², 1 for an error, 2 for its square
    own: bool = False  # whether a user wrote it


@dataclass(frozen=True)
class Trial:
    """One structure, ready to train: the pure functions that the lane program runs. Hashable: it names a program.

    ``numbers`` are the names of the model's own numbers that this structure has; the optimizer's stand in its class.
    """

    init: InitModel = field(repr=False)
    loss: Loss = field(repr=False)
    predict: Predict = field(repr=False)
    optimizer: Optimizer
    task: str  # "classes", "values" or "labels"
    penalty: Penalty | None = field(default=None, repr=False)
    project: Project | None = field(default=None, repr=False)
    numbers: tuple[str, ...] = ()
    batch_size: int = 32
    shuffle: bool | str = True  # True: a pass over all examples; "replacement": draws; False: the order as it stands
    metrics: tuple[Score, ...] = ()  # what an epoch reports beside the loss
    link: str = "identity"  # from outputs to values: "identity", or "log" where outputs are log rates
    splits: bool = False  # whether a batch's loss is a sum over its examples, so that it may be taken in parts
    batch: str | None = None  # what becomes of a last batch that is not whole: "short", "drop" or "masked", see
    # ``supervised``; None: it is padded with rows of weight 0, which is all that the loss looks at
    augment: Augment | None = field(default=None, repr=False)  # of training batches alone; ``init``, ``predict`` and
    # ``loss`` outside training take x as it is in the data, and leave of it what ``evaluated`` leaves
