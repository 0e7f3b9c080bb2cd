# SPDX-License-Identifier: Apache-2.0
"""Good values of what is said beside events: heartbeats, alarms, days.

The law of the module: as in samples.py, of which these are a part.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from cloud_sync import envelope
from tests.cloud_sync.contract.readers import DAY, NONCE
from tests.cloud_sync.contract.written import written_events
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY

AT_MS = 1_760_000_000_000
NEWER: dict[str, Any] = {"newer": {"fields": ["are passed over", 1.5, None, True]}}
_BEAT = envelope.Beat(
    nonce=NONCE,
    number=1,
    lease_s=60,
    boot="boot-17",
    epoch=EPOCH,
    last_seq=3,
    waiting=3,
    oldest_s=86_400,
    earliest_ms=AT_MS,
    latest_ms=AT_MS + 40,
)
_BEAT_ANSWER = {"gw": GATEWAY, "nonce": NONCE, "n": 1}
_DAY_ANSWER = {
    "gw": GATEWAY,
    "epoch": EPOCH,
    "first": DAY.first,
    "last": DAY.last,
    "verdict": "agreed",
    "count": 3,
    "h": DAY.hash.hex(),
}


def _beat(**changes: Any) -> Any:
    return json.loads(envelope.heartbeat(GATEWAY, replace(_BEAT, **changes)))


def _early(seq: int) -> Any:
    record = written_events(EPOCH)[seq - 1]
    return json.loads(envelope.early(GATEWAY, EPOCH, record, AT_MS))


def _day(**changes: Any) -> Any:
    return json.loads(envelope.day(GATEWAY, replace(DAY, **changes), AT_MS))


BESIDE: dict[str, dict[str, Any]] = {
    "heartbeat.json": {
        "plain": _beat(),
        "nothing waits": _beat(waiting=0, oldest_s=0, number=2),
        "of one that knows no time": _beat(latest_ms=253_402_300_799_999),
        "newer fields are passed over": {
            **_beat(),
            **NEWER,
            "data": _beat()["data"] | NEWER,
        },
    },
    "heartbeat_answer.json": {
        "plain": _BEAT_ANSWER,
        "newer fields are passed over": _BEAT_ANSWER | NEWER,
    },
    "alarm.json": {
        "of nobody": _early(5),
        "of somebody, who is not named": _early(2),
        "whose person was erased": _early(4),
    },
    "day.json": {
        "plain": _day(),
        "of a single event": _day(first=3),
        "newer fields are passed over": {**_day(), **NEWER},
    },
    "day_answer.json": {
        "agreed": _DAY_ANSWER,
        "every field": _DAY_ANSWER
        | {"verdict": "differs", "count": 2, "h": "00" * 32, "why": "MISSING"},
        "nothing of it is there": {
            name: value
            for name, value in (
                _DAY_ANSWER | {"verdict": "differs", "count": 0}
            ).items()
            if name != "h"
        },
        "later": _DAY_ANSWER
        | {"verdict": "later", "count": 0, "why": "stored up to 2"},
        "newer fields are passed over": _DAY_ANSWER | NEWER,
    },
}
