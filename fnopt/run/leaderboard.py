"""A sweep as text: what was searched, the best ten, and what went wrong."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fnopt._checks import printable
from fnopt.run.noise import noise_of
from fnopt.run.remarks import remarks

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

SHOWN = 10
ALIKE = "≈"  # before the rank of a configuration that cannot be told from the first


def leaderboard(sweep: "Sweep", shown: int = SHOWN) -> str:
    """The ranking's head as a plain table, with a line on the whole above and what is remarkable below."""
    head, rows, _ = parts_of(sweep, shown)
    rows = [[printable(name) for name in rows[0]], *rows[1:]]
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    body = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([head, *body, *notes_of(sweep)])


def notes_of(sweep: "Sweep") -> list[str]:
    """The lines below the table: how configurations ended, and what is remarkable."""
    tail = parts_of(sweep)[2]
    return [*([tail] if tail else []), *remarks(sweep)]


def parts_of(sweep: "Sweep", shown: int = SHOWN) -> tuple[str, list[list[str]], str]:
    """The line above, the rows (names first) and the line below, which may be empty; all of it text."""
    from fnopt.run.lineage import shown as at_end
    from fnopt.space.columns import columns_of

    ranking = sweep.ranking()
    folds = "" if sweep.folds is None else f" × {len(sweep.folds)} folds"
    head = (
        f"{sweep.n} configurations × {sweep.seeds} seed{'s' * (sweep.seeds > 1)}{folds}, {_epochs(sweep)} epochs, "
        f"{sweep.search} search, ranked by {sweep.objective}"
    )
    names = told_apart([columns_of(at_end(sweep, i), sweep.names) for i in range(sweep.n)])
    rows = [["rank", "config", sweep.objective, *names]]
    there = [standing for standing in ranking if standing.status != "not run"]
    first = ranking[0]
    noise = noise_of(sweep, first.config) if math.isfinite(first.score) else None
    for rank, standing in enumerate(there[:shown] or ranking[:1], 1):
        values = columns_of(at_end(sweep, standing.config), sweep.names)
        score = with_error(standing.score, standing.error) if standing.ranked else standing.status
        mark = ALIKE if noise is not None and noise.within[standing.config] else ""
        rows.append([f"{mark}{rank}", str(standing.config), score, *(text(values.get(name)) for name in names)])
    counts = {s: sum(st.status == s for st in ranking) for s in ("pruned", "stopped", "diverged", "cut", "not run")}
    told = [f"{count} {status}" for status, count in counts.items() if count]
    if noise is not None and noise.within.any():
        told.append(f"{ALIKE} {noise.within.sum()} within the noise of the first")
    return head, rows, ", ".join(told)


def told_apart(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of some configurations, without those parts of a schedule that are the same in all of them.

    >>> told_apart([{"lr": "Cosine", "lr.peak": peak, "lr.steps": 9.0, "l2": 0.0} for peak in (0.1, 0.2)])
    ['lr.peak', 'l2']
    """
    names = list(dict.fromkeys(name for values in configs for name in values))
    parts = {name for name in names if "." in name}
    of_schedules = parts | {name for name in names if any(part.startswith(f"{name}.") for part in parts)}
    same = {name for name in of_schedules if len({values.get(name) for values in configs}) == 1}
    return [name for name in names if len(configs) == 1 or name not in same]


def _epochs(sweep: "Sweep") -> str:
    """How long configurations train: from the least to the greatest length."""
    least, most = min(sweep.lengths), max(sweep.lengths)
    return str(most) if least == most else f"{least} to {most}"


def score_text(score: float) -> str:
    """A score: four places where it is about 1, five figures in any other unit, or a dash where there is none.

    >>> score_text(0.98765), score_text(4712.80123), score_text(176553.2), score_text(3.2e-25), score_text(math.nan)
    ('0.9877', '4712.8', '176553', '3.2e-25', '–')
    """
    if not math.isfinite(score):
        return "∞" if score == math.inf else "–"
    if 1e5 <= abs(score) < 1e9:
        return f"{score:.0f}"
    return f"{score:.4f}" if score == 0 or 1e-3 <= abs(score) < 10 else f"{score:.5g}"


def with_error(score: float, error: float) -> str:
    """A finite score and its standard error, where there is one, to the same decimal place.

    >>> with_error(0.9435, 0.000926), with_error(4712.8, 3.25), with_error(0.9435, math.nan)
    ('0.9435 ±0.0009', '4712.8 ±3.2500', '0.9435')
    """
    if not math.isfinite(error):
        return score_text(score)
    return f"{score_text(score)} ±{f'{error:.4f}' if 1e-3 <= abs(score) < 10 else score_text(error)}"


def text(value: Any) -> str:
    """A cell: a dash for blank, numbers in four figures, names as a terminal can show them."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else printable(value)
