# SPDX-License-Identifier: Apache-2.0
"""Wishes in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edge.core.command import (
    HoldOpen,
    Indicate,
    OpenCompartment,
    Release,
    Relock,
    SwitchAppliance,
)

if TYPE_CHECKING:
    from edge.core.command import Command


def word(command: Command) -> str:
    """Return a wish in a few words; nothing for what is only said."""
    match command:
        case Release(door=door):
            return f"release {door}"
        case Relock(door=door):
            return f"relock {door}"
        case HoldOpen(door=door):
            return f"hold {door}"
        case OpenCompartment(number=number):
            return f"open {number}"
        case SwitchAppliance(appliance=name, is_on=is_on):
            return f"{name} {'on' if is_on else 'off'}"
        case Indicate():
            return ""
        case _:
            assert_never(command)
