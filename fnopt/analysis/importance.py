"""Which numbers of a search matter: the share of the variance of its scores that each explains, and each pair."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnopt._checks import whole
from fnopt.analysis.encode_columns import Coded, coded_columns, laid_out
from fnopt.analysis.forest import Leaves, grow
from fnopt.analysis.functional_anova import split_variance
from fnopt.analysis.notes_ranking import agreement, notes_rank

FEWEST = 16  # configurations, of which anything can be said
ROWS = 1024  # configurations that one tree looks at, at most
TREES = 32  # without bars
EACH = 8  # trees for each bootstrap
BLOCK = 64  # trees grown at once
FENCE = 3.0  # distances of the quartiles, beyond which a score counts as lying there
SHOWN = 5  # pairs that are printed

ToUnit = Callable[[float], float]


@dataclass(frozen=True)
class Importances:
    """What :func:`importance` found; printed, a line each name, the greatest first.

    ``main[d]`` is the share of the variance that name d alone explains, ``pairs[d, e]`` what the two explain together
    beyond that. ``bars`` are the same shares in each bootstrap, shape=(bootstraps, names); ``explained`` is the share
    of the variance of scores that the forest foretells of configurations that a tree did not see (out of bag).
    """

    names: tuple[str, ...]
    main: np.ndarray
    pairs: np.ndarray = field(repr=False)
    bars: np.ndarray = field(repr=False)  # no rows where none were asked for
    explained: float
    configs: int

    @property
    def order(self) -> tuple[str, ...]:
        """The names, the most important first."""
        return tuple(self.names[d] for d in np.argsort(-self.main, kind="stable"))

    @property
    def errors(self) -> np.ndarray:
        """The standard error of each share of ``main``, from the bootstraps; NaN without them."""
        if len(self.bars) < 2:
            return np.full(len(self.names), np.nan)
        return np.std(self.bars, axis=0, ddof=1)

    @property
    def first(self) -> dict[str, float]:
        """In what share of the bootstraps each name is the first; empty without them."""
        if not len(self.bars):
            return {}
        leading = np.bincount(np.argmax(self.bars, axis=1), minlength=len(self.names)) / len(self.bars)
        return dict(zip(self.names, leading.tolist(), strict=True))

    @property
    def notes(self) -> float:
        """Spearman's ρ between this ranking and that of the notes (T6), over the names that they rank."""
        return agreement(dict(zip(self.names, self.main.tolist(), strict=True)))

    def top_pairs(self, most: int = SHOWN) -> list[tuple[str, str, float]]:
        """The greatest interactions: two names and the share that they explain beyond either's own."""
        a, b = np.triu_indices(len(self.names), 1)
        order = np.argsort(-self.pairs[a, b], kind="stable")[:most]
        return [(self.names[a[k]], self.names[b[k]], float(self.pairs[a[k], b[k]])) for k in order]

    def __str__(self) -> str:
        errors, first = dict(zip(self.names, self.errors, strict=True)), self.first
        share = dict(zip(self.names, self.main, strict=True))
        rows = [["name", "share", "first", "notes"]]
        for name in self.order:
            bar = "" if np.isnan(errors[name]) else f" ± {100 * errors[name]:.1f}"
            rank = notes_rank(name)
            rows.append(
                [name, f"{100 * share[name]:.1f}{bar} %", f"{first[name]:.0%}" if first else "–", str(rank or "–")]
            )
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows
        ]
        pairs = ", ".join(f"{a} × {b} {100 * x:.1f} %" for a, b, x in self.top_pairs(3))
        lines += [f"pairs  {pairs}"] if pairs else []
        notes = "" if np.isnan(self.notes) else f"; rank correlation with the notes' order {self.notes:.2f}"
        explained = f"the forest explains {self.explained:.0%} of configurations that it did not see"
        return "\n".join([*lines, f"{self.configs} configurations; {explained}{notes}"])


