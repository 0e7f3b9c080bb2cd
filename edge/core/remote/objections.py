# SPDX-License-Identifier: Apache-2.0
"""What the site has against a command now, whoever gives it.

The law of the module: it changes nothing and counts nothing, so it is asked when a
command comes and once more when its record is on disk. Those who are at the place go
before the platform.
Source: docs/commands.md, "What the site has to say".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.rules.way import CLOSED_MODES
from edge.core.doors.door import FREE_MODES, DoorMode
from edge.core.doors.unlocking import YIELDING_MODES
from edge.core.duty.shift import closing_ms
from edge.core.emergency.state import EmergencyState, first_of
from edge.core.moment import UNBOUNDED_MS, ClockVerdict
from edge.core.remote.command import Action, Rejection

if TYPE_CHECKING:
    from edge.core.doors.doorkeeper import Doorkeeper
    from edge.core.emergency.emergency import Emergency
    from edge.core.erasing.erasing import Erasing
    from edge.core.moment import Moment
    from edge.core.people.rolls import Rolls
    from edge.core.plan import SitePlan
    from edge.core.remote.command import Flaw, RemoteCommand
    from edge.core.remote.modes import RemoteModes

#: While one of these stands nobody moves a leaf from afar.
ON_THE_SPOT = frozenset(
    {EmergencyState.FIRE, EmergencyState.LOCK_DOWN, EmergencyState.CHECKPOINT}
)
#: … and in a shelter nobody shuts it by these.
SHUTTING_MODES = frozenset({DoorMode.BLOCKED, DoorMode.LOCKED_DOWN})
#: Operators who have to sign a shelter.
WITNESSES = 2
_NOT_VALID: dict[ClockVerdict, Flaw] = {
    ClockVerdict.BEFORE: (Rejection.CREDENTIAL_NOT_ACTIVE, "not valid yet"),
    ClockVerdict.AFTER: (Rejection.CREDENTIAL_EXPIRED, "not valid any more"),
}


class Objections:
    """The site's standing, as far as it forbids what is wished from afar."""

    def __init__(
        self,
        site: SitePlan,
        *,
        doors: Doorkeeper,
        emergency: Emergency,
        rolls: Rolls,
        modes: RemoteModes,
        erasing: Erasing,
    ) -> None:
        self._site = site
        self._doors = doors
        self._emergency = emergency
        self._rolls = rolls
        self._modes = modes
        self._erasing = erasing

    def to(self, command: RemoteCommand, now: Moment) -> Flaw | None:
        """Return what forbids a command now, None if nothing does."""
        is_opening, is_mode = command.is_opening, command.action is Action.MODE
        if is_opening and not self._site.allows_remote_unlock:
            return Rejection.REMOTE_UNLOCK_OFF, "switched off in the site file"
        if command.action is Action.SHELTER:
            return self._shelter_flaw(command)
        if command.action is Action.ERASE:
            return self._erase_flaw(command)
        first = first_of(self._emergency.standing)
        if first in ON_THE_SPOT and (is_opening or is_mode):
            return Rejection.EMERGENCY, f"{first} stands, ask at the place"
        if first is EmergencyState.SHELTER and is_mode and self._shuts(command):
            return Rejection.EMERGENCY, f"{first} stands, shut it at the place"
        if command.action is Action.RESIDENT_OPEN:
            barred = self._barred(command.by, now)
            if barred is not None:
                return barred
        if not command.door:
            return None
        if is_opening and self._site.doors[command.door].needs_two_persons:
            return Rejection.SECOND_PERSON_NEEDED, "this door asks for two persons"
        return self._mode_flaw(command, now) if is_mode else self._shut(command.door)

    def _shelter_flaw(self, command: RemoteCommand) -> Flaw | None:
        """Return why a shelter is not begun; whatever stands goes on standing."""
        if not self._site.allows_remote_shelter:
            return Rejection.SHELTER_OFF, "the site file names no operators for it"
        if len(set(command.witnesses)) < WITNESSES:
            why = "two of the operators in the site file have to sign it"
            return Rejection.SECOND_SIGNATURE_NEEDED, why
        return None

    def _erase_flaw(self, command: RemoteCommand) -> Flaw | None:
        """Return why a person is not erased: what can't be erased names nobody."""
        if self._erasing.is_full:
            return Rejection.BUSY, "too many people are being erased"
        if any(command.holder in said for said in (command.by, command.reason)):
            return Rejection.PERSON_NAMED, "'by' and 'reason' stay: name nobody there"
        wishes = self._erasing.wishes.values()
        if any(wish.holder == command.holder for wish in wishes):
            return Rejection.BUSY, "this person is being erased already"
        return None

    def _barred(self, holder_id: str, now: Moment) -> Flaw | None:
        """Return why a resident opens nothing here, as his card would be told.

        Whom no roster here knows the platform has checked: his row may be on its way.
        """
        if self._rolls.holder_revocation(holder_id) is not None:
            return Rejection.CREDENTIAL_REVOKED, "revoked, at this site or by the feed"
        holder = self._rolls.holder(holder_id)
        if holder is None:
            return None
        if not holder.is_enabled:
            return Rejection.CREDENTIAL_NOT_ENABLED, "disabled by the feed"
        return _NOT_VALID.get(now.against(holder.valid_from_ms, holder.valid_to_ms))

    def _shuts(self, command: RemoteCommand) -> bool:
        """Say whether a mode shuts a door on people, at once or when it ends.

        One that stands free by hand or by its schedule is theirs who are there.
        """
        is_free = self._doors.intents()[command.door].own in FREE_MODES
        is_theirs = is_free and not self._modes.holds(command.door)
        return is_theirs or command.mode in SHUTTING_MODES

    def _shut(self, door: str) -> Flaw | None:
        closed = CLOSED_MODES.get(self._doors.mode(door))
        if closed is None:
            return None
        return Rejection(closed.value), "its mode lets nobody in"

    def _mode_flaw(self, command: RemoteCommand, now: Moment) -> Flaw | None:
        """Return why the door may not have that mode, or not for so long."""
        ordered = self._doors.intents()[command.door].ordered
        if ordered not in YIELDING_MODES and not self._modes.holds(command.door):
            return Rejection.MODE_HELD, f"{ordered} by hand, end it at the place"
        if command.mode is DoorMode.LOCKED:
            return None
        if now.latest_ms >= UNBOUNDED_MS:
            return Rejection.CLOCK_UNTRUSTED, "nobody knows when it would end"
        site = self._site
        end_ms = closing_ms(now.latest_ms, site.closing_min, site.utc_offset_ms)
        if not now.latest_ms < command.until_ms <= end_ms:
            return Rejection.UNTIL, "a mode from afar ends today, by closing time"
        return None
