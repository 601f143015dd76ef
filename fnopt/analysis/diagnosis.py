"""Bias or variance: what the curves and errors of a training say, and what to try next."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnopt import _html as html
from fnopt import penalties
from fnopt._checks import brief, real, whole
from fnopt.analysis import advice
from fnopt.analysis.advice import Finding
from fnopt.analysis.divergence import Divergence, divergence_of
from fnopt.analysis.gaps import Gap, Gaps, gaps_of
from fnopt.analysis.learning_curves import Turn, turn_of, value_at
from fnopt.analysis.signals import findings_of
from fnopt.train.bounds import EXPLAINED, ROUNDING, Bounds, bounds_of, of_error

KNOWN = {"loss": False, "accuracy": True, "r2": True}  # scores whose direction needs no word
RATES = ("accuracy", "zero_one")  # shares of examples: their noise is binomial
SHARE_TOLERANCE = 0.01  # a gap of errors in percent up to this is too small to act on
TOLERANCE = 0.05  # of the largest error, for those in another unit

Curves = Mapping[str, Any]


@dataclass(frozen=True)
class Diagnosis:
    """What :func:`diagnose` found; printed, one paragraph of plain advice.

    ``errors`` holds the error of each part, ``bias``, ``variance`` and ``mismatch`` the gaps between them (a value, its
    standard ``error``, and what it must be ``beyond`` to count), None where a part is missing, and all three where
    training diverged or the target is constant: errors then say nothing of bias. ``dominant`` is the
    greatest gap that counts, or ``"none"``. ``turn`` is where the dev loss had its minimum. Each of ``findings`` is a
    sentence with its number and its rows of the notes. ``within`` are the configurations of a sweep that its
    noise cannot distinguish from the winner.
    """

    metric: str
    target: float
    errors: dict[str, float]
    bias: Gap | None
    variance: Gap | None
    mismatch: Gap | None
    dominant: str
    turn: Turn | None
    findings: tuple[Finding, ...] = field(repr=False)
    within: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.findings))

    def _repr_html_(self) -> str:
        return html.page(*(html.paragraph(finding) for finding in self.findings))


def diagnose(
    curves: Curves | Sequence[Curves],
    *,
    target: float | None = None,
    train_dev: float | Sequence[float] | None = None,
    metric: str | None = None,
    higher: bool | None = None,
    epoch: int | Sequence[int | None] | None = None,
    each: Mapping[str, Any] | None = None,
    examples: int | Mapping[str, int] | None = None,
    parameters: int | None = None,
    tolerance: float | None = None,
    full_batch: bool = False,
    hyper: Mapping[str, Any] | None = None,
    signals: Sequence[Mapping[str, Any]] | None = None,
    weights: Any = None,
    headroom: float | None = None,
    diverged: str | None = None,
    constant: str | None = None,
) -> Diagnosis:
    """Bias, variance and mismatch with their noise, what the curves say, and advice.

    With the error e of a part (1 − score where more is better, else the score itself):

        avoidable bias = e(train) − target,   variance = e(dev) − e(train);

    with a train-dev part, which is held out of the training distribution, variance = e(train-dev) − e(train) and
    mismatch = e(dev) − e(train-dev). A gap counts where it is beyond its noise (95 %) and beyond ``tolerance``; the
    greatest that counts dominates. Without a dev part there is the bias alone.

    Where training diverged, that is all it says: where ``diverged`` tells so, or in any repeat a loss or the cost is
    not finite after the last epoch, or a million times what it was after the first.

    The noise comes from the differences over the repeats, where there are several; of one run from ``each``, or
    binomially from ``examples`` for shares of examples; else it is not known, and not counted.

    Args:
        curves: as ``run.history``: ``{"train": {"loss": …, "accuracy": …}, "dev": {…}, "cost": …}``, each
            shape=(epochs,), NaN where it was not taken; a part may be the array of its loss. Or one such a seed or
            fold. ``dev`` and ``cost`` may be missing.
        target: the error that can be reached, as a human's, 1 − accuracy; 0 unless given, and the bias is then "at
            most".
        train_dev: the *score* of the train-dev part, one a repeat.
        metric: the score whose error counts; unless given the first there is of accuracy, r2 and loss.
        higher: whether more of it is better; of other scores than these three it must be said.
        epoch: whose weights count, from 1, one a repeat; the last unless given, and where it is None.
        each: by part, the errors of single examples, shape=(n,), whose mean is the part's error.
        examples: how many a part has, as ``dict(train=1078, dev=360)``; one number is those of train.
        parameters: how many the network has.
        tolerance: a gap up to this does not count; .01 for errors from 0 to 1, else a twentieth of the largest error.
        full_batch: whether each update sees all examples: its cost should never rise.
        hyper: structure and numbers by name, so that advice knows what is already done.
        signals: a table of layers, as ``fo.check.signals(…).table``.
        weights: the parameters, where L1 may have set some to exactly 0.
        headroom: how many times larger the learning rate could be before configurations diverge.
        diverged: why it is known that training diverged, as the ``why`` of a run with this status.
        constant: the part in which the target never varies: there R² and its like are a convention, and no gaps.

    Returns:
        a ``Diagnosis``.

    Raises:
        ValueError: without a training curve, for a metric that the curves do not have, and for one whose direction is
            not known; for numbers out of their range, as an accuracy, a target or ``train_dev`` in percent.
        TypeError: for curves that are no dictionary, and a sequence that holds anything else.

    Source: Ng, "Machine Learning Yearning", 2018, chapters 20 to 43, for the four errors and what to do about each.

    >>> curves = dict(train=dict(loss=[0.9, 0.4, 0.1], accuracy=[0.6, 0.9, 0.997]),
    ...               dev=dict(loss=[0.9, 0.5, 0.4], accuracy=[0.6, 0.88, 0.93]))
    >>> found = diagnose(curves, target=0.01, examples=dict(train=1000, dev=1000))
    >>> found.dominant, str(found)[:64]
    ('variance', 'Avoidable bias -0.7 % ± 0.2 %, variance 6.7 % ± 0.8 %: variance ')
    """
    some, hyper, examples = _some(curves), hyper or {}, _examples(examples)
    metric, higher = _metric(some, metric, higher)
    epochs = _epochs(epoch, some, metric)
    target = None if target is None else _target(target, metric, higher)
    tolerance = None if tolerance is None else real("tolerance", tolerance, "≥ 0", lambda x: x >= 0)
    parameters = None if parameters is None else whole("parameters", parameters, 0)
    errors = _errors(some, metric, higher, epochs, train_dev)
    turn = None if (loss := _mean_curve(some, "dev", "loss")) is None else turn_of(loss)
    only = _only(some, metric, higher, diverged, constant, examples)
    if only is not None:
        means = {part: float(np.mean(values)) for part, values in errors.items()}
        return Diagnosis(metric, target or 0.0, means, None, None, None, "none", turn, (only,))
    if "train" not in errors:
        raise ValueError(f"{metric!r} of the training part is nowhere finite: there is nothing to diagnose")
    largest = max(float(np.max(np.abs(values))) for values in errors.values())
    tolerance = (SHARE_TOLERANCE if higher else TOLERANCE * largest) if tolerance is None else tolerance
    gaps = gaps_of(errors, target or 0.0, each=each, examples=examples, rate=metric in RATES, tolerance=tolerance)
    noise = _source(len(some), each, examples, metric)
    improving = turn is not None and turn.improving
    found = [advice.of_gaps(gaps, higher, target is not None, hyper, improving)]
    found += _about_noise(gaps, higher, noise, target is not None)
    found += [one] if turn and (one := advice.of_turn(turn, epochs[0] if len(some) == 1 else None)) else []
    found += _about_cost(some, full_batch)
    if parameters is not None and "train" in examples:
        found.append(advice.of_size(parameters, examples["train"], gaps.dominant == "variance"))
    found += advice.of_signals(findings_of(signals)) if signals else []
    found += [] if weights is None else _about_zeros(weights)
    found += [one] if headroom is not None and (one := advice.of_headroom(headroom)) else []
    return Diagnosis(
        metric, gaps.target, gaps.errors, gaps.bias, gaps.variance, gaps.mismatch, gaps.dominant, turn, tuple(found)
    )


def _curve(curves: Curves, part: str, name: str) -> Any:
    """One curve; None where it is not there."""
    rows = curves.get(part)
    if rows is None:
        return None
    if isinstance(rows, Mapping):
        return rows.get(name)
    return rows if name == "loss" else None


def _metric(some: Sequence[Curves], metric: str | None, higher: bool | None) -> tuple[str, bool]:
    """The score whose error counts, and whether more of it is better."""
    if not some or any(curves.get("train") is None for curves in some):
        raise ValueError("`curves` must hold the training part: dict(train=dict(loss=…), dev=dict(loss=…))")
    if metric is None:
        rows = some[0]["train"]
        there = [name for name in ("accuracy", "r2", "loss") if _curve(some[0], "train", name) is not None]
        if not there:
            raise ValueError(f"say metric= and higher=: the training part has {', '.join(rows)}")
        metric = there[0]
    if any(_curve(curves, "train", metric) is None for curves in some):
        raise ValueError(f"the training part has no curve of {metric!r}: follow it in training, or leave metric= out")
    if higher is None and metric not in KNOWN:
        raise ValueError(f"whether more {metric!r} is better is not known: say higher=True or higher=False")
    return metric, KNOWN[metric] if higher is None else higher


def _errors(
    some: Sequence[Curves], metric: str, higher: bool, epochs: Sequence[int | None], train_dev: Any
) -> dict[str, np.ndarray]:
    """The errors of each part at the weights that count, shape=(repeats,)."""
    found: dict[str, Any] = {}
    for part in ("train", "dev"):
        rows = [_curve(curves, part, metric) for curves in some]
        if all(row is not None for row in rows):
            _within(rows, metric, part)
            values = np.array([value_at(row, epoch) for row, epoch in zip(rows, epochs, strict=True)])
            if np.isfinite(values).all():
                found[part] = values
    if train_dev is not None:
        found["train_dev"] = _held_out(train_dev, len(some), metric)
    return {part: 1 - values if higher else values for part, values in found.items()}


def _within(rows: Sequence[Any], metric: str, part: str) -> None:
    """ValueError for a curve that is none, and for scores that there cannot be."""
    bounds = bounds_of(metric)
    for row in rows:
        try:
            values = np.asarray(row, np.float64).reshape(-1)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{metric!r} of the {part} part must be numbers, one an epoch, got {brief(row)}"
            ) from error
        far = [float(x) for x in values[np.isfinite(values)] if not bounds.hold(x, ROUNDING)]
        if far:
            cure = "" if bounds != Bounds(0.0, 1.0) else ": give shares, not percent"
            raise ValueError(f"{metric!r} of the {part} part must be {bounds}, got {far[0]:g}{cure}")


def _some(curves: Any) -> list[Curves]:
    """The curves of each repeat."""
    wanted = "dict(train=dict(loss=…), dev=dict(loss=…)), as run.history, or a list of such, one a repeat"
    if not isinstance(curves, Iterable) or isinstance(curves, str):
        raise TypeError(f"`curves` must be {wanted}; got {brief(curves)}")
    some: list[Any] = [curves] if isinstance(curves, Mapping) else list(curves)
    odd = [one for one in some if not isinstance(one, Mapping)]
    if odd:
        raise TypeError(f"`curves` must be {wanted}; got a list that holds {brief(odd[0])}")
    return some


def _examples(examples: Any) -> dict[str, int]:
    """How many examples each part has."""
    if examples is None:
        return {}
    if isinstance(examples, Mapping):
        return {part: whole(f"examples[{part!r}]", count) for part, count in examples.items()}
    return {"train": whole("examples", examples)}


def _epochs(epoch: Any, some: Sequence[Curves], metric: str) -> list[int | None]:
    """Whose weights count, in each repeat; None for the last."""
    if epoch is None or not isinstance(epoch, Sequence | np.ndarray) or np.ndim(epoch) == 0:
        epoch = [epoch] * len(some)
    if len(epoch) != len(some):
        raise ValueError(f"`epoch` must be one epoch a repeat, {len(some)}, got {len(epoch)}")
    found = [None if one is None else whole("epoch", one) for one in epoch]
    for one, curves in zip(found, some, strict=True):
        last = len(np.reshape(_curve(curves, "train", metric), -1))
        if one is not None and one > last:
            raise ValueError(f"`epoch` must be one of the {last} epochs of the curves, from 1, got {one}")
    return found


def _target(target: Any, metric: str, higher: bool) -> float:
    """The error that can be reached."""
    bounds = of_error(bounds_of(metric), higher)
    if not str(bounds):
        return real("target", target)
    error = f"1 − {metric}" if higher else metric
    wanted = f"{bounds}, the error ({error}) that can be reached"
    if higher:
        wanted += f", as 0.03 where {metric} can be 0.97"
    return real("target", target, wanted, bounds.hold)


def _held_out(train_dev: Any, repeats: int, metric: str) -> np.ndarray:
    """The scores of the train-dev part, shape=(repeats,)."""
    listed = list(train_dev) if isinstance(train_dev, Sequence) and not isinstance(train_dev, str) else None
    if listed is None:
        listed = list(train_dev.reshape(-1)) if isinstance(train_dev, np.ndarray) else [train_dev]
    bounds = bounds_of(metric)
    wanted = f"{bounds}, the {metric} of the train-dev part".lstrip(", ")
    values = [real("train_dev", one, wanted, lambda x: bounds.hold(x, ROUNDING)) for one in listed]
    if len(values) != repeats:
        raise ValueError(f"`train_dev` must be one score a repeat, {repeats}, got {len(values)}")
    return np.array(values)


def _only(
    some: Sequence[Curves],
    metric: str,
    higher: bool,
    diverged: str | None,
    constant: str | None,
    examples: Mapping[str, int],
) -> Finding | None:
    """What alone is to say: that a training diverged, or that the target is constant; None where neither is so."""
    found = [_diverged(curves, metric, higher) for curves in some]
    lost = min((one for one in found if one is not None), key=lambda one: one.epoch, default=None)
    if diverged is not None:
        cost = some[0].get("cost")
        last = len(cost if cost is not None else np.reshape(_curve(some[0], "train", metric), -1))
        return advice.of_divergence(
            last if lost is None else lost.epoch, diverged or ("" if lost is None else lost.why)
        )
    if lost is not None:
        return advice.of_divergence(*lost)
    if constant is not None and metric in EXPLAINED:
        return advice.of_constant(constant, examples.get(constant), metric)
    return None


def _diverged(curves: Curves, metric: str, higher: bool) -> Divergence | None:
    """Whether one repeat diverged, by its losses, its cost and what it is judged by."""
    parts: dict[str, Any] = {}
    for part in ("train", "dev"):
        if (loss := _curve(curves, part, "loss")) is not None:
            parts[f"{part} loss"] = loss
        score = _curve(curves, part, metric)
        if metric != "loss" and math.isinf(of_error(bounds_of(metric), higher).high) and score is not None:
            error = np.asarray(score, np.float64)
            parts[f"{part} {'1 − ' if higher else ''}{metric}"] = 1 - error if higher else error
    return divergence_of(parts, curves.get("cost"))


def _mean_curve(some: Sequence[Curves], part: str, name: str) -> np.ndarray | None:
    """A curve's mean over the repeats, as far as all of them go; None where one lacks it."""
    rows = [_curve(curves, part, name) for curves in some]
    if any(row is None for row in rows):
        return None
    least = min(len(row) for row in rows)
    return np.mean([np.asarray(row, np.float64)[:least] for row in rows], axis=0) if least else None


