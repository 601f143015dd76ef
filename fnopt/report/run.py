"""A run as HTML: its scores and its curves."""

from collections.abc import Mapping
from typing import Any

from fnopt import _html as html


def run_html(text: str, scores: Mapping[str, Mapping[str, float]], history: Mapping[str, Any], best_epoch: int) -> str:
    """One line on the run, a table of scores by part, the curve of the loss of each part.

    Args:
        text: what the run is, in words.
        scores: part to name to value.
        history: part to name to curve.
        best_epoch: whose weights it has, counted from 1; 0 for none.
    """
    head, _, rest = text.partition(":")
    names = list(dict.fromkeys(name for rows in scores.values() for name in rows))
    rows = [[part, *(f"{some[name]:.4g}" if name in some else "" for name in names)] for part, some in scores.items()]
    losses = {f"{part} loss": history[part]["loss"] for part in ("train", "dev") if history.get(part)}
    drawn = html.curves("epoch", "loss", losses, mark=("weights kept", best_epoch) if best_epoch > 0 else None)
    notes = rest.partition("\n")[2]
    return html.page(html.heading(head), html.table(["", *names], rows), html.paragraph(notes) if notes else "", drawn)
