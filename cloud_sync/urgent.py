# SPDX-License-Identifier: Apache-2.0
"""What overtakes the backlog: the kinds of event that somebody has to hear of at once.

The law of the module: one list for gateway and platform. A kind is on it because a
person has to do something now, or because it takes such a call back: else the platform
would go on calling people for a door that was closed an hour ago. Everything else
waits its turn, since what is told early costs a message more.
"""

from __future__ import annotations

from edge.core.event import EventKind

#: Each with what somebody does about it.
URGENT = {
    EventKind.DOOR_FORCED_OPEN: "look who came in",
    EventKind.DOOR_OPEN_TOO_LONG: "close the door, or ask who keeps it open",
    EventKind.DOOR_RELAY_STUCK: "guard a door that does not lock, and send somebody",
    EventKind.EMERGENCY_STARTED: "help; call those on the list",
    EventKind.EMERGENCY_ENDED: "stand down",
    EventKind.MEDICINE_BOX_OPENED: "ask who needs first aid",
    EventKind.CALL_RAISED: "answer whoever stands at the door",
    EventKind.CALL_ANSWERED: "call nobody else",
    EventKind.CARE_SIGNAL: "visit somebody who was not seen for days",
    EventKind.CARE_ANSWERED: "call nobody else",
    EventKind.DEVICE_TAMPERED: "look at a reader or a board that was opened",
    EventKind.WRONG_TRIES: "look who tries codes at a door, or PINs at the panel",
    EventKind.SUPPLY_FAILED: "restore the mains before the battery is empty",
}
