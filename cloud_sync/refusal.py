# SPDX-License-Identifier: Apache-2.0
"""Why a message of the platform was not believed, as a value.

The law of the module: nothing that came over the wire raises; it becomes a
:class:`Refused`. What is told onwards is metered, because whoever sits on the broker
decides how many bad messages arrive and must not be able to fill the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: One report of a kind in this time: at most 1,440 rows a day for each kind.
REPORT_EVERY_S = 60.0


class RefusalKind(StrEnum):
    """The kinds of disbelief; a closed set, so that metering is bounded."""

    TOPIC = "TOPIC"
    TOO_LARGE = "TOO_LARGE"
    NOT_SIGNED = "NOT_SIGNED"
    ALGORITHM = "ALGORITHM"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    SIGNATURE = "SIGNATURE"
    PURPOSE = "PURPOSE"
    GATEWAY = "GATEWAY"
    BODY = "BODY"
    NONCE = "NONCE"
    EPOCH = "EPOCH"
    FEED_PULL = "FEED_PULL"
    FEED_CURSOR = "FEED_CURSOR"
    FEED_SHAPE = "FEED_SHAPE"
    FEED_LIMIT = "FEED_LIMIT"
    FEED_HASH = "FEED_HASH"
    RETAINED = "RETAINED"
    EARLY = "EARLY"
    LIFETIME = "LIFETIME"
    EXPIRED = "EXPIRED"
    REPLAY = "REPLAY"
    ACTION = "ACTION"
    NOT_SEALED = "NOT_SEALED"
    UNSEALING = "UNSEALING"
    CURVE = "CURVE"
    SITE = "SITE"
    OLDER = "OLDER"
    SITE_KEY = "SITE_KEY"
    CERTIFICATE = "CERTIFICATE"


#: The kinds that say that a snapshot is bad, and not merely a message.
FEED_REFUSALS = frozenset(
    (
        RefusalKind.FEED_CURSOR,
        RefusalKind.FEED_SHAPE,
        RefusalKind.FEED_LIMIT,
        RefusalKind.FEED_HASH,
    )
)
#: The kinds that are of sealed keys and of certificates (docs/enrolment.md).
KEY_REFUSALS = frozenset(
    (
        RefusalKind.NOT_SEALED,
        RefusalKind.UNSEALING,
        RefusalKind.CURVE,
        RefusalKind.SITE,
        RefusalKind.OLDER,
        RefusalKind.SITE_KEY,
        RefusalKind.CERTIFICATE,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One message, or part of one, that was not believed."""

    kind: RefusalKind
    why: str


class RefusalMeter:
    """Lets one refusal of each kind through a minute and counts the others."""

    __slots__ = ("_last_s", "_unreported")

    def __init__(self) -> None:
        self._last_s: dict[RefusalKind, float] = {}
        self._unreported: dict[RefusalKind, int] = {}

    def count(self, kind: RefusalKind, now_s: float) -> int:
        """Return how many of ``kind`` to report now, this one included; 0 for none."""
        unreported = self._unreported.get(kind, 0) + 1
        last_s = self._last_s.get(kind)
        if last_s is not None and now_s - last_s < REPORT_EVERY_S:
            self._unreported[kind] = unreported
            return 0
        self._last_s[kind] = now_s
        self._unreported[kind] = 0
        return unreported
