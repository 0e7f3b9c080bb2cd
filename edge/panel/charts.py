# SPDX-License-Identifier: Apache-2.0
"""Numbers become shapes: bars, steps and a strip, drawn by ``templates/charts.html``.

The law of the module: pure. A chart is never the only way to a number: a sentence
stands above it and a table beneath. Units are those of the picture, WIDE by HIGH.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDE, HIGH = 480, 150
#: Above the highest value its number is written.
TOP = 30
#: How dark the palest hour of the strip is that had anybody at all, in hundredths.
PALEST = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle; ``shade`` in hundredths, 100 is full."""

    x: int
    y: int
    wide: int
    high: int
    shade: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Boxes, or the path of a step line; the highest value and where it stands."""

    boxes: tuple[Box, ...] = ()
    path: str = ""
    most: int = 0
    most_x: int = 0


def bars(values: Sequence[int]) -> Chart:
    """Return a bar for each value that is not nothing."""
    most, step = max(values, default=0), WIDE // max(1, len(values))
    boxes = [
        Box(x=index * step + 1, y=HIGH - high, wide=step - 2, high=high)
        for index, value in enumerate(values)
        if (high := _high(value, most)) > 0
    ]
    return Chart(boxes=tuple(boxes), most=most, most_x=_most_x(values, step))


def steps(values: Sequence[int], whole: int) -> Chart:
    """Return a line of steps; ``whole`` values would fill the width."""
    most, step = max(values, default=0), WIDE // max(1, whole)
    path, before = [], None
    for index, value in enumerate(values):
        y = HIGH - _high(value, most)
        if y != before:
            path.append(f"M0 {y}" if before is None else f"H{index * step}V{y}")
            before = y
    if path:
        path.append(f"H{len(values) * step}")
    return Chart(path="".join(path), most=most, most_x=_most_x(values, step))


def strip(values: Sequence[int]) -> Chart:
    """Return a box for each value, the darker the more."""
    most, step = max(values, default=0), WIDE // max(1, len(values))
    boxes = [
        Box(x=index * step, y=TOP, wide=step - 1, high=40, shade=_shade(value, most))
        for index, value in enumerate(values)
    ]
    return Chart(boxes=tuple(boxes), most=most, most_x=_most_x(values, step))


def _high(value: int, most: int) -> int:
    """Return how high a value stands; somebody is never drawn as nobody."""
    return max(2, value * (HIGH - TOP) // most) if value > 0 and most > 0 else 0


def _shade(value: int, most: int) -> int:
    return PALEST + value * (100 - PALEST) // most if value > 0 and most > 0 else 0


def _most_x(values: Sequence[int], step: int) -> int:
    """Return where the number of the highest value is written, within the picture."""
    if not values:
        return 0
    at = values.index(max(values)) * step + step // 2
    return min(max(at, TOP), WIDE - TOP)
