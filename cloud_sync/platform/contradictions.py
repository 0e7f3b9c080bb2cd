# SPDX-License-Identifier: Apache-2.0
"""What contradicts what is held here: noted once, for somebody to look at.

The law of the module: an alarm changes nothing of what is stored, and stays.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work

_ALARM = """
INSERT INTO alarm (gateway, epoch, seq, kind, held, offered, at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (gateway, epoch, seq, kind) DO NOTHING
"""


class AlarmKind(StrEnum):
    """How a gateway's journal can contradict ours; each with what it means."""

    FORK = "FORK"
    RESTORED = "RESTORED"
    UNPROVEN = "UNPROVEN"
    EARLY = "EARLY"
    DAY = "DAY"


MEANING = {
    AlarmKind.FORK: (
        "its event is another than ours: the card was restored or exchanged"
    ),
    AlarmKind.RESTORED: (
        "its journal ends before what is stored here: restored from a backup"
    ),
    AlarmKind.UNPROVEN: (
        "its events do not add up to its own hash: rows were damaged or changed there"
    ),
    AlarmKind.EARLY: "its alarm was another than the event that the journal brought",
    AlarmKind.DAY: (
        "its count of a day is another than ours; see menshen platform reconcile"
    ),
}


async def raise_alarm(  # noqa: PLR0917
    work: Work,
    key: tuple[str, str, int],
    kind: AlarmKind,
    held: bytes,
    offered: bytes,
    now_ms: int,
) -> None:
    """Note once that a gateway contradicts us at ``(gateway, epoch, seq)``."""
    await work.execute(_ALARM, *key, str(kind), held, offered, now_ms)
