"""Hypergradients: how the dev loss of a whole run moves with every number of it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt._checks import nearest, one_of, whole
from fnopt._compile import TRACES
from fnopt._types import Batch, Dataset, Trial
from fnopt.model import Model, Prepared, prepare
from fnopt.model.resolution import warn_unresolved
from fnopt.run.setup import as_key, bind, check_hyper
from fnopt.schedules import filled, follows
from fnopt.space.epochs import own_length
from fnopt.train import Keys, Part, batches_per_epoch, keys_of
from fnopt.train.part import part, seen_by
from fnopt.train.unroll import unrolled

MODES = ("reverse", "forward")


class Hypergradient(NamedTuple):
    """``loss, derivatives = hypergrad(…)``."""

    loss: Array  # shape=(); mean dev loss at the end of the run, penalty left out
    derivatives: dict[str, Array]  # dotted name of a number -> d loss / d number, shape=()


class Problem(NamedTuple):
    """A run as a function of its numbers, and where it stands."""

    trial: Trial
    numbers: Any  # {name: scalar, schedule or tuple}, leaves of the default float type
    data: tuple[Batch, Part, Part]  # example, train, dev
    keys: Keys
    steps: int
    batches: int  # of an epoch
    batch_size: int | None = None  # where it is taken in parts of the trial's own, as in a sweep over batch sizes

    @property
    def names(self) -> list[str]:
        """The dotted name of each leaf of ``numbers``."""
        return tree.names(self.numbers)

    def at(self, leaves: Sequence[Any]) -> "Problem":
        """The same run with other values of all numbers, in the order of ``names``."""
        f = jnp.result_type(float)
        return self._replace(
            numbers=jax.tree.unflatten(jax.tree.structure(self.numbers), [jnp.asarray(x, f) for x in leaves])
        )


def hypergrad(
    model: Model | Trial,
    train: Dataset,
    dev: Dataset,
    hyper: Mapping[str, Any] | None = None,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    wrt: str | Sequence[str] | None = None,
    key: Any = None,
    mode: str = "reverse",
) -> Hypergradient:
    """d L_dev(θ_k) / d number, through all k updates of the run that ``fit`` would make.

    θ_{t+1} = u(θ_t, ∇J_t(θ_t); numbers), and the derivative of L_dev(θ_k) goes back through every u, the weights' draw
    included. Dropout masks, the order of examples and initial weights are those of ``key`` and are held fixed: of
    ``dropout`` the derivative is that of the scale 1/(1 − rate) alone, and not of which units are dropped.
    Reverse mode takes about four runs for all numbers together, and memory that grows with √k; forward mode about
    one run for each number, and hardly any memory. A long run at too large a learning rate is chaotic, and its
    derivative is then right, huge and of no use.

    Args:
        model: from ``classifier`` and its like; or a ``Trial``, which takes the data as they are, unscaled.
        train: what to learn from.
        dev: what the derivative is of: its mean loss without the penalty, in the units of training.
        hyper: structure and numbers by name, as for ``fit``; a number may be a schedule.
        epochs: passes over ``train``, ≥ 1; those of ``hyper``, else 1, unless this or ``steps`` is given.
        steps: updates instead, ≥ 1.
        wrt: a number's name, or several, ``"lr.peak"`` for one of a schedule; None for all. A number that another
            follows unless given (momentum's ``dampening`` follows ``beta``) moves with it, and is not listed.
        key: what the run draws from; ``jax.random.key(0)`` unless given.
        mode: ``"reverse"`` or ``"forward"``.

    Returns:
        ``(loss, derivatives)``: a scalar and a dict of scalars, float32, or float64 where the data are float64 and x64
        is on. NaN where the run diverged.

    Raises:
        ValueError: for structure in ``wrt`` (``batch_size``, ``hidden``), and for an unknown name; and as ``fit`` does.

    Source: Maclaurin, Duvenaud and Adams, "Gradient-based Hyperparameter Optimization through Reversible Learning",
    2015, https://arxiv.org/abs/1502.03492; Franceschi et al., "Forward and Reverse Gradient-Based Hyperparameter
    Optimization", 2017, https://arxiv.org/abs/1703.01785.

    >>> from fnopt import data, model
    >>> train, dev = data.split(data.iris(), (0.7, 0.3), key=jax.random.key(0))
    >>> loss, slopes = hypergrad(model.classifier(hidden=(4,)), train, dev, dict(lr=0.01), steps=5, wrt=("lr", "b1"))
    >>> sorted(slopes), float(slopes["lr"]) < 0
    (['b1', 'lr'], True)
    """
    problem = problem_of(model, train, dev, hyper, epochs=epochs, steps=steps, key=key)
    places = places_of(problem, chosen(model, problem, wrt))
    return slope(problem, places, mode)


def _data_of(problem: Problem) -> tuple[Batch, Part, Part]:
    """The data, their number of rows known to the compiler where no padding may be read."""
    example, train, dev = problem.data
    return example, seen_by(problem.trial, train), seen_by(problem.trial, dev)


def slope(problem: Problem, places: Sequence[int], mode: str = "reverse") -> Hypergradient:
    """Loss and derivatives with respect to the numbers at these places of ``problem.names``."""
    one_of("mode", mode, MODES)
    where = tuple(places)
    loss, slopes = _slope(problem.numbers, _data_of(problem), problem.keys, **_static(problem), places=where, mode=mode)
    return Hypergradient(loss, {problem.names[i]: slopes[k] for k, i in enumerate(where)})


def loss_at(problem: Problem) -> Array:
    """The dev loss at the end of the run, without a derivative: one training."""
    return _loss(problem.numbers, _data_of(problem), problem.keys, **_static(problem))


def problem_of(
    model: Model | Trial,
    train: Dataset,
    dev: Dataset,
    hyper: Mapping[str, Any] | None,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    key: Any = None,
) -> Problem:
    """The run that ``hypergrad`` is asked about; raises for what cannot be."""
    if dev is None:
        raise ValueError("a hypergradient is the derivative of the loss on `dev`: give one")
    if epochs is not None and steps is not None:
        raise ValueError(f"give `epochs` or `steps`, not both, got epochs={epochs} and steps={steps}")
    if isinstance(model, Trial):
        trial, given = model, dict(hyper or {})
        first, second = _as_it_is(train), _as_it_is(dev)
        data = Batch(first.x[:1], first.y[:1], first.weight[:1]), first, second
    elif isinstance(model, Model):
        prepared = prepare(model, train, dev)
        check_hyper(model, hyper)
        trial, given, _, _ = bind(model, hyper, prepared, ())
        data = _of(prepared)
    else:
        raise TypeError(f"`model` must come from fo.classifier and its like, or be a Trial, got {type(model).__name__}")
    batches = batches_per_epoch(int(data[1].rows), trial.batch_size, trial.batch)
    passes = own_length(hyper, 1) if epochs is None else whole("epochs", epochs)
    count = batches * passes if steps is None else whole("steps", steps)
    keys = keys_of(as_key(key), trial.augment is not None)
    return Problem(trial, own_numbers(trial, given, batches), data, keys, count, batches)


def own_numbers(trial: Trial, given: Mapping[str, Any], batches: int) -> dict[str, Any]:
    """All numbers that stand on their own: those given and the optimizer's defaults, schedules filled in."""
    defaults = getattr(trial.optimizer.numbers, "_field_defaults", {})
    everything = {**{k: v for k, v in defaults.items() if v is not None}, **given}
    names = [*trial.numbers, *trial.optimizer.numbers._fields]  # pyright: ignore[reportAttributeAccessIssue]
    missing = [name for name in trial.numbers if name not in everything]
    if missing:
        raise ValueError(f"this trial takes the number {missing[0]!r}: write hyper=dict({missing[0]}=…)")
    f = jnp.result_type(float)
    mine = {name: filled(everything[name], batches) for name in names if name in everything}
    if follows(mine):
        raise ValueError(
            "a plateau looks at scores between epochs, and has no derivative: put a schedule of the step in its place"
        )
    return jax.tree.map(lambda x: jnp.asarray(x, f), mine)


def chosen(model: Model | Trial, problem: Problem, wrt: str | Sequence[str] | None) -> list[str]:
    """The dotted names that are asked for; ValueError for structure and for what is not there."""
    known = [name for name in problem.names if not name.endswith("steps_per_epoch")]  # that one follows the data
    if wrt is None:
        return known
    asked: list[str] = []
    for name in [wrt] if isinstance(wrt, str) else wrt:
        inside = [k for k in known if k == name or k.startswith(f"{name}.")]
        if not inside:
            raise ValueError(_refused(model, name, known, problem))
        asked += [k for k in inside if k not in asked]
    if not asked:
        raise ValueError(f"`wrt` names no number; this run has {', '.join(known)}")
    return asked


def places_of(problem: Problem, names: Sequence[str]) -> list[int]:
    """Where these names stand among the leaves."""
    return [problem.names.index(name) for name in names]


def _refused(model: Model | Trial, name: str, known: list[str], problem: Problem) -> str:
    structure = model.structure if isinstance(model, Model) else ("batch_size", "shuffle", "optimizer")
    if name in structure:
        return (
            f"`{name}` is structure, not a number: the dev loss has no derivative with respect to it; search it with "
            f"fo.caviar. Numbers of this run: {', '.join(known)}"
        )
    fields = problem.trial.optimizer.numbers._fields  # pyright: ignore[reportAttributeAccessIssue]
    if name in fields:
        return f"`{name}` follows another number here and has no derivative of its own: give it a value in `hyper`"
    if isinstance(model, Model) and name in model.ranges:
        return f"the model's number `{name}` is not given: give it a value in `hyper`; this run has {', '.join(known)}"
    return f"a number of the model must be given in `hyper`, and this run has no {name!r}{nearest(name, known)}"


def _of(prepared: Prepared) -> tuple[Batch, Part, Part]:
    assert prepared.dev is not None
    return prepared.example, prepared.train, prepared.dev


def _as_it_is(data: Dataset) -> Part:
    ones = np.ones(len(data))
    weight = ones if data.weight is None else np.asarray(data.weight)
    pull = weight / weight.mean()
    x, y = jnp.asarray(data.x), jnp.asarray(data.y)
    for name, given, seen in (("x", data.x, x), ("y", data.y, y)):
        warn_unresolved(name, np.asarray(given), np.asarray(seen), None, "scale it in float64 before")
    return part(x, y, weight, pull, 0.0, 1.0)


def _static(problem: Problem) -> dict[str, Any]:
    length = {"steps": problem.steps, "batches": problem.batches, "batch_size": problem.batch_size}
    return {"trial": problem.trial, "length": tuple(length.items())}


@partial(jax.jit, static_argnames=("trial", "length"))
def _loss(numbers: Any, data: tuple[Batch, Part, Part], keys: Keys, *, trial: Trial, length: Any) -> Array:
    TRACES["unrolled"] += 1
    return unrolled(trial, numbers, *data, keys=keys, **dict(length))


@partial(jax.jit, static_argnames=("trial", "length", "places", "mode"))
def _slope(
    numbers: Any,
    data: tuple[Batch, Part, Part],
    keys: Keys,
    *,
    trial: Trial,
    length: Any,
    places: tuple[int, ...],
    mode: str,
) -> tuple[Array, Array]:
    """The loss, and its derivatives with respect to the leaves at ``places``, shape=(len(places),)."""
    TRACES["hypergrad"] += 1
    leaves, structure = jax.tree.flatten(numbers)

    def loss(some: Array) -> Array:
        now = list(leaves)
        for k, i in enumerate(places):
            now[i] = some[k]
        return unrolled(trial, structure.unflatten(now), *data, keys=keys, **dict(length))

    here = jnp.stack([leaves[i] for i in places])
    if mode == "reverse":
        return jax.value_and_grad(loss)(here)
    losses, slopes = jax.vmap(lambda t: jax.jvp(loss, (here,), (t,)), out_axes=(None, 0))(
        jnp.eye(len(places), dtype=here.dtype)
    )
    return losses, slopes
