# SPDX-License-Identifier: Apache-2.0
"""How far a command and a wish have come, and which word counts for more.

The law of the module: pure. Of one command the journal's last word counts; of a wish
the furthest of its commands does, since only one of them can have been done.
"""

from __future__ import annotations

from enum import StrEnum

from edge.core.remote.command import Action, CommandState

SENT = "sent"
WAITING = "waiting"


class End(StrEnum):
    """Ends of a wish that no gateway tells."""

    #: Its time was over before a gateway was there to be told.
    EXPIRED = "expired"
    #: Commands were sent and nothing was heard; the journal may still tell.
    UNHEARD = "unheard"
    CANCELLED = "cancelled"
    #: The operator's own signature does not hold, or he is retired.
    FORGED = "forged"


#: What a gateway says of one command, the earliest first: each outweighs those before.
OF_COMMAND = (
    *(SENT, CommandState.RECEIVED, CommandState.ACCEPTED, CommandState.DEFERRED),
    *(CommandState.ACTUATED, CommandState.CONFIRMED),
    *(CommandState.REJECTED, CommandState.UNKNOWN),
)
#: Of the commands of one wish the furthest counts: done goes before refused.
OF_WISH = (
    *(SENT, CommandState.REJECTED, CommandState.UNKNOWN, CommandState.RECEIVED),
    *(CommandState.ACCEPTED, CommandState.DEFERRED),
    *(CommandState.ACTUATED, CommandState.CONFIRMED),
)
#: Done twice these leave what once leaves: after "unknown" they may be signed anew.
REPEATABLE = frozenset({Action.REVOKE_NOW, Action.ERASE, Action.FEED_REFRESH})
#: After these nothing more is heard.
OVER = frozenset(
    {
        *(CommandState.ACTUATED, CommandState.CONFIRMED),
        *(CommandState.REJECTED, CommandState.UNKNOWN),
        *End,
    }
)


def is_news(before: str, now: str) -> bool:
    """Say whether a command's state goes on by what was told."""
    return OF_COMMAND.index(CommandState(now)) > OF_COMMAND.index(before)


def furthest(states: list[str]) -> str:
    """Return what a wish has come to by its commands."""
    order = [str(each) for each in OF_WISH]
    return max(states, key=order.index)
