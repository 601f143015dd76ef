"""Scores that a user writes."""

from collections.abc import Callable, Sequence
from typing import Any

from fnopt._own_code import misfit
from fnopt._types import Score
from fnopt.train.scores import FORM, score_of


def metric(f: Callable[..., Any], *, higher: bool, name: str | None = None) -> Score:
    """A score of one's own, for ``follow=`` and ``objective=`` of ``fit`` and ``caviar``.

    Args:
        f: ``f(y, outputs, weight) -> scalar``, a pure function of all examples of a part. ``y`` and ``outputs`` are
            labels and logits for classes and for labels, values in the target's own units for values; ``weight`` is
            shape=(m,), and rows of weight 0 are padding that must not count.
        higher: whether more is better.
        name: what it is called in curves and tables; that of ``f`` unless given.

    Raises:
        TypeError: for an ``f`` that is no function of three arguments, and for a ``higher`` that is not True or False.
            What an ``f`` of other than jax.numpy does is seen by ``fit`` and ``caviar``, before they train.
        ValueError: for a name that is none, as a lambda's.

    >>> import jax.numpy as jnp
    >>> def margin(y, outputs, weight):
    ...     own = jnp.take_along_axis(outputs, y[:, None], axis=1)[:, 0]
    ...     return jnp.sum(weight * own) / jnp.sum(weight)
    >>> metric(margin, higher=True).name
    'margin'
    """
    if not callable(f):
        raise TypeError(f"`f` must be a function (y, outputs, weight) -> scalar, got {type(f).__name__}")
    if not isinstance(higher, bool):
        raise TypeError(f"`higher` says whether more is better, True or False; got {higher!r}")
    name = getattr(f, "__name__", "") if name is None else name
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a score needs a name of letters, digits and _, got {name!r}: write name='my_score'")
    if taken := misfit(f, 3):
        raise TypeError(f"the score {name!r} {taken}: write {FORM}")
    return Score(name, f, higher, own=True)


def followed(task: str, follow: Any) -> tuple[Score, ...]:
    """What ``follow=`` asks for as scores: names of the task's and scores of one's own.

    Raises:
        ValueError: for an unknown name, and for an own score that has the name of another.

    >>> [score.name for score in followed("classes", ("f1_macro", "brier"))]
    ['f1_macro', 'brier']
    """
    some = () if follow is None else (follow,) if isinstance(follow, str | Score) else follow
    if not isinstance(some, Sequence):
        raise TypeError(f"`follow` must be names of scores or what fo.metric(...) gives, got {type(follow).__name__}")
    scores: dict[str, Score] = {}
    for one in some:
        if not isinstance(one, str | Score):
            raise TypeError(f"`follow` must be names of scores or what fo.metric(...) gives, got {type(one).__name__}")
        score = score_of(task, one) if isinstance(one, str) else one
        if score.own:
            _check_name(task, score)
        if scores.setdefault(score.name, score) != score:
            raise ValueError(f"`follow` holds two scores called {score.name!r}: write fo.metric(…, name='another')")
    return tuple(scores.values())


def _check_name(task: str, score: Score) -> None:
    try:
        score_of(task, score.name)
    except ValueError:
        return
    raise ValueError(f"{score.name!r} is a score of fnopt's own: write fo.metric(…, name='my_{score.name}')")
