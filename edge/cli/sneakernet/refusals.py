# SPDX-License-Identifier: Apache-2.0
"""Why a stick, or a part of what is on it, is not taken, and what to do then.

The law of the module: a name for whoever writes a program, a sentence for whoever
stands there with the stick; each name stands in docs/sneakernet.md.
"""

from __future__ import annotations

from enum import StrEnum

_AGAIN = "ask the platform to write the stick again; nothing was changed"
_FORGED = (
    "this is not what the platform signed. Do not use it, keep the stick, and tell the "
    "platform's people; nothing was changed"
)


class Verdict(StrEnum):
    """What becomes of the roster, or of the acknowledgement, on a stick."""

    ABSENT = "ABSENT"
    TAKEN = "TAKEN"
    CONFIRMED = "CONFIRMED"
    KNOWN = "KNOWN"
    OLDER = "OLDER"
    OTHER_EPOCH = "OTHER_EPOCH"
    DIFFERS = "DIFFERS"
    TOO_BROKEN = "TOO_BROKEN"

    @property
    def has_effect(self) -> bool:
        """Whether anything changes by it."""
        return self in (Verdict.TAKEN, Verdict.CONFIRMED)

    @property
    def is_trouble(self) -> bool:
        """Whether somebody has to look into it."""
        return self in (Verdict.OTHER_EPOCH, Verdict.DIFFERS, Verdict.TOO_BROKEN)


#: What each name means to whoever holds the stick.
ADVICE = {
    "TOO_LARGE": f"a line is longer than the contract allows; {_AGAIN}",
    "NOT_SIGNED": _FORGED,
    "ALGORITHM": _FORGED,
    "SIGNATURE": _FORGED,
    "PURPOSE": _FORGED,
    "KEY_UNKNOWN": (
        "signed with a key that this box does not know. Is it another platform's, or "
        "has the platform a new key? Then its key file comes first; nothing was changed"
    ),
    "GATEWAY": (
        "this file is for another gateway; look at the file's name, and take the one "
        "for this box; nothing was changed"
    ),
    "BODY": f"its content is not what the contract says; {_AGAIN}",
    "FEED_PULL": f"a part of another file is mixed in; {_AGAIN}",
    "FEED_CURSOR": (
        "the roster on it is older than the one in force; nothing was changed, and "
        "nothing has to be done"
    ),
    "FEED_SHAPE": f"its parts do not fit together; {_AGAIN}",
    "FEED_LIMIT": f"it has more rows than a box can hold; {_AGAIN}",
    "FEED_HASH": f"its rows do not add up to what was announced; {_AGAIN}",
    "TORN": "parts are missing; copy the file to the stick again; nothing was changed",
    "BUSY": "another import is under way; wait for half a minute and try again",
    "LINE_BUSY": (
        "the line is alive and brings a roster this very moment; look at `menshen "
        "status`, and import again only if it stays dead; nothing was changed"
    ),
    "FORGOTTEN": "the import took too long and was given up; import again",
    "STORAGE": "the box's disk fails, look at `menshen status`; nothing was changed",
    Verdict.KNOWN: "was imported before, or came by the line; nothing to do",
    Verdict.OLDER: "older than the one in force; nothing to do",
    Verdict.OTHER_EPOCH: (
        "of an earlier epoch of this journal; export anew and carry that to the "
        "platform"
    ),
    Verdict.DIFFERS: (
        "the platform holds another history than this journal: a card was restored, or "
        "events were changed. Call the platform's people; once the line is back the "
        "gateway settles it by itself. No event is lost"
    ),
    Verdict.TOO_BROKEN: "the roster was refused as broken, the one before stays",
}


def refusal_text(name: str, why: str = "") -> str:
    """Return a refusal as it is shown."""
    detail = f" ({why})" if why else ""
    return f"{name}: {ADVICE[name]}{detail}"
