# SPDX-License-Identifier: Apache-2.0
"""Which cue of a reader stands for which wish of the rules.

The law of the module: pure; a refusal looks like any other refusal, whatever its
reason, but for a card that could not be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.device import Cue
from edge.core.access.answers import DenyReason
from edge.core.command import Indication

if TYPE_CHECKING:
    from edge.core.command import Indicate

#: What a reader shows where its few cues have no word of their own.
_CUES = {
    Indication.READING: Cue.READING,
    Indication.GRANTED: Cue.GRANTED,
    Indication.DENIED: Cue.DENIED,
    Indication.TRY_AGAIN: Cue.TRY_AGAIN,
    Indication.WAITING: Cue.READING,
    Indication.CLOSE_DOOR: Cue.CLOSE_DOOR,
    Indication.TAP_CARD: Cue.READING,
    Indication.DONE: Cue.GRANTED,
    Indication.READY: Cue.READY,
    Indication.FREE: Cue.FREE,
    Indication.BOOKED: Cue.BOOKED,
    Indication.DRILL: Cue.DRILL,
    Indication.DRILL_EVACUATE: Cue.DRILL_EVACUATE,
    Indication.OUT_OF_ORDER: Cue.OUT_OF_ORDER,
    Indication.LOCKED_DOWN: Cue.LOCKED_DOWN,
    Indication.EVACUATE: Cue.EVACUATE,
}


def cue_of(wish: Indicate) -> Cue:
    """Return what a reader does for a wish."""
    if wish.reason == DenyReason.UNREADABLE.value:
        return Cue.TRY_AGAIN
    if wish.indication is Indication.GRANTED and wish.is_slow:
        return Cue.GRANTED_SLOW
    return _CUES[wish.indication]
