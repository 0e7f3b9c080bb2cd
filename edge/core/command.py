# SPDX-License-Identifier: Apache-2.0
"""What the rules wish to happen, as values.

The law of the module: a wish says what, never how; which relay moves is known to
the bindings alone. What opens waits for the commit of its ``cause``: a
:class:`Release` that is no egress, a :class:`HoldOpen` that somebody ordered, an
:class:`OpenCompartment`, and switching an appliance on. A cause of 0 is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.event import Facts


class Indication(StrEnum):
    """What the reader side shows or sounds."""

    READING = "READING"
    GRANTED = "GRANTED"
    DENIED = "DENIED"
    TRY_AGAIN = "TRY_AGAIN"
    #: Waiting for a second person, or for a volunteer's confirmation.
    WAITING = "WAITING"
    #: The leaf stands open and will soon raise its alarm.
    CLOSE_DOOR = "CLOSE_DOOR"
    #: The holder was recognised: now the card that is to be his.
    TAP_CARD = "TAP_CARD"
    #: A card was bound, a bell was heard, a shift was noted.
    DONE = "DONE"
    #: What lasts, until another of these takes its place: nothing is the matter; and
    #: then nobody has booked the place just now, or somebody has …
    READY = "READY"
    FREE = "FREE"
    BOOKED = "BOOKED"
    #: … people rehearse, and at an escape door they rehearse to leave …
    DRILL = "DRILL"
    DRILL_EVACUATE = "DRILL_EVACUATE"
    #: … the door's board or the disk is at fault …
    OUT_OF_ORDER = "OUT_OF_ORDER"
    #: … nobody is let in, or everybody has to leave.
    LOCKED_DOWN = "LOCKED_DOWN"
    EVACUATE = "EVACUATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Release the door for ``duration_s``, timed by the board itself.

    ``cause`` is the seq of the grant or exit request; ``is_egress`` waits for nothing.
    """

    door: str
    duration_s: float
    cause: int
    is_egress: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Relock:
    """End a release early; also puts a steady output to rest."""

    door: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOpen:
    """Keep the door released until told otherwise.

    ``cause`` is the seq of the order; 0, waiting for nothing, for the fire release and
    for what is done once more.
    """

    door: str
    cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicate:
    """Tell the person at the access point; ``facts`` are a refusal's parameters.

    ``language`` is his own, "" where nobody knows it. Of a grant: ``is_slow``, if the
    door stays released for longer than usual, and when it ends (UTC ms).
    """

    access_point: str
    indication: Indication
    reason: str = ""
    next_step: str = ""
    facts: Facts = ()
    language: str = ""
    is_slow: bool = False
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCompartment:
    """Open one compartment of a bank; ``cause`` is the seq of its grant.

    Waits for its commit. If that outlasts the patience at a door, or the wish is
    dropped for any reason, the compartment is not opened and the controller is told
    by ``OpenRefused``: a lost record could hand it to two people. The medicine box
    (``is_first_aid``) follows the door's rule and opens anyway.
    """

    bank: str
    number: int
    cause: int
    is_first_aid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchAppliance:
    """Switch a stove's gas or power; on waits for its commit, off for nothing."""

    appliance: str
    is_on: bool
    cause: int


Command = Release | Relock | HoldOpen | Indicate | OpenCompartment | SwitchAppliance
