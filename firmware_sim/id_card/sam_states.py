# SPDX-License-Identifier: Apache-2.0
"""How a card in the field moves from found to read.

The law of the module: text is readable only after find, select and read in that
order; what a step answers in each state stands in one table, and a refused step
changes nothing. After a successful read most readers answer 80 to find until the card
is taken away; others find it again and again (``repeat_find``).
Source: "SAM_V serial protocol" status codes; the order of commands in public drivers
(YinanSoft SerialReader, hev-dbus-object-idcard-reader). That find is answered only
once is a recollection, hence the knob.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Status(IntEnum):
    """SW3, the one byte that carries the result."""

    OK = 0x90
    FOUND = 0x9F
    WRONG_CHECKSUM = 0x10
    WRONG_LENGTH = 0x11
    WRONG_COMMAND = 0x21
    UNKNOWN_CARD_KIND = 0x40
    READ_FAILED = 0x41
    NOT_AUTHORISED = 0x66
    NO_CARD = 0x80
    SELECT_FAILED = 0x81
    NO_SUCH_CONTENT = 0x91


class CardState(StrEnum):
    """Where the card in the field stands."""

    NO_CARD = "no_card"
    PRESENT = "present"
    FOUND = "found"
    SELECTED = "selected"
    READ = "read"


class Step(StrEnum):
    """What the gateway asks for."""

    FIND = "find"
    SELECT = "select"
    READ = "read"


_NOT_FOUND = {
    Step.SELECT: (Status.SELECT_FAILED, None),
    Step.READ: (Status.READ_FAILED, None),
}

#: State and step to status and next state; None: the state stays.
TRANSITIONS: dict[CardState, dict[Step, tuple[Status, CardState | None]]] = {
    CardState.NO_CARD: {Step.FIND: (Status.NO_CARD, None), **_NOT_FOUND},
    CardState.PRESENT: {Step.FIND: (Status.FOUND, CardState.FOUND), **_NOT_FOUND},
    CardState.FOUND: {
        Step.FIND: (Status.FOUND, None),
        Step.SELECT: (Status.OK, CardState.SELECTED),
        Step.READ: (Status.READ_FAILED, None),
    },
    CardState.SELECTED: {
        Step.FIND: (Status.FOUND, CardState.FOUND),
        Step.SELECT: (Status.SELECT_FAILED, None),
        Step.READ: (Status.OK, CardState.READ),
    },
    CardState.READ: {
        Step.FIND: (Status.NO_CARD, None),
        Step.SELECT: (Status.SELECT_FAILED, None),
        Step.READ: (Status.OK, None),
    },
}


def advance(
    state: CardState, step: Step, *, repeat_find: bool
) -> tuple[Status, CardState]:
    """Return the status and the next state; a reader may find a read card again."""
    if repeat_find and state is CardState.READ and step is Step.FIND:
        state = CardState.PRESENT
    status, following = TRANSITIONS[state][step]
    return status, following or state
