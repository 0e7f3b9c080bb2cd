# SPDX-License-Identifier: Apache-2.0
"""Which site keys this box holds, and whether anything still needs one of before.

The law of the module: it knows keys by their numbers, never a key. What stands is
told by SITE_KEY_CHANGED alone, after the box has it on its disk. A key of before is
needed while an open rental is known by it, while a card is bound under it whose holder
rents something or is inside, and otherwise for half a year, in which a card that is
shown is known by its new token from then on. The platform's own rows are not looked at
here.
Source: docs/enrolment.md, "A new site key".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.credential import FIRST_KEY
from edge.core.erasing.names import Names
from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.core.credential import Credential
    from edge.core.erasing.bars import Bar
    from edge.core.event import Event, Facts
    from edge.core.lockers.lockers import Lockers
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.local import LocalRoster
    from edge.core.stimulus import SiteKeysHeld

#: A card bound here is shown within half a year by whoever comes at all; who does not
#: proves himself once more. A key that may have leaked is not kept for ever.
MAX_FORMER_MS = 183 * DAY_MS
TAKEN, GIVEN_UP = "taken", "given_up"


class SiteKeys:
    """The current key's number, and since when each key of before is one (UTC ms).

    ``bars`` says why somebody is not done yet, as for whoever wants to be erased.
    """

    def __init__(
        self,
        out: OutcomeBuilder,
        bars: Callable[[Names], Sequence[Bar]],
        lockers: Lockers,
        local: LocalRoster,
    ) -> None:
        self._out = out
        self._bars = bars
        self._lockers = lockers
        self._local = local
        self.current = FIRST_KEY
        self.former: dict[int, int] = {}

    def handle(self, held: SiteKeysHeld, now: Moment) -> None:
        """Tell what the disk holds, where that is news."""
        if held.current != self.current or not set(held.former) <= self.former.keys():
            told = " ".join(map(str, sorted(held.former)))
            facts: Facts = (("former", told),) if told else ()
            self._tell(held.current, (*facts, ("what", TAKEN)), now)
        for number in sorted(self.former.keys() - set(held.former)):
            self._tell(number, (("what", GIVEN_UP),), now)
            self._out.keep()  # a replay must not take back a card that was shown since

    def recognised(self, shown: Credential) -> None:
        """Know a card that was bound under a key of before by today's from now on."""
        if shown.former and self._local.rekey(shown):
            self._out.keep()

    def needs(self, number: int, now: Moment) -> str:
        """Return what still needs that key of before, or one before it; "" nothing."""
        for (bank, place), leaf in self._lockers.standing().items():
            rental = leaf.rental
            if rental is not None and rental.token and rental.key <= number:
                return f"the rental of {bank} {place}"
        owners = self._local.owners_under(number)
        since_ms = self.former.get(number, now.latest_ms)
        if owners and now.earliest_ms - since_ms < MAX_FORMER_MS:
            return f"{len(owners)} people with cards that were bound here"
        if any(self._bars(Names(holder=owner)) for owner in owners):
            return "somebody with a card that was bound here, who is not done"
        return ""

    def follow(self, event: Event) -> None:
        """Take what was told into account, live or replayed."""
        if event.kind is not EventKind.SITE_KEY_CHANGED:
            return
        number = int(event.fact("key") or FIRST_KEY)
        if event.fact("what") == GIVEN_UP:
            self.former.pop(number, None)
            self._local.unbind_under(number)
            return
        self.current = number
        since_ms = event.moment.latest_ms
        for each in str(event.fact("former") or "").split():
            self.former.setdefault(int(each), since_ms)

    def renumber(self, shift: int) -> None:
        """Nothing here carries a seq."""

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values; of the first key none."""
        if self.current == FIRST_KEY and not self.former:
            return {}
        former = {str(number): since_ms for number, since_ms in self.former.items()}
        return {"site_keys": [self.current, former]}

    def load(self, state: dict[str, Any]) -> None:
        """Take what :meth:`dump` returned; an older snapshot has the first key."""
        self.current, former = state.get("site_keys", (FIRST_KEY, {}))
        self.former = {int(number): since_ms for number, since_ms in former.items()}

    def _tell(self, number: int, facts: Facts, now: Moment) -> None:
        kind = EventKind.SITE_KEY_CHANGED
        self._out.event(kind, "gateway", now, facts=(("key", number), *facts))
