# SPDX-License-Identifier: Apache-2.0
"""Where a connection stands, from its hello to its end.

The law of the module: words alone; what each allows is the session's matter. What is
not named in a stage is ignored in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Stage(Enum):
    """How far the conversation of a connection has come."""

    OFFLINE = auto()  # before connected() and after disconnected()
    GREETING = auto()  # hello is out
    CHECKING = auto()  # hello came back; the journal looks up the hash it names
    SYNCING = auto()  # events and the feed flow
    ENDED = auto()  # a new connection is needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The platform says that it holds ``hi`` with this hash; to be checked."""

    hi: int
    hash: bytes