def importance(
    columns: Mapping[str, Sequence[Any]],
    scores: Sequence[float] | np.ndarray,
    *,
    higher: bool = True,
    units: Mapping[str, ToUnit] | None = None,
    bootstraps: int = 100,
    seed: int = 0,
) -> Importances:
    """The share of the variance of the scores that each name explains, and each pair beyond its two (functional ANOVA).

    A forest of extremely randomized trees is fitted to the scores; each tree's function is split exactly into what
    depends on one name, on two, and on more. A share is a mean over the distribution that the configurations come from,
    so a range that was drawn on a log scale counts on a log scale. A name that only some configurations have counts by
    its effect among these; the others get a random one of its values. Scores beyond three quartile distances from the
    quartiles count as lying there, so that a few failures do not hide all else.

    Args:
        columns: by name, a value for each configuration: a number, anything else for an option, None where the
            configuration lacks the name. A name that never varies is left out.
        scores: shape=(n,); one that is not finite counts as the worst finite one.
        higher: whether more is better.
        units: by name, the map of a range to [0, 1] in its own scale, as ``Distribution.to_unit``: shares then are over
            the range, also where a search looked at a part of it more closely.
        bootstraps: how often configurations are drawn anew, with replacement, for the bars; 0 for none, which is
            faster.
        seed: of the draws.

    Returns:
        an ``Importances``.

    Raises:
        ValueError: for fewer than 16 configurations, columns of other lengths, no finite score, scores that are all
            alike, and where no name varies.

    Source: Hutter, Hoos and Leyton-Brown, "An efficient approach for assessing hyperparameter importance", 2014,
    https://proceedings.mlr.press/v32/hutter14.html.

    >>> draws = np.random.default_rng(0)
    >>> lr, decay = draws.random(200), draws.random(200)
    >>> found = importance({"lr": lr, "decay": decay}, 3 * lr + decay, bootstraps=0)
    >>> found.order, bool(0.8 < found.main[0] < 1)
    (('lr', 'decay'), True)
    """
    y = _cleaned(columns, scores, higher)
    coded = coded_columns(columns, units or {})
    if not coded:
        raise ValueError(f"no name varies among the {len(y)} configurations: there is nothing to compare")
    draws = np.random.default_rng(whole("seed", seed, 0))
    bootstraps = whole("bootstraps", bootstraps, 0)
    groups, size = (bootstraps, EACH) if bootstraps else (TREES, 1)
    names = len(coded)
    total, main, pairs = np.zeros(groups), np.zeros((groups, names)), np.zeros((groups, names, names))
    foretold, seen = np.zeros(len(y)), np.zeros(len(y))
    whole_groups = max(BLOCK // size, 1)
    for first in range(0, groups, whole_groups):
        some = np.repeat(np.arange(first, min(first + whole_groups, groups)), size)
        rows, leaves, ends = _trees(coded, y, some, draws)
        for t, group in enumerate(some):
            low, high, value = _boxes(leaves, ends[t], t)
            one = split_variance(low, high, value)
            total[group] += one.total
            main[group] += one.main
            pairs[group] += one.pairs
        _foretell(foretold, seen, rows, leaves)
    safe = np.where(total > 0, total, 1.0)
    return Importances(
        names=tuple(column.name for column in coded),
        main=main.sum(axis=0) / max(total.sum(), 1e-300),
        pairs=pairs.sum(axis=0) / max(total.sum(), 1e-300),
        bars=main / safe[:, None] if bootstraps else np.zeros((0, names)),
        explained=_explained(y, foretold, seen),
        configs=len(y),
    )


def _cleaned(columns: Mapping[str, Sequence[Any]], scores: Any, higher: bool) -> np.ndarray:
    """The scores without what is far outside, of mean 0 and largest size 1."""
    y = np.asarray(scores, np.float64).reshape(-1)
    odd = next((name for name, values in columns.items() if len(values) != len(y)), None)
    if odd is not None:
        raise ValueError(f"column {odd!r} has {len(columns[odd])} values for {len(y)} scores")
    if len(y) < FEWEST:
        raise ValueError(f"importance wants at least {FEWEST} configurations with a score, got {len(y)}")
    finite = np.isfinite(y)
    if not finite.any():
        raise ValueError(f"none of the {len(y)} scores is finite: there is nothing to explain")
    y = np.where(finite, y, y[finite].min() if higher else y[finite].max())
    low, high = np.quantile(y, (0.25, 0.75))
    if high > low:
        y = np.clip(y, low - FENCE * (high - low), high + FENCE * (high - low))
    y = y - y.mean()
    if not np.any(y):
        raise ValueError(f"all {len(y)} scores are alike: there is no variance to explain")
    return y / np.abs(y).max()


def _trees(
    columns: Sequence[Coded], y: np.ndarray, groups: np.ndarray, draws: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray], Leaves, list[list[np.ndarray]]]:
    """Some trees, those of one group on the same draw of configurations: (rows, counts), boxes, ends of the codes."""
    n, size = len(y), min(len(y), ROWS)
    rows, counts = np.empty((len(groups), size), np.int64), np.empty((len(groups), size), np.int64)
    for group in np.unique(groups):
        mine = np.arange(n) if size == n else draws.choice(n, size, replace=False)
        rows[groups == group], counts[groups == group] = mine, draws.multinomial(size, np.full(size, 1 / size))
    codes, ends = laid_out(columns, rows, draws)
    levels = np.array([len(column.ends) - 1 for column in columns])
    leaves = grow(codes, counts, y[rows], levels, draws, tries=2 * len(columns))
    return (rows, counts), leaves, ends


def _boxes(leaves: Leaves, ends: Sequence[np.ndarray], t: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The boxes of one tree with their edges as shares of the draws."""
    first, last = np.searchsorted(leaves.tree, (t, t + 1))
    mine = slice(first, last)
    low = np.stack([e[leaves.low[mine, d]] for d, e in enumerate(ends)], axis=1)
    high = np.stack([e[leaves.high[mine, d]] for d, e in enumerate(ends)], axis=1)
    return low, high, leaves.value[mine]


def _foretell(foretold: np.ndarray, seen: np.ndarray, rows: tuple[np.ndarray, np.ndarray], leaves: Leaves) -> None:
    """Add what each tree says of the configurations that it did not see."""
    which, counts = rows
    unseen = counts == 0
    np.add.at(foretold, which[unseen], leaves.value[leaves.of][unseen])
    np.add.at(seen, which[unseen], 1)


def _explained(y: np.ndarray, foretold: np.ndarray, seen: np.ndarray) -> float:
    """1 − (mean square of the errors)/(variance), over configurations that some tree did not see."""
    there = seen > 0
    if not there.any():
        return float("nan")
    truth = y[there]
    error = truth - foretold[there] / seen[there]
    spread = np.mean(np.square(truth - truth.mean()))
    return float(1 - np.mean(np.square(error)) / spread) if spread > 0 else float("nan")
