# SPDX-License-Identifier: Apache-2.0
"""What a checker sees of a run, and how it says that something is wrong.

The law of the module: values alone. A checker gets every observation in order, holds
no part of the product, and raises :class:`Violation`; it never changes what it sees.
``at_s`` are seconds of the run, ``true_ms`` is the true UTC at that instant, which
the gateway can only guess at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.core.command import Command
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan
    from edge.core.record import Record
    from edge.core.stimulus import Stimulus
    from firmware_sim.happening import Happening
    from firmware_sim.world import WorldSnapshot


class Violation(Exception):  # noqa: N818  the word of the trade
    """A checker's finding: its name, and what was wrong in a sentence."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name = name
        self.what = what


class CutPlace(StrEnum):
    """Where in its work the power left the box."""

    ANYWHERE = "ANYWHERE"
    BEFORE_COMMIT = "BEFORE_COMMIT"
    WITHIN_COMMIT = "WITHIN_COMMIT"
    AFTER_COMMIT = "AFTER_COMMIT"
    BEFORE_RELEASE = "BEFORE_RELEASE"
    AFTER_RELEASE = "AFTER_RELEASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What all observations have."""

    at_s: float
    true_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted(Seen):
    """A boot begins: its controller has read the journal's tail and starts."""

    boot: str
    epoch: str
    next_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLost(Seen):
    """The box is dark; doors, boards and people go on. Or it was stopped in order."""

    place: CutPlace
    is_orderly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled(Seen):
    """The controller took something: a stimulus, or None for a tick, start or stop.

    ``events`` and ``commands`` are what it answered; nothing is stored yet.
    """

    stimulus: Stimulus | None
    moment: Moment
    events: tuple[Event, ...]
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterAdopted(Seen):
    """Another roster decides from here on; also the last good copy at a boot."""

    roster: Roster
    moment: Moment
    events: tuple[Event, ...]
    confirmed_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedWritten(Seen):
    """The platform wrote a revision of its feed: the new rows by key, None for gone."""

    epoch: str
    revision: int
    texts: Mapping[tuple[str, str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Seen):
    """A commit succeeded: all up to ``last_seq`` is durable from here on."""

    last_seq: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut(Seen):
    """A command left the gateway for its wire."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbered(Seen):
    """The journal began a new epoch: all that is not stored moves by ``shift``."""

    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Seen):
    """Something moved in the world: a leaf, a relay, a card, a code."""

    happening: Happening


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered(Seen):
    """Somebody in charge gave an order; whether it is obeyed is the rules' affair."""

    order: Stimulus


@dataclass(frozen=True, slots=True, kw_only=True)
class Stormed(Seen):
    """A fault of the weather began: its kind, on what, and for how long."""

    kind: str
    on: str
    for_s: float = 0.0


Observation = (
    Booted
    | PowerLost
    | Handled
    | RosterAdopted
    | FeedWritten
    | Stored
    | CarriedOut
    | Renumbered
    | Happened
    | Ordered
    | Stormed
)
#: The kinds of observation, and some or all of them.
Kinds = frozenset[type[Seen]]
EVERYTHING: Kinds = frozenset(get_args(Observation))


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerItem:
    """What the platform holds of one event."""

    epoch: str
    seq: int
    core: str
    pii: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Everything as it stands when the quiet phase has ended.

    ``journal`` holds the rows of the present epoch that were not trimmed;
    ``arrivals`` counts, by key, how often the platform ran an item's effect.
    """

    at_s: float
    true_ms: int
    epoch: str
    journal: Sequence[Record]
    trimmed: int
    acked: int
    unstored: int
    ledger: Sequence[LedgerItem]
    effects: Mapping[tuple[str, int], int]
    alarms: int
    world: WorldSnapshot
    offline: frozenset[str]
    is_leaf_open: Mapping[str, bool] = field(default_factory=dict)


class Checker(Protocol):
    """One property of the product, watched over a whole run."""

    @property
    def name(self) -> str:
        """What a violation is called by."""

    @property
    def heeds(self) -> Kinds:
        """The kinds of observation that mean something to it; it gets no others."""

    def see(self, seen: Observation) -> None:
        """Take the next observation; raises Violation."""

    def end(self, rest: Rest) -> None:
        """Judge what is left when all is quiet; raises Violation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a checker may know beforehand: the plan, and who lives here.

    ``planted`` are identity numbers and codes, which must turn up nowhere;
    ``holders`` gives each token's holder; ``first`` the token under the site's first
    key of one under a later one, by which a card is told to be the same.
    """

    plan: SitePlan
    planted: frozenset[str]
    holders: Mapping[bytes, str]
    first: Mapping[bytes, bytes] = field(default_factory=dict)
