"""The lines below a leaderboard: noise, importances, divergences, edges, occupancy; two at most of each."""

import math
from typing import TYPE_CHECKING, Any

from fnopt.run.importance import importances
from fnopt.run.lineage import shown
from fnopt.space.choice import Choice
from fnopt.space.distributions import Distribution
from fnopt.space.edges import Edge, edges, widened
from fnopt.space.search_space import SearchSpace
from fnopt.sweep.population import Population
from fnopt.sweep.stop import Rule

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

NAMED = 4  # names whose share is printed
LEAST = 0.01  # of the variance: an interaction of less is not printed
NUMBERED = 3  # configurations that diverged, by number


def remarks(sweep: "Sweep") -> list[str]:
    """All of them, in this order; a topic that has nothing to say has no line."""
    return [*about_importance(sweep), *about_faults(sweep), *at_edges(sweep), *about_occupancy(sweep)]


def about_importance(sweep: "Sweep") -> list[str]:
    """Which names explain most of the variance of the scores; nothing of a search that is too small or all alike."""
    try:
        found = importances(sweep, bootstraps=0)
    except ValueError:
        return []
    share = dict(zip(found.names, found.main.tolist(), strict=True))
    named = ", ".join(f"{name} {share[name]:.0%}" for name in found.order[:NAMED])
    ended = " where each ended" if isinstance(sweep.stop, Rule) and not isinstance(sweep.stop, Population) else ""
    lines = [f"importance: {named} of the variance of {sweep.objective}{ended} (sweep.importances() has bars)"]
    a, b, x = (found.top_pairs(1) or [("", "", 0.0)])[0]
    pair = f"beyond either alone {a} × {b} {x:.0%}; " if x >= LEAST else ""
    notes = "" if math.isnan(found.notes) else f"; rank correlation with the notes' order {found.notes:.2f}"
    unseen = found.explained
    explained = "nothing of scores that it did not see" if unseen < 0 else f"{unseen:.0%} of unseen scores"
    return [*lines, f"{pair}the fit behind it explains {explained}{notes}"]


def about_faults(sweep: "Sweep") -> list[str]:
    """The first configuration that diverged, how many did, and how to see more."""
    bad = [standing for standing in sorted(sweep.ranking()) if standing.status == "diverged"]
    if not bad:
        return []
    others = [str(standing.config) for standing in bad[1 : 1 + NUMBERED]]
    rest = f"; so did {', '.join(others)}{', …' * (len(bad) > 1 + NUMBERED)}" if others else ""
    return [
        f"config {bad[0].config}: {bad[0].why}{rest}",
        f"sweep.faults() names leaf and gradient norm of all {len(bad)}",
    ]


def at_edges(sweep: "Sweep") -> list[str]:
    """A line for the first number whose best value lies at an edge where it can go further, and for how many more."""
    found = edges_of(sweep)
    if not found:
        return []
    option = isinstance(found[0].leaf, Choice)
    beyond = "options beyond it may be better" if option else "a wider range may hold a better one"
    more = [f"so does the best {', '.join(edge.name for edge in found[1:])}: sweep.edges()"] if found[1:] else []
    return [f"{found[0]}: {beyond}", *more]


def edges_of(sweep: "Sweep") -> list[Edge]:
    """The numbers whose best value lies at an edge of what it was drawn from, where it can go further.

    Of a fine sweep these are the edges beyond which the coarse sweep drew nothing either.
    """
    from fnopt.run.store import FINE

    ranked: list[Any] = []
    lost: list[Any] = []
    for standing in sweep.ranking():
        if standing.status != "not run":
            (ranked if standing.ranked else lost).append(shown(sweep, standing.config))
    found = edges(sweep.space, ranked, lost)
    if sweep.search == FINE:
        found = [] if sweep.coarse is None else [edge for edge in found if _outermost(edge, sweep.coarse.space)]
    return [e for e in found if isinstance(e.leaf, Choice) or widened(sweep.space, e, sweep.model) is not None]


def _outermost(edge: Edge, first: SearchSpace) -> bool:
    """Whether the range that was narrowed ends no further out than its narrowed one does."""
    given, mine = first.drawn.get(edge.path), edge.leaf
    if isinstance(given, Distribution) and isinstance(mine, Distribution):
        k = 1 if edge.upper else 0
        return mine.usual[k] >= given.usual[k] if edge.upper else mine.usual[k] <= given.usual[k]
    if isinstance(given, Choice) and isinstance(mine, Choice) and given.numeric:
        return edge.value == (max if edge.upper else min)(given.options)
    return False


def about_occupancy(sweep: "Sweep") -> list[str]:
    """How many lane-epochs were of use; nothing where the plan of the run is not there."""
    plan = sweep.plan
    if plan is None or not plan.executed:
        return []
    return [f"occupancy {plan.occupancy:.1%}: {plan.live:,} of {plan.executed:,} lane-epochs were of use (sweep.plan)"]
