# SPDX-License-Identifier: Apache-2.0
"""The emergencies that a site may stand in, and which of them goes first.

The law of the module: several may stand at once; what doors and decisions heed is the
first of them, and ending it returns to the next. FIRE > LOCK_DOWN > CHECKPOINT >
SHELTER.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class EmergencyState(StrEnum):
    """A standing emergency; the order of the members is their precedence."""

    FIRE = "FIRE"
    LOCK_DOWN = "LOCK_DOWN"
    CHECKPOINT = "CHECKPOINT"
    SHELTER = "SHELTER"


def first_of(standing: Collection[EmergencyState]) -> EmergencyState | None:
    """Return the emergency that counts, None in peace."""
    return next((state for state in EmergencyState if state in standing), None)
