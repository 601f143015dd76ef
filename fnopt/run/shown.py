"""Scores as a dictionary that prints short."""

from fnopt.run.cells import figures
from fnopt.run.leaderboard import score_text


class Scores(dict[str, float]):
    """Scores by name; printed, a line each, and as a value in the shortest text that gives the float32 back.

    >>> scores = Scores(loss=0.13301849365234375, accuracy=0.9755432605743408)
    >>> print(scores)
    loss      0.1330
    accuracy  0.9755
    >>> scores
    {'loss': 0.1330185, 'accuracy': 0.97554326}
    >>> scores["accuracy"]
    0.9755432605743408
    """

    def __str__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:<{width}}  {score_text(value)}" for name, value in self.items())

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: {figures(value)}' for name, value in self.items())}}}"
