# SPDX-License-Identifier: Apache-2.0
"""The bars that a bench's figures are held to, told beside what was reached.

The law of the module: a bar that was missed is told and decides nothing else; the
machine may be busy. A figure that was not measured has no bar.
Source: the issues that asked for the figures; docs/sync.md and docs/panel.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Bar = dict[str, Any]


def at_most(goal: float, got: float) -> Bar:
    """Return a bar that a figure may not exceed."""
    return {"at_most": goal, "got": got, "is_met": got <= goal}


def at_least(goal: float, got: float) -> Bar:
    """Return a bar that a figure has to reach."""
    return {"at_least": goal, "got": got, "is_met": got >= goal}


def missed(bars: Mapping[str, Bar]) -> list[str]:
    """Return the names of those that were not met."""
    return [name for name, bar in bars.items() if not bar["is_met"]]
