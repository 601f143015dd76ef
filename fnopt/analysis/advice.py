"""Plain advice, sentence by sentence: each with its number and the row of the notes that it follows.

Rows: D2 to D8 data and practice, G1 to G9 the practical guidelines, L5 sparsity, N4 and N9 signals, R1 early stopping.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fnopt.analysis.gaps import NAMES, Gaps
from fnopt.analysis.learning_curves import Turn, rises_of
from fnopt.model import recipes

JUMP = 2.0  # times: a training cost that grows so much in an epoch is near divergence
HEADROOM = 3.0  # times a rate from which on configurations diverge: a winner nearer to it is at the edge
PLAIN = ("sgd",)  # optimizers that the safe default may beat
NOTES = recipes.notes("classes", rows=1, columns=1)  # the same advice for every task and size
FIRST = NOTES["first"]


class Finding(NamedTuple):
    """One sentence of a diagnosis."""

    topic: str
    text: str  # without its full stop
    value: float  # the number that it stands on
    rows: tuple[str, ...]  # of the notes

    def __str__(self) -> str:
        """The sentence, with its rows."""
        return f"{self.text[:1].upper()}{self.text[1:]} ({', '.join(self.rows)})."


def number(value: float, share: bool) -> str:
    """A number as it stands in a sentence: a share in percent, all else in three figures.

    >>> number(0.0213, True), number(12.3456, False)
    ('2.1 %', '12.3')
    """
    return f"{100 * value:.1f} %" if share else f"{value:.3g}"


def of_gaps(gaps: Gaps, share: bool, given: bool, hyper: Mapping[str, Any], improving: bool) -> Finding:
    """The first sentence: the gaps, which of them dominates, and what to try."""
    parts = []
    for name, words in NAMES.items():
        gap = getattr(gaps, name)
        if gap is not None:
            error = "" if math.isnan(gap.error) else f" ± {number(gap.error, share)}"
            most = "at most " if name == "bias" and not given else ""
            parts.append(f"{words} {most}{number(gap.value, share)}{error}")
    text, dominant = ", ".join(parts), gaps.dominant
    if dominant == "none":
        if gaps.variance is None:
            return Finding("gaps", f"{text}: it fits its own data; variance wants a dev part", gaps.bias.value, ("D7",))
        unsure = any(getattr(gaps, name).value > gaps.tolerance for name in NAMES if getattr(gaps, name) is not None)
        end = "; more repeats or examples would decide" if unsure else " and the tolerance, a good fit"
        rows = ("D7", "G9") if unsure else ("D7",)
        return Finding("gaps", f"{text}: none is beyond its noise{end}", gaps.variance.value, rows)
    cure, rows = CURES[dominant](hyper, improving)
    what = f"{text}: {NAMES[dominant]} dominates; try {cure}"
    return Finding("gaps", what, getattr(gaps, dominant).value, ("D7", *rows))


def _against_bias(hyper: Mapping[str, Any], improving: bool) -> tuple[str, tuple[str, ...]]:
    strong = [f"{name} {x}" for name in ("l2", "l1", "prox_l1", "dropout") if (x := _strength(hyper, name))]
    cures = ["more neurons or layers", *(["more epochs"] if improving else [])]
    rows = ["G1"]
    if strong:
        cures.append(f"weaker {' and '.join(strong)}")
        rows.append("G7")
    if _name(hyper.get("optimizer")) in PLAIN:
        cures.append(f"{str(NOTES['optimizer']).capitalize()} for plain descent")
        rows.append("G3")
    return f"{_listed(cures)}", tuple(rows)


def _against_variance(hyper: Mapping[str, Any], improving: bool) -> tuple[str, tuple[str, ...]]:
    del improving
    l2, dropout = _strength(hyper, "l2"), _strength(hyper, "dropout")
    first = f"a stronger L2 than {l2} first" if l2 else "L2 first"
    more = f"more dropout than {dropout}" if dropout else f"dropout {FIRST['dropout'][-1]:g}"
    cures = [f"{first} (only its strength is to find)", more]
    cures += ["augmentation", "early stopping", "more data"]
    rows, size = ["G7", "D5", "R1"], hyper.get("batch_size")
    if isinstance(size, int) and size > max(FIRST["batch_size"]):
        cures.append(f"batches of {' or '.join(map(str, FIRST['batch_size']))} for {size}")
        rows.append("G5")
    return _listed(cures), tuple(rows)


def _against_mismatch(hyper: Mapping[str, Any], improving: bool) -> tuple[str, tuple[str, ...]]:
    del hyper, improving
    return "training rows that are like the dev part, or augmentation towards it", ("D2", "D5")


CURES = {"bias": _against_bias, "variance": _against_variance, "mismatch": _against_mismatch}


def of_noise(error: float, source: str, share: bool) -> Finding:
    """What the ± stand on, and what cannot be distinguished with it."""
    two = 2 * math.sqrt(2) * error
    text = f"the ± are standard errors over {source}: scores closer than {number(two, share)} are alike here"
    return Finding("noise", text, two, ("G9",))


def of_target(gaps: Gaps, share: bool) -> Finding | None:
    """Where the training error is below what can be reached."""
    under = -gaps.bias.value
    if under <= gaps.bias.beyond:
        return None
    text = f"the training error is {number(under, share)} below the target: the training part is learned by heart"
    return Finding("target", text, under, ("D7",))


def of_turn(turn: Turn, epoch: int | None) -> Finding | None:
    """Where the dev loss had its minimum, if that was before the end; or that it was still falling there."""
    if turn.improving:
        fall = 1 - turn.least / turn.early if turn.early else 0.0
        text = f"the dev loss was still falling at epoch {turn.epoch} of {turn.last}, by {fall:.1%} in the last quarter"
        return Finding("improving", f"{text}: train longer", fall, ("D7", "G6"))
    if not turn.turned:
        return None
    text = (
        f"the dev loss turned at epoch {turn.epoch} of {turn.last}, {turn.least:.3g} there, {turn.end:.3g} at the end"
    )
    stop = f"stop there: fo.early_stopping(), or {turn.epoch} epochs"
    cure = "these are the weights that count" if epoch == turn.epoch else stop
    return Finding("turned", f"{text}; {cure}", float(turn.epoch), ("D8", "G6"))


def of_divergence(epoch: int, why: str) -> Finding:
    """All that there is to say of a training that diverged."""
    text = f"training diverged in epoch {epoch}: lower the learning rate, tenfold first"
    return Finding("diverged", f"{text}; {why}" if why else text, float(epoch), ("G4",))


def of_constant(part: str, examples: int | None, metric: str) -> Finding:
    """Of a target that never varies."""
    text = f"the target is constant in {'all' if examples is None else f'all {examples:,}'} {part} examples: there is"
    text += f" nothing to explain, and {metric} is 0 or 1 by convention; take a target that varies"
    return Finding("constant", text, math.nan, ("D7",))


def of_cost(cost: Any, full_batch: bool) -> list[Finding]:
    """What the cost of an epoch says: that it jumped, or rose where it never should."""
    rise = rises_of(cost)
    if rise.jump >= JUMP:
        text = (
            f"the training cost grew {rise.jump:.3g} times at epoch {rise.epoch}: the learning rate is at the edge of"
        )
        return [Finding("edge", f"{text} divergence; take a third of it, or let it decay", rise.jump, ("G4",))]
    if full_batch and rise.times:
        up = f"{rise.times} of {rise.steps} epochs, by up to {rise.factor - 1:.1%}"
        text = f"the full-batch cost rose in {up}: lower the learning rate"
        return [Finding("rises", text, float(rise.times), ("D8", "G4"))]
    return []


def of_size(parameters: int, examples: int, overfits: bool) -> Finding:
    """Parameters against examples."""
    each = parameters / examples
    text = f"{parameters:,} parameters for {examples:,} training examples, {each:.3g} each"
    if overfits and each > 1:
        text += ": fewer units are one more way to less variance"
    return Finding("size", text, each, ("D8",))


def of_sparsity(zeros: float, unused: int, inputs: int, left: int) -> Finding:
    """Weights that L1 has set to 0, and the inputs that nothing looks at any more."""
    unseen = f"{unused} of {inputs} inputs are unused"
    text = f"{zeros:.0%} of the weights are exactly 0, and {unseen}: {left:,} parameters are left"
    return Finding("sparsity", text, zeros, ("L5",))


def of_headroom(factor: float) -> Finding | None:
    """How far the learning rate is from where configurations diverge."""
    if not factor <= HEADROOM:
        return None
    text = f"configurations diverge from {factor:.3g} times this learning rate on: it is at the edge of divergence"
    return Finding("edge", text, factor, ("G4",))


def of_signals(sentences: Sequence[str]) -> list[Finding]:
    """What is wrong in the layers of the network."""
    return [
        Finding("signals", text, math.nan, ("N9", "G2") if "dead" in text or "saturated" in text else ("N4",))
        for text in sentences
    ]


def _strength(hyper: Mapping[str, Any], name: str) -> str:
    """A regularization that is on, as text; "" for none. A tuple is by layer, and a schedule is called so."""
    value = hyper.get(name)
    if isinstance(value, tuple) and not callable(value):
        return "-".join(f"{float(x):.3g}" for x in value if x is not None) if any(value) else ""
    if isinstance(value, int | float):
        return f"{value:.3g}" if value > 0 else ""
    return "" if value is None else "(a schedule)"


def _name(optimizer: Any) -> str:
    return str(getattr(optimizer, "name", optimizer))


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + f" or {parts[-1]}" if len(parts) > 1 else parts[0]
