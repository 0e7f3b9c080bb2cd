# SPDX-License-Identifier: Apache-2.0
"""People who are to be forgotten: asked for, barred or under way, and over.

The law of the module: a wish to forget survives everything until it is done; it names
the person only as long as the disk still does. What has to be kept (``bars``) puts it
off and says so; nothing else does. The work itself is the shell's, which comes back
twice: when rows are erased (then every part here forgets), and when no old page names
the person any more.
Source: docs/commands.md, "Erasing a person"; ARCHITECTURE.md, decisions.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.core.erasing.kept_out import KeptOut
from edge.core.erasing.names import Names
from edge.core.event import EventKind, Facts, Person
from edge.core.orders import MAX_TEXT
from edge.core.stimulus import EraseOrdered, RowsErased, TracesGone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.erasing.bars import Bar, Bars
    from edge.core.erasing.names import Forgetting
    from edge.core.event import Event
    from edge.core.lockers.lockers import Lockers
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.rolls import Rolls

#: People at a time: a site has thousands, and hardly one a week leaves.
MAX_ERASURES = 64
#: What is commanded, as the events of a command name it.
ERASE = "erase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One wish; ``holder`` is empty once the disk has forgotten him.

    ``jti`` names the platform's command, "" for a wish from here. ``told`` is what was
    last said to bar it, "" for nothing.
    """

    holder: str
    actor: str
    reason: str
    second: str = ""
    jti: str = ""
    told: str = ""


class Erasing:
    """The wishes by their names."""

    def __init__(
        self,
        out: OutcomeBuilder,
        bars: Bars,
        rolls: Rolls,
        lockers: Lockers,
        parts: Iterable[Forgetting],
    ) -> None:
        self._out = out
        self._bars = bars
        self._rolls = rolls
        self._lockers = lockers
        self._parts = tuple(parts)
        self._wishes: dict[str, Erasure] = {}
        #: Whom the feed may still bring, and nobody is to know.
        self.kept_out = KeptOut()

    @property
    def wishes(self) -> dict[str, Erasure]:
        """What is not over yet, to be read."""
        return dict(self._wishes)

    @property
    def due(self) -> dict[str, Erasure]:
        """What the shell can do now."""
        return {name: wish for name, wish in self._wishes.items() if not wish.told}

    @property
    def is_full(self) -> bool:
        """Whether no further wish can be taken."""
        return len(self._wishes) >= MAX_ERASURES

    def holds(self, name: str) -> bool:
        """Say whether a wish of that name goes on."""
        return name in self._wishes

    def bars(self, names: Names) -> tuple[Bar, ...]:
        """Return what bars a person's erasing now."""
        return self._bars.of(names)

    def begin(self, name: str, wish: Erasure, now: Moment) -> None:
        """Take a wish that stands recorded, and tell what bars it."""
        self._wishes[name] = wish
        # The record's own row will be erased: the standing has to know of it before.
        self._out.keep()
        self._look(name, wish, now)

    def handle(
        self, stimulus: EraseOrdered | RowsErased | TracesGone, now: Moment
    ) -> str:
        """Take what somebody here wants, or how far the shell has come; say why not."""
        match stimulus:
            case EraseOrdered():
                return self._order(stimulus, now)
            case RowsErased():
                return self._rows_erased(stimulus, now)
            case TracesGone():
                return self._traces_gone(stimulus.name, now)

    def settle(self, now: Moment) -> None:
        """Look whether what bars a wish is over."""
        for name, wish in tuple(self._wishes.items()):
            if wish.told:
                self._look(name, wish, now)

    def follow(self, event: Event) -> None:
        """Do nothing: what is wished stands in the snapshot of the same commit."""

    def renumber(self, shift: int) -> None:
        """Do nothing: no number of an event is kept."""

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        wishes = {name: asdict(wish) for name, wish in self._wishes.items()}
        return {"erasing": wishes} | self.kept_out.dump()

    def load(self, state: dict[str, Any]) -> None:
        """Take what :meth:`dump` returned; an older snapshot wishes nothing."""
        wishes = state.get("erasing", {}).items()
        self._wishes = {name: Erasure(**told) for name, told in wishes}
        self.kept_out.load(state)

    def _order(self, ordered: EraseOrdered, now: Moment) -> str:
        """Take a wish from here."""
        if self.is_full:
            return f"{MAX_ERASURES} people are being erased, try again later"
        if any(wish.holder == ordered.holder for wish in self._wishes.values()):
            return "this person is being erased already"
        wish = Erasure(
            holder=ordered.holder,
            actor=ordered.actor,
            reason=ordered.reason,
            second=ordered.second,
        )
        facts: Facts = (("action", ERASE), *_said(wish))
        person = Person(holder=wish.holder)
        kind = EventKind.ERASURE_ORDERED
        self._out.event(kind, "gateway", now, facts=facts, person=person)
        self.begin(ordered.name, wish, now)
        return ""

    def _look(self, name: str, wish: Erasure, now: Moment) -> None:
        """Tell what bars a wish, if that is news."""
        why = " ".join(self._bars.of(self._names(wish.holder)))
        if not why:
            self._end_unused(wish.holder, now)
        if why == wish.told:
            return
        self._wishes[name] = replace(wish, told=why)
        self._out.keep()
        if why:
            person = Person(holder=wish.holder)
            facts: Facts = (*_named(wish), ("why", why))
            kind = EventKind.ERASURE_DEFERRED
            self._out.event(kind, "gateway", now, facts=facts, person=person)

    def _end_unused(self, holder: str, now: Moment) -> None:
        """End what he holds and never opened: nothing lies inside."""
        for place, each in tuple(self._lockers.standing().items()):
            if each.rental is not None and each.rental.holder == holder:
                self._lockers.end(place, now, (("why", ERASE),))

    def _rows_erased(self, done: RowsErased, now: Moment) -> str:
        """Have every part forget, unless something has begun meanwhile."""
        wish = self._wishes.get(done.name)
        if wish is None or not wish.holder:
            return "nothing of that name is to be erased"
        self._look(done.name, wish, now)
        if self._wishes[done.name].told:
            return self._wishes[done.name].told
        names = self._names(wish.holder, done.bookings)
        for part in self._parts:
            part.forget(names)
        self._wishes[done.name] = replace(wish, holder="", told="")
        facts: Facts = (*_named(wish), *_said(wish), ("rows", done.rows))
        self._out.event(EventKind.ERASED, "gateway", now, facts=facts)
        self._out.keep()
        return ""

    def _traces_gone(self, name: str, now: Moment) -> str:
        wish = self._wishes.get(name)
        if wish is None or wish.holder:
            return "nothing of that name was erased"
        del self._wishes[name]
        self._out.keep()
        if wish.jti:
            kind = EventKind.COMMAND_EXECUTED
            self._out.event(kind, "gateway", now, facts=_named(wish))
        return ""

    def _names(self, holder: str, bookings: Iterable[str] = ()) -> Names:
        booked = (booking.booking_id for booking in self._rolls.bookings(holder))
        return Names(holder=holder, bookings=frozenset((*booked, *bookings)))


def _named(wish: Erasure) -> Facts:
    return (("action", ERASE), ("jti", wish.jti)) if wish.jti else (("action", ERASE),)


def _said(wish: Erasure) -> Facts:
    """Return who wanted it and why."""
    facts: Facts = (("actor", wish.actor[:MAX_TEXT]),)
    facts += (("reason", wish.reason[:MAX_TEXT]),)
    return facts + ((("second", wish.second[:MAX_TEXT]),) if wish.second else ())
