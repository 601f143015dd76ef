"""Small pages for notebooks: text, tables and curves as HTML and inline SVG.

No script and no file from outside. Text and lines take the colour of the page around them, and the colours of curves
are told apart on white and on black, and by readers who see few colours (Okabe and Ito, 2008).
"""

import math
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

WIDE = 107  # letters of one width, in a line of a display
DASHES = (("", "—"), ("7 4", "– –"), ("2 3", "···"), ("8 3 2 3", "– ·"))  # of a line, and its sign in the legend
COLOURS = ("#2a8fd0", "#e69f00", "#009e73", "#cc79a7", "#d55e00")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 420, 220, 62, 36, 14  # pixels
MOST = 200  # points of a curve
STYLE = (
    "font:13px/1.4 system-ui,sans-serif;color:inherit;max-width:60em",
    "border-collapse:collapse;margin:.4em 0;font-variant-numeric:tabular-nums",
    "padding:.1em .7em;text-align:right;border-bottom:1px solid rgba(128,128,128,.35)",
    "white-space:pre;overflow-x:auto;margin:.3em 0;font:12px/1.4 ui-monospace,monospace",
)


def page(*parts: str) -> str:
    """Parts one below the other, as one piece of HTML."""
    return f'<div style="{STYLE[0]}">{"".join(parts)}</div>'


def heading(text: Any) -> str:
    """A line in bold."""
    return f"<div><b>{escape(str(text))}</b></div>"


def paragraph(text: Any) -> str:
    """Text, its line breaks kept.

    >>> paragraph("a < b")
    '<div style="white-space:pre-wrap">a &lt; b</div>'
    """
    return f'<div style="white-space:pre-wrap">{escape(str(text))}</div>'


def block(text: Any, hang: int = 0) -> str:
    """Text with columns, in letters of one width; what is too long for a line goes on below, ``hang`` letters in."""
    form = {"subsequent_indent": " " * hang, "replace_whitespace": False, "break_on_hyphens": False}
    lines = [part for line in str(text).split("\n") for part in textwrap.wrap(line, WIDE, **form) or [""]]
    return f'<pre style="{STYLE[3]}">{escape(chr(10).join(lines))}</pre>'


def folded(title: str, part: str) -> str:
    """A part that opens when its title is clicked."""
    return f"<details><summary>{escape(title)}</summary>{part}</details>"


def table(titles: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """A table; its cells are text already."""
    head = "".join(f'<th style="{STYLE[2]}">{escape(str(title))}</th>' for title in titles)
    body = "".join(
        "<tr>" + "".join(f'<td style="{STYLE[2]}">{escape(str(cell))}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f'<table style="{STYLE[1]}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def curves(
    x_label: str,
    y_label: str,
    lines: Mapping[str, Any],
    band: tuple[str, Any, Any] | None = None,
    mark: tuple[str, float] | None = None,
) -> str:
    """Curves over epochs as SVG, counted from 1; the y axis is logarithmic where all is above 0 and spans 30 times.

    Args:
        x_label, y_label: of the axes.
        lines: name to a value an epoch; NaN leaves a gap.
        band: name, lower and upper values, filled in between.
        mark: name and epoch of a vertical line.
    """
    drawn = {name: np.asarray(values, np.float64) for name, values in lines.items()}
    every = [*drawn.values(), *(() if band is None else (np.asarray(band[1]), np.asarray(band[2])))]
    found = np.concatenate([values[np.isfinite(values)] for values in every]) if every else np.zeros(0)
    if not len(found):
        return ""
    last = max(len(values) for values in every)
    frame = _Frame(last, found)
    parts = [frame.axes(x_label, y_label)]
    if band is not None:
        parts.append(frame.band(np.asarray(band[1], np.float64), np.asarray(band[2], np.float64)))
    looks = [(COLOURS[k % len(COLOURS)], *DASHES[k % len(DASHES)]) for k in range(len(drawn))]
    parts += [frame.line(values, colour, dash) for values, (colour, dash, _) in zip(drawn.values(), looks, strict=True)]
    if mark is not None:
        parts.append(frame.vertical(mark[1]))
    key = [(name, colour, sign) for name, (colour, _, sign) in zip(drawn, looks, strict=True)]
    key += [] if band is None else [(band[0], COLOURS[0], "▒")]
    key += [] if mark is None else [(mark[0], "currentColor", "┆")]
    legend = " &nbsp; ".join(f'<b style="color:{colour}">{sign}</b> {escape(name)}' for name, colour, sign in key)
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'style="display:block;max-width:100%" font-size="11" fill="currentColor">{"".join(parts)}</svg>'
        f'<div style="margin-left:{LEFT}px">{legend}</div>'
    )


class _Frame:
    """From epochs and values to pixels."""

    def __init__(self, last: int, values: np.ndarray):
        self.last = max(last, 2)
        low, high = float(values.min()), float(values.max())
        self.log = low > 0 and high / low > 30
        self.low, self.high = (math.log10(low), math.log10(high)) if self.log else (low, high)
        if self.high == self.low:
            room = max(abs(self.low), 1.0) * 0.05
            self.low, self.high = self.low - room, self.high + room

    def x(self, epoch: Any) -> Any:
        return LEFT + (np.asarray(epoch, float) - 1) / (self.last - 1) * (WIDTH - LEFT - 10)

    def y(self, value: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.log10(value) if self.log else np.asarray(value, float)
        return HEIGHT - BOTTOM - (at - self.low) / (self.high - self.low) * (HEIGHT - BOTTOM - TOP)

    def points(self, values: np.ndarray) -> list[tuple[float, float]]:
        """At most ``MOST`` places in pixels; those without a value are left out."""
        at = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST)).round().astype(int))
        at = at[np.isfinite(values[at])]
        return list(zip(self.x(at + 1).round(1).tolist(), self.y(values[at]).round(1).tolist(), strict=True))

    def line(self, values: np.ndarray, colour: str, dash: str = "") -> str:
        points = self.points(values)
        if len(points) == 1:
            return f'<circle cx="{points[0][0]}" cy="{points[0][1]}" r="3" fill="{colour}"/>'
        text = " ".join(f"{x:g},{y:g}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        return f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="1.8"{dashed}/>'

    def band(self, low: np.ndarray, high: np.ndarray) -> str:
        text = " ".join(f"{x:g},{y:g}" for x, y in [*self.points(low), *reversed(self.points(high))])
        return f'<polygon points="{text}" fill="{COLOURS[0]}" fill-opacity="0.2"/>'

    def vertical(self, epoch: float) -> str:
        x = round(float(self.x(epoch)), 1)
        return (
            f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="currentColor" stroke-dasharray="3 3"/>'
        )

    def axes(self, x_label: str, y_label: str) -> str:
        parts = []
        for value in np.linspace(self.low, self.high, 4):
            y = round(float(HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - BOTTOM - TOP)), 1)
            parts.append(
                f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y}" y2="{y}" stroke="currentColor" stroke-opacity="0.15"/>'
                f'<text x="{LEFT - 5}" y="{y + 4}" text-anchor="end">{10**value if self.log else value:.3g}</text>'
            )
        parts += [
            f'<text x="{self.x(epoch):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{epoch}</text>'
            for epoch in sorted({1, (self.last + 1) // 2, self.last})
        ]
        middle = (HEIGHT - BOTTOM + TOP) / 2
        parts.append(
            f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
            f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">'
            f"{escape(y_label)}</text>"
        )
        return "".join(parts)