def _source(repeats: int, each: Any, examples: Mapping[str, int], metric: str) -> str:
    """What the standard errors come from, in words; "" where there are none."""
    if repeats > 1:
        return f"{repeats} seeds and folds"
    part = "dev" if "dev" in examples or "dev" in (each or {}) else "train"
    count = len(each[part]) if part in (each or {}) else examples.get(part) if metric in RATES else None
    return "" if count is None else f"{count:,} {part} examples"


def _about_noise(gaps: Gaps, share: bool, source: str, given: bool) -> list[Finding]:
    """What the ± stand on, and where the target was undercut."""
    error = gaps.noise["dev" if "dev" in gaps.noise else "train"]
    found = [advice.of_noise(error, source, share)] if source and np.isfinite(error) else []
    under = advice.of_target(gaps, share) if given else None
    return [*found, *([under] if under else [])]


def _about_cost(some: Sequence[Curves], full_batch: bool) -> list[Finding]:
    """What the training cost says, of the first repeat of which it says anything."""
    costs = [np.asarray(curves["cost"], np.float64) for curves in some if curves.get("cost") is not None]
    each = [advice.of_cost(cost, full_batch) for cost in costs if len(cost)]
    return next((found for found in each if found), [])


def _about_zeros(weights: Any) -> list[Finding]:
    """What L1 has left out; nothing where no weight is exactly 0."""
    found = penalties.sparsity(weights)
    zeros, unused = float(found["zeros"]), np.asarray(found["unused"])
    if not zeros:
        return []
    return [advice.of_sparsity(zeros, int(unused.sum()), len(unused), int(found["size"]))]
