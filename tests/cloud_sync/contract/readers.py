# SPDX-License-Identifier: Apache-2.0
"""What the code says of a value: the gateway of what comes down, the platform of up.

The law of the module: the product's own readers judge, in the standing in which such
a message would come (:data:`STANDING`). A verdict is ``""`` where the value was taken
as it should, else one word that says what became of it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from cloud_sync.beside import ALARMS, DAYS, HEARTBEATS
from cloud_sync.envelope import DayStretch
from cloud_sync.feed import NO_FEED, FeedCursor, FeedRow, read_row
from cloud_sync.introduction import JournalView
from cloud_sync.outputs import Output, Refusal
from cloud_sync.platform import uplink
from cloud_sync.refusal import Refused
from cloud_sync.sealing import is_row
from cloud_sync.session import SyncSession
from cloud_sync.signing import PlatformKeys
from cloud_sync.topics import Channel, Topics
from edge.core.chain import canonical, genesis
from edge.core.event import EventKind, decode
from edge.core.moment import Moment
from edge.core.people.roster_row import RevocationRow, parse_row
from firmware_sim.platform.chain import follow
from firmware_sim.platform.envelope import Garbled, parse
from tests.cloud_sync.scripted_platform import (
    EPOCH,
    FEED_EPOCH,
    GATEWAY,
    KID,
    SHARD,
    private_key,
    public_bytes,
    rows,
    sign,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NONCE = "00112233445566778899aabbccddeeff"
PULL_NONCE = "ffeeddccbbaa99887766554433221100"
#: The journal that a down message is judged against: three events, all unsent.
JOURNAL = rows(3)
FEED: dict[str, Any] = {"epoch": FEED_EPOCH, "rev": 42}
#: What a gateway holds that awaits changes.
HELD_REV = 40
#: What the gateway's clock is sure of when a command comes: UTC ms, both bounds.
NOW_MS = 1_760_000_001_000
#: The day that the gateway has told and that waits for an answer.
DAY = DayStretch(epoch=EPOCH, day="2025-10-09", first=1, last=3, hash=JOURNAL[-1].hash)
#: What the vectors presume; another implementation puts itself into the same.
STANDING = {
    "gateway": GATEWAY,
    "shard": SHARD,
    "epoch": EPOCH,
    "last_seq": len(JOURNAL),
    "hashes": [record.hash.hex() for record in JOURNAL],
    "nonce": NONCE,
    "pull": PULL_NONCE,
    "beat": 1,
    "day": DAY.name,
    "held_rev": HELD_REV,
    "time": NOW_MS,
    "kid": KID,
    "public": public_bytes().hex(),
}
_NOW = Moment(monotonic_s=1.0, earliest_ms=NOW_MS, latest_ms=NOW_MS, boot="boot-17")
_KEYS = PlatformKeys({KID: public_bytes()})


def verdict(schema: str, value: Any) -> str:
    """Return what the code makes of a value that the schema of that name is for."""
    return _READERS[schema](value)


def new_session() -> SyncSession:
    """Return a session whose first nonces are those of the standing."""
    nonces = iter((NONCE, PULL_NONCE, *(f"{n:032x}" for n in range(99))))
    return SyncSession(
        topics=Topics(gateway=GATEWAY, shard=SHARD),
        keys=_KEYS,
        firmware="0.1.0",
        new_nonce=lambda: next(nonces),
        chance=lambda: 0.0,
        fetches=True,
    )


def _greeting(feed: Mapping[str, object]) -> dict[str, object]:
    answer = {"gw": GATEWAY, "nonce": NONCE, "epoch": EPOCH, "hi": 0, "time": NOW_MS}
    return {**answer, "feed": feed}


def _down(channel: Channel, value: Any, *, knows: Mapping[str, object]) -> str:
    """Bring a session to where this message is awaited, and hand it over.

    Changes are awaited by a gateway that holds what they are changes of.
    """
    session = new_session()
    since = value.get("from") if isinstance(value, dict) else None
    held = NO_FEED
    if channel is Channel.FEED and type(since) is int and 0 <= since <= FEED["rev"]:
        held = FeedCursor(epoch=FEED["epoch"], rev=HELD_REV)
    view = JournalView(
        epoch=EPOCH, last_seq=len(JOURNAL), head=JOURNAL[-1].hash, acked=0
    )
    session.connected(view, held, _NOW)
    if channel is not Channel.HELLO:
        _receive(session, Channel.HELLO, _greeting(knows))
        wanted = session.wants_rows()
        assert wanted is not None
        session.offer_rows(wanted, JOURNAL, _NOW)
    outputs = _receive(session, channel, value)
    refusals = [output for output in outputs if isinstance(output, Refusal)]
    if refusals:
        return refusals[0].kind.value
    return "" if outputs else "IGNORED"


def _receive(session: SyncSession, channel: Channel, value: Any) -> list[Output]:
    topic = f"mn/v1/dn/{GATEWAY}/{channel}"
    return session.receive(topic, sign(value, channel.purpose), _NOW)


def _beside(channel: Channel, value: Any) -> str:
    """Hand an answer to a session that has told a heartbeat and a day."""
    session = new_session()
    view = JournalView(
        epoch=EPOCH, last_seq=len(JOURNAL), head=JOURNAL[-1].hash, acked=0
    )
    session.connected(view, NO_FEED, _NOW)
    greeting = _greeting(FEED) | {"caps": [HEARTBEATS, ALARMS, DAYS]}
    _receive(session, Channel.HELLO, greeting)
    session.tick(_NOW)
    session.beside.days.offer([DAY], _NOW)
    before_s = session.deadline()
    outputs = _receive(session, channel, value)
    refusals = [output for output in outputs if isinstance(output, Refusal)]
    if refusals:
        return refusals[0].kind.value
    told = f"{value.get('epoch')}:{value.get('first')}-{value.get('last')}"
    is_later = value.get("verdict") == "later" and told == DAY.name
    is_taken = outputs or is_later or session.deadline() != before_s
    return "" if is_taken else "IGNORED"


def _header(value: Any) -> str:
    """Sign a nudge under this header, and open it for the purpose it names."""
    parts = (value, {"gw": GATEWAY, **FEED})
    text = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
    message = text + b"." + _encoded(private_key().sign(text))
    purposes = [channel.purpose for channel in Channel]
    named = value.get("typ")
    purpose = named if named in purposes else Channel.NUDGE.purpose
    answer = _KEYS.open(message, purpose, GATEWAY)
    return answer.kind.value if isinstance(answer, Refused) else ""


def _encoded(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _up(leaf: str, value: Any) -> str:
    payload = json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
    topic = f"mn/v1/up/{SHARD}/{GATEWAY}/{leaf}"
    message = parse(topic, payload, {GATEWAY: SHARD})
    if isinstance(message, Garbled):
        return "GARBLED"
    if leaf != "evt":
        return ""
    items = value["data"]["items"]
    return next(filter(None, map(_item, items)), "")


def _up_beside(leaf: str, value: Any) -> str:
    """Read what goes up beside the events as the reference platform does."""
    payload = json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
    heard = uplink.read(f"mn/v1/up/{SHARD}/{GATEWAY}/{leaf}", payload)
    return "GARBLED" if isinstance(heard.said, uplink.Refused) else ""


def _item(value: Any) -> str:
    """Take an item into the chain, and read it as an event where its kind is known."""
    _, poisons = follow(1, 1, genesis(EPOCH), [value])
    if poisons:
        return "POISON"
    core = value["core"]
    if core.get("k", "") in EventKind.__members__:
        try:
            pii = canonical(value["pii"]) if "pii" in value else None
            decode(value.get("seq", 0), canonical(core), pii)
        except (KeyError, ValueError):
            return "NO_EVENT"
    return ""


def _row(value: Any) -> str:
    row = _signed_row(value)
    if isinstance(row, Refused):
        return row.kind.value
    try:
        known = parse_row(row.kind, row.id, json.loads(row.body))
    except ValueError:
        return "QUARANTINED"
    if known is None:
        return "PASSED_OVER"
    is_flawed = isinstance(known, RevocationRow) and known.flaw
    return "QUARANTINED_BUT_HEEDED" if is_flawed else ""


def _key_row(value: Any) -> str:
    row = _signed_row(value)
    if isinstance(row, Refused):
        return row.kind.value
    if row.kind != "key":
        return "PASSED_OVER"
    return "" if is_row(json.loads(row.body)) else "NOT_SEALED"


def _gone(value: Any) -> str:
    row = _signed_row(value, may_be_gone=True)
    if isinstance(row, Refused):
        return row.kind.value
    return "" if not row.body else "PASSED_OVER"


def _shape(value: Any) -> str:
    row = _signed_row(value)
    return row.kind.value if isinstance(row, Refused) else ""


def _signed_row(value: Any, *, may_be_gone: bool = False) -> FeedRow | Refused:
    """Read a row as it comes: inside of a body that was signed."""
    purpose = Channel.FEED.purpose
    signed = sign({"gw": GATEWAY, "rows": [value]}, purpose)
    body = _KEYS.open(signed, purpose, GATEWAY)
    return (
        body
        if isinstance(body, Refused)
        else read_row(body["rows"][0], may_be_gone=may_be_gone)
    )


_READERS: dict[str, Callable[[Any], str]] = {
    "hello.json": lambda value: _up("hello", value),
    "event_batch.json": lambda value: _up("evt", value),
    "pull.json": lambda value: _up("pull", value),
    "result.json": lambda value: _up("res", value),
    "heartbeat.json": lambda value: _up_beside("hb", value),
    "alarm.json": lambda value: _up_beside("alm", value),
    "day.json": lambda value: _up_beside("day", value),
    "heartbeat_answer.json": lambda value: _beside(Channel.HEARTBEAT, value),
    "day_answer.json": lambda value: _beside(Channel.DAY, value),
    "event_item.json": _item,
    "jws_header.json": _header,
    "hello_answer.json": lambda value: _down(Channel.HELLO, value, knows=FEED),
    "ack.json": lambda value: _down(Channel.ACK, value, knows=FEED),
    "feed_part.json": lambda value: _down(Channel.FEED, value, knows=FEED),
    "nudge.json": lambda value: _down(
        Channel.NUDGE, value, knows={"epoch": "", "rev": 0}
    ),
    "command.json": lambda value: _down(Channel.COMMAND, value, knows=FEED),
    "row.json": _shape,
    "row_key.json": _key_row,
    "certificate_wish.json": lambda value: _up("csr", value),
    "certificate_answer.json": lambda value: _down(
        Channel.CERTIFICATE, value, knows=FEED
    ),
    "gone_row.json": _gone,
    **dict.fromkeys(
        (
            *("row_holder.json", "row_booking.json", "row_revocation.json"),
            *("row_policy.json", "row_ticket_key.json", "row_elder.json"),
            "row_shift.json",
            *("row_grid.json", "row_contact.json", "row_office.json"),
            *("row_notice.json", "row_space.json", "row_schedule.json"),
        ),
        _row,
    ),
}
