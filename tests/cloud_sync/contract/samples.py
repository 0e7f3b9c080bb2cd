# SPDX-License-Identifier: Apache-2.0
"""Good values of every schema: what the vectors call valid.

The law of the module: what goes up is written by the product, what comes down by
hand, since the platform's side is what others write. Each schema's first sample is
the plainest; what is spoilt (spoilt.py) is spoilt from it.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from cloud_sync import envelope
from edge.core.chain import genesis
from edge.core.remote.command import CommandState
from tests.cloud_sync.contract.community_samples import COMMUNITY
from tests.cloud_sync.contract.key_values import SAMPLES as KEY_SAMPLES
from tests.cloud_sync.contract.readers import (
    FEED,
    HELD_REV,
    JOURNAL,
    NONCE,
    PULL_NONCE,
)
from tests.cloud_sync.contract.samples_beside import BESIDE
from tests.cloud_sync.contract.written import written_events
from tests.cloud_sync.operators import SITE, sealed
from tests.cloud_sync.scripted_platform import EPOCH, FEED_EPOCH, GATEWAY, KID, digest

Samples = dict[str, Any]
AT_MS = 1_760_000_000_000
TOKEN = "ab" * 16
JTI = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
_EXP_S = AT_MS // 1000 + 15
NEWER: dict[str, Any] = {"newer": {"fields": ["are passed over", 1.5, None, True]}}
_ANSWER = {
    "gw": GATEWAY,
    "nonce": NONCE,
    "epoch": EPOCH,
    "hi": 0,
    "time": AT_MS,
    "feed": FEED,
}
_ACK = {"gw": GATEWAY, "epoch": EPOCH, "hi": 3, "h": JOURNAL[2].hash.hex()}


def _hello(**changes: Any) -> Any:
    told: dict[str, Any] = {
        "epoch": EPOCH,
        "last_seq": 3,
        "head": JOURNAL[-1].hash,
        "nonce": NONCE,
        "boot": "boot-17",
        "earliest_ms": AT_MS + 123,
        "latest_ms": AT_MS + 999,
        "firmware": "0.1.0",
        "feed_epoch": FEED["epoch"],
        "feed_rev": 41,
        "capabilities": ("cmd", "wish"),
    }
    greeting = envelope.Greeting(**(told | changes))
    return json.loads(envelope.hello(GATEWAY, greeting))


def _pull(epoch: str, rev: int) -> Any:
    return json.loads(envelope.pull(GATEWAY, PULL_NONCE, epoch, rev, AT_MS))


def _result(state: str, **told: Any) -> Any:
    result = envelope.CommandResult(jti=JTI, state=CommandState(state), **told)
    return json.loads(envelope.result(GATEWAY, result, AT_MS))


def _command(action: str, **fields: Any) -> Any:
    bound: dict[str, Any] = {"gw": GATEWAY, "jti": JTI, "nonce": NONCE}
    bound |= {"iat": AT_MS // 1000, "exp": _EXP_S}
    return bound | {"action": action, "by": "op-42", "reason": "电话 13"} | fields


def _shelter() -> Any:
    """Return a shelter with the seals of the tests' two operators."""
    return sealed(_command("shelter", site=SITE, reason="台风红色预警"))


def _batch(first: int, last: int) -> Any:
    records = written_events(EPOCH)
    previous = records[first - 2].hash if first > 1 else genesis(EPOCH)
    batch = envelope.fill_batch(
        gateway=GATEWAY,
        epoch=EPOCH,
        previous=previous,
        records=records[first - 1 : last],
        time_ms=AT_MS,
    )
    return json.loads(batch.payload)


def _without_head(batch: Any) -> Any:
    data = {name: value for name, value in batch["data"].items() if name != "head"}
    return batch | {"data": data}


def _item(seq: int, **facts: Any) -> Any:
    item = _batch(seq, seq)["data"]["items"][0]
    return item | {"core": item["core"] | facts}


