"""Small plots as SVG, coloured by the page's variables so that they suit its light and its dark dress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Axes", "bars", "curve", "dots"]

_WIDTH, _HEIGHT = 420, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 44


@dataclass(frozen=True, slots=True)
class Axes:
    """What the axes say; x runs from 0 to 1, y from 0 to `top`."""

    title: str
    x: str
    y: str
    top: float = 1.0

    def across(self, x: float) -> float:
        return round(_LEFT + x * (_WIDTH - _LEFT - _RIGHT), 1)

    def up(self, y: float) -> float:
        return round(_HEIGHT - _BOTTOM - y / self.top * (_HEIGHT - _TOP - _BOTTOM), 1)


def curve(axes: Axes, points: Sequence[tuple[float, float]]) -> str:
    """A line through points of both axes' units, ordered by x."""
    path = " ".join(f"{axes.across(x)},{axes.up(y)}" for x, y in points)
    return _frame(axes, f'<polyline class="line a" points="{path}"/>')


def dots(axes: Axes, points: Sequence[tuple[float, float, str]]) -> str:
    """Points with a label each, and the diagonal on which x equals y."""
    diagonal = f'<path class="even" d="M{axes.across(0)} {axes.up(0)}L{axes.across(1)} {axes.up(1)}"/>'
    marks = "".join(
        f'<circle class="dot" cx="{axes.across(x)}" cy="{axes.up(y)}" r="4"><title>{escape(label)}</title></circle>'
        for x, y, label in points
    )
    return _frame(axes, diagonal + marks)


def bars(axes: Axes, series: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Heights of equally wide ranges of x, the series side by side; the first is `a` in colour, the next `b`."""
    drawn = []
    for n, (name, heights) in enumerate(series):
        colour = "ab"[n]
        wide = 0.9 / len(heights) / len(series)
        for k, height in enumerate(heights):
            left = axes.across((k + 0.05) / len(heights) + n * wide)
            width = axes.across(wide) - axes.across(0)
            drawn.append(
                f'<rect class="{colour}" x="{left}" y="{axes.up(height)}" width="{width:.1f}"'
                f' height="{axes.up(0) - axes.up(height):.1f}"><title>{escape(f"{name}: {height:.2f}")}</title></rect>'
            )
        drawn.append(f'<text class="key {colour}" x="{_WIDTH - _RIGHT}" y="{_TOP + 12 + 15 * n}">{escape(name)}</text>')
    return _frame(axes, "".join(drawn))


def _frame(axes: Axes, inside: str) -> str:
    ticks = []
    for fifth in range(6):
        x, y = axes.across(fifth / 5), axes.up(axes.top * fifth / 5)
        ticks.append(f'<path class="grid" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>')
        ticks.append(f'<text class="tick x" x="{x}" y="{_HEIGHT - _BOTTOM + 15}">{fifth / 5:.1f}</text>')
        ticks.append(f'<text class="tick y" x="{_LEFT - 6}" y="{y + 4}">{axes.top * fifth / 5:.2g}</text>')
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(axes.title)}">{"".join(ticks)}{inside}'
        f'<text class="name x" x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}">{escape(axes.x)}</text>'
        f'<text class="name y" transform="translate(12 {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)">'
        f"{escape(axes.y)}</text></svg>"
    )
