"""The configurations of a search as columns, with the scale of each and what they came to."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fnopt._checks import one_of
from fnopt.plot._arrays import as_long, numbers
from fnopt.plot._axes import Axes
from fnopt.plot._histories import is_sweep
from fnopt.space.path import text

ARRAYS = '({"lr": lrs, "hidden": widths}, scores)'


class Column(NamedTuple):
    """One name of a search."""

    values: list[Any]  # one a configuration; None where it has none
    scale: str  # "linear", "log", "decay" (what counts is the distance to 1) or "choice"
    options: tuple[str, ...]  # of a choice, in order


class Search(NamedTuple):
    """What a picture of a search shows."""

    columns: dict[str, Column]
    scores: np.ndarray  # shape=(n,); NaN where there is none
    higher: bool  # whether more is better
    objective: str

    @property
    def best(self) -> int | None:
        """The configuration with the best score, None where no score is finite."""
        some = np.flatnonzero(np.isfinite(self.scores))
        if not len(some):
            return None
        return int(some[np.argmax(self.scores[some] * (1 if self.higher else -1))])

    def only(self, names: Sequence[str] | str | None) -> "Search":
        """The columns of these names, in this order; all unless given."""
        if names is None:
            return self
        names = [names] if isinstance(names, str) else list(names)
        return self._replace(columns={one_of("name", n, self.columns): self.columns[n] for n in names})


def search_of(source: Any, scores: Any, logarithmic: Collection[str], higher: bool | None, objective: str) -> Search:
    """A search from a sweep, or from columns and scores.

    Raises:
        ValueError, TypeError: for columns of unlike length, a logarithmic one that is not positive, none that varies.
    """
    if is_sweep(source):
        return _of_sweep(source)
    if not isinstance(source, Mapping) or not source:
        raise TypeError(f"this takes a sweep, or columns and scores as {ARRAYS}, got {type(source).__name__}")
    some = numbers("scores", scores, 1)
    for name in logarithmic:
        one_of("name", name, source)
    columns = {}
    for name, given in source.items():
        values = as_long(name, np.asarray(given, object), "scores", len(some)).tolist()
        columns[name] = _column(values, "log" if name in logarithmic else "linear")
        least = min((v for v in values if v is not None), default=1.0) if name in logarithmic else 1.0
        if not least > 0:
            raise ValueError(f"`{name}` must be above 0 on a logarithmic axis, got {least}")
    return Search(columns, some, bool(higher), objective)


def _of_sweep(sweep: Any) -> Search:
    rows = sweep.table()
    columns: dict[str, Column] = {}
    for path, leaf in sweep.space.drawn.items():
        place = sweep.space.places[path]
        name = "most_epochs" if place == ("epochs",) else text(place)
        name = name if name in rows[0] else str(place[0])  # layers of their own widths are one column
        if name in rows[0] and (name not in columns or columns[name].scale == "choice"):
            kind = getattr(leaf, "kind", "choice")
            scale = "log" if kind.startswith("log_") else "decay" if kind.startswith("one_minus") else "linear"
            values = [row[name] for row in rows]
            columns[name] = _column(values, "choice" if kind == "choice" else scale)
    scores = np.array([np.nan if row["rank"] is None else row["score"] for row in rows], float)
    return Search(columns, scores, sweep.kept.higher, sweep.objective)


def _column(values: list[Any], scale: str) -> Column:
    plain = [v for v in values if v is not None]
    words = any(isinstance(v, bool | str | tuple) or not np.isscalar(v) for v in plain)
    if scale != "choice" and not words:
        return Column([None if v is None else float(v) for v in values], scale, ())
    texts = [None if v is None else _word(v) for v in values]
    known = list(dict.fromkeys(t for t in texts if t is not None))
    ordered = sorted(known, key=_order)
    return Column(texts, "choice", tuple(ordered))


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _order(text: str) -> Any:
    """Numbers by size, then words by letter."""
    try:
        return 0, float(text.split("-")[0]), text
    except ValueError:
        return 1, 0.0, text


def drawn(column: Column) -> np.ndarray:
    """Where the values of a column stand on its axis; NaN for none. A decay stands at 1 − value."""
    if column.scale == "choice":
        return np.array([np.nan if v is None else column.options.index(v) for v in column.values], float)
    values = np.array([np.nan if v is None else v for v in column.values], float)
    return 1 - values if column.scale == "decay" else values


def scaled(column: Column) -> np.ndarray:
    """The values as an even axis has them: logarithms where the scale is one; larger is always larger."""
    at = drawn(column)
    if column.scale == "log":
        return np.log10(at)
    return -np.log10(at) if column.scale == "decay" else at


def dress(axis: Any, axes: Axes, name: str, column: Column) -> None:
    """Scale, ticks and label of one axis, ``axes.xaxis`` or ``axes.yaxis``."""
    which = "x" if axis is axes.xaxis else "y"
    label, scale, ticks = (getattr(axes, f"set_{which}{part}") for part in ("label", "scale", "ticks"))
    label(f"1 − {name}" if column.scale == "decay" else name)
    if column.scale == "choice":
        ticks(range(len(column.options)), column.options)
        getattr(axes, f"set_{which}lim")(-0.5, len(column.options) - 0.5)
    elif column.scale in ("log", "decay"):
        scale("log")
        if column.scale == "decay":
            axis.set_inverted(True)