def _part(rows: list[Any], *, index: int = 0, parts: int = 1, **changes: Any) -> Any:
    total = sum(int.from_bytes(digest(row)) for row in rows) % 2**256
    part = {"gw": GATEWAY, "re": PULL_NONCE, **FEED, "i": index, "n": parts}
    return {**part, "count": len(rows), "hash": f"{total:064x}", "rows": rows} | changes


def _changes(rows: list[Any], **changes: Any) -> Any:
    """Return changes since the revision that the standing's gateway holds."""
    place = {"from": HELD_REV, "head": FEED["rev"], "total": 7, "hash": "0b" * 32}
    body = _part(rows) | place | changes
    return {name: value for name, value in body.items() if value is not GONE_FIELD}


GONE_FIELD = object()
GONE: dict[str, Any] = {"kind": "booking", "id": "B9", "ver": 42, "body": None}


def _row(kind: str, identity: str, **body: Any) -> Any:
    return {"kind": kind, "id": identity, "ver": 1, "body": body}


HOLDER: dict[str, Any] = {
    "enabled": 1,
    "extended": 0,
    "language": "zh",
    "roles": ["RESIDENT"],
    "credentials": [f"ID_CARD:{TOKEN}"],
}
BOOKING: dict[str, Any] = {
    "holder": "h-1",
    "space": "厨房",
    "from": AT_MS,
    "to": AT_MS + 3_600_000,
    "party": 2,
    "state": "CONFIRMED",
}
TICKET_KEY: dict[str, Any] = {
    "kid": "0a",
    "key": sha256(b"a public key of nobody").hexdigest(),
    "from": AT_MS,
    "to": AT_MS + 86_400_000,
    "issuer": "hz1",
    "doors": ["door-1"],
}
ROWS: dict[str, Samples] = {
    "row.json": {
        "of a known kind": _row("holder", "h-1", **HOLDER),
        "of a kind that is not known yet": _row("cell", "g-1", cells=["a", 1], by="x"),
        "its own newer fields are hashed with it": {
            **_row("elder", "e-1", holder="h-1", order=1, route="二楼"),
            "since": 5,
            "tags": ["a", "b"],
        },
        "an empty body": _row("key", "n-1"),
        "the longest id": _row("shift", "s" * 128),
    },
    "row_holder.json": {
        "plain": _row("holder", "h-1", **HOLDER),
        "every field": _row(
            "holder",
            "h-2",
            **HOLDER
            | {
                "extended": 1,
                "roles": ["VOLUNTEER", "RESIDENT", "舞蹈队"],
                "credentials": [
                    f"{kind}:{TOKEN}"
                    for kind in ("ID_CARD", "CARD", "QR", "PIN", "PANEL")
                ],
                "valid_from": 0,
                "valid_to": 1 << 52,
                "care_days": 366,
            },
        ),
        "no role and no credential": _row(
            "holder", "h-3", **HOLDER | {"enabled": 0, "roles": [], "credentials": []}
        ),
        "newer fields are passed over": _row("holder", "h-4", **HOLDER, pets=["猫"]),
        "of the second site key": _row("holder", "h-5", **HOLDER, key=2),
    },
    "row_booking.json": {
        "of a room": _row("booking", "B1", **BOOKING),
        "of a compartment": _row(
            "booking", "B2", **BOOKING | {"size": "M", "party": 1}
        ),
        "every field": _row(
            "booking",
            "B3",
            **BOOKING
            | {"size": "S", "due": 10_000_000, "counts_all": 1, "ticket": "0a" * 16},
        ),
        "of 31 days": _row(
            "booking", "B4", **BOOKING | {"to": AT_MS + 31 * 86_400_000}
        ),
        "cancelled": _row("booking", "B5", **BOOKING | {"state": "CANCELLED"}),
    },
    "row_revocation.json": {
        "of a token": _row("revocation", "r-1", token=TOKEN, reason="LOST"),
        "of a holder": _row("revocation", "r-2", holder="h-1", reason="LEFT"),
        "of a ticket": _row("revocation", "r-3", ticket="0a0b", reason="退订"),
        "of all three": _row(
            "revocation", "r-4", token=TOKEN, holder="h-1", ticket="00", reason="LOST"
        ),
        "of the second site key": _row(
            "revocation", "r-5", token=TOKEN, reason="LOST", key=2
        ),
    },
    "row_policy.json": {
        "at any time": _row("policy", "p-1", role="VOLUNTEER", places="*", hours=""),
        "with hours": _row(
            "policy",
            "p-2",
            role="舞蹈队",
            places=["厨房", "door-1"],
            hours="mon-fri 08:00-12:00 14:00-22:00; sat,sun 09:00-26:00",
        ),
        "nowhere": _row("policy", "p-3", role="x", places=[], hours="daily 0:00-24:00"),
    },
    "row_ticket_key.json": {
        "for one door": _row("ticket_key", "k-1", **TICKET_KEY),
        "for all doors and anybody": _row(
            "ticket_key", "k-2", **TICKET_KEY | {"issuer": "", "doors": []}
        ),
    },
    "row_key.json": KEY_SAMPLES["row_key.json"],
    "row_elder.json": {
        "plain": _row("elder", "e-1", holder="h-1", order=0, route="二楼 203"),
        "last": _row("elder", "e-2", holder="h-2", order=10_000, route="一楼"),
        "every field": _row(
            "elder",
            "e-3",
            holder="h-2",
            order=1,
            route="左边楼梯",
            grid="g-1",
            name="陈*",
            place="东巷 3 号 201",
            needs=["WHEELCHAIR", "带上拐杖"],
        ),
        "needs nothing": _row(
            "elder", "e-4", holder="h-2", order=1, route="一楼", needs=[]
        ),
    },
    **COMMUNITY,
}
#: The first of each action under its name.
COMMANDS: Samples = {
    "open": _command("open", door="kitchen-door"),
    "resident_open": _command(
        "resident_open", by="h-0817", door="kitchen-door", booking="b-2210"
    ),
    "mode": _command("mode", door="厨房", mode="UNLOCKED", until=AT_MS + 7_200_000),
    "locker_open": _command("locker_open", bank="lockers", number=64),
    "revoke_now": _command("revoke_now", holder="h-0817"),
    "message": _command("message", text="台风蓝色预警，请关好门窗 " * 10),
    "feed_refresh": _command("feed_refresh"),
    "shelter": _shelter(),
    "erase": _command("erase", holder="h-0817", reason="asked for it"),
    "a resident without a booking": _command("resident_open", door="kitchen-door"),
    "back to what the door was": _command("mode", door="kitchen-door", mode="LOCKED"),
    "for a second": _command("feed_refresh", iat=AT_MS // 1000 + 1, exp=_EXP_S - 13),
    "for as long as may be": _command("feed_refresh", exp=_EXP_S + 15),
    "newer fields are passed over": _command("feed_refresh", **NEWER),
    "as are those of another action": _command("feed_refresh", door=7),
    "signed once more for one wish": _command("open", door="hall", wish="5f" * 16),
}
_ALL_KINDS = [next(iter(ROWS[name].values())) for name in ROWS if name != "row.json"]
_LAST = len(written_events(EPOCH))
SAMPLES: dict[str, Samples] = {
    "hello.json": {
        "plain": _hello(),
        "of a new gateway": _hello(
            last_seq=0,
            head=genesis(EPOCH),
            feed_epoch="",
            feed_rev=0,
            capabilities=(),
        ),
        "of one that knows no time": _hello(latest_ms=253_402_300_799_999),
        "newer fields are passed over": {
            **_hello(),
            **NEWER,
            "data": _hello()["data"] | NEWER,
        },
    },
    "event_batch.json": {
        "one event": _batch(5, 5),
        "the first": _batch(1, 1),
        "of an earlier gateway": _without_head(_batch(5, 5)),
        "every kind of event": _batch(1, _LAST),
        "the rest": _batch(_LAST - 1, _LAST),
    },
    "pull.json": {
        "of a gateway that holds a feed": _pull(FEED_EPOCH, 41),
        "of one that holds none": _pull("", 0),
        "of one that may fetch a snapshot": json.loads(
            envelope.pull(GATEWAY, PULL_NONCE, "", 0, AT_MS, https=True)
        ),
        "newer fields are passed over": {**_pull("", 0), **NEWER},
    },
    "hello_answer.json": {
        "nothing is stored yet": _ANSWER,
        "all three are stored": _ANSWER | {"hi": 3, "h": _ACK["h"]},
        "a hash of nothing says nothing": _ANSWER | {"h": 17},
        "every field": _ANSWER
        | {"hi": 3, "h": _ACK["h"], "caps": ["hb", "alm", "day", "tea"]},
        "there is no feed yet": _ANSWER | {"feed": {"epoch": "", "rev": 0}},
        "newer fields are passed over": _ANSWER | NEWER,
    },
    "ack.json": {
        "all three": _ACK,
        "the first": _ACK | {"hi": 1, "h": JOURNAL[0].hash.hex()},
        "newer fields are passed over": _ACK | NEWER,
    },
    "feed_part.json": {
        "one row": _part([_row("holder", "h-1", **HOLDER)]),
        "every kind of row": _part(_ALL_KINDS),
        "changes": _changes([_row("holder", "h-1", **HOLDER), GONE]),
        "changes that end before the head": _changes([GONE], head=43, hash=GONE_FIELD),
        "a snapshot to be fetched": {
            "gw": GATEWAY,
            "re": PULL_NONCE,
            **FEED,
            "n": 40,
            "count": 90_000,
            "hash": "0a" * 32,
            "at": f"/v1/snapshots/{GATEWAY}/{PULL_NONCE}",
        },
        "the cursor is current, and adds up to this": {
            "gw": GATEWAY,
            "re": PULL_NONCE,
            **FEED,
            "n": 0,
            "sum": "0a" * 32,
        },
        "the first of two": _part(_ALL_KINDS, parts=2),
        "an empty feed": _part([]),
        "kinds that are not known yet are kept": _part([*ROWS["row.json"].values()]),
        "the cursor is current": {"gw": GATEWAY, "re": PULL_NONCE, **FEED, "n": 0},
        "newer fields are passed over": _part(_ALL_KINDS) | NEWER,
    },
    "nudge.json": {
        "plain": {"gw": GATEWAY, **FEED},
        "newer fields are passed over": {"gw": GATEWAY, **FEED, **NEWER},
    },
    "command.json": COMMANDS,
    "result.json": {
        "plain": _result("received"),
        **{
            f"{state}, and an event tells of it": _result(state, seq=1207)
            for state in ("accepted", "actuated", "confirmed", "unknown")
        },
        "put off, and done by itself later": _result(
            "deferred", reason="KEPT", why="rental visit", seq=1209
        ),
        "every field": _result(
            "rejected", reason="RATE_DOOR", why="too often, wait", seq=1208
        ),
        "rejected, and no event tells of it": _result(
            "rejected", reason="EXPIRED", why="its time is over"
        ),
        "newer fields are passed over": {
            **_result("received"),
            **NEWER,
            "data": _result("received")["data"] | NEWER,
        },
    },
    "jws_header.json": {
        f"for {typ}": {"alg": "EdDSA", "kid": KID, "typ": typ}
        for typ in (
            *("mn.nudge.v1", "mn.ack.v1", "mn.feed.v1", "mn.hello.v1", "mn.cmd.v1"),
            *("mn.hb.v1", "mn.day.v1"),
        )
    },
    "event_item.json": {
        "of somebody": _item(2),
        "with every fact of its kind": _item(1),
        "whose person was erased": _item(4),
        "of nobody": _item(5),
        "a kind that is not known yet is stored": _item(5, k="DOOR_PAINTED", by="h-1"),
        "a fact that is not known yet is stored": _item(5, colour="red"),
    },
    **BESIDE,
    **{name: KEY_SAMPLES[name] for name in KEY_SAMPLES if name not in ROWS},
    "gone_row.json": {
        "a booking": GONE,
        "of a kind that is not known yet": GONE | {"kind": "cell", "id": "s" * 128},
    },
    **ROWS,
}
