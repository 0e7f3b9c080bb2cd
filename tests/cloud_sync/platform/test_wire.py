# SPDX-License-Identifier: Apache-2.0
"""The platform's side of the golden vectors, and its signatures in another library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jwt
import pytest

from cloud_sync.feed import FeedCursor
from cloud_sync.platform import uplink
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.feeds import Snapshot
from cloud_sync.platform.items import follow
from cloud_sync.platform.keys import Signer
from cloud_sync.platform.ledger import Standing
from cloud_sync.platform.uplink import Batch, Hello, Pull, RefusalKind, Refused
from cloud_sync.topics import Channel
from tests.cloud_sync.scripted_platform import KID, SEED, private_key
from tests.cloud_sync.test_vectors import load

if TYPE_CHECKING:
    from cloud_sync.platform.answers import Publish

ANSWERS = Answers(Signer(KID, SEED))
FEED = FeedCursor(epoch="0003-9f2c1d00", rev=42)


def said(vector: dict[str, str], leaf: str, message: str) -> object:
    topic = f"mn/v1/up/07/{vector['gateway']}/{leaf}"
    return uplink.read(topic, message.encode()).said


def body(channel: Channel, answer: Publish) -> object:
    assert answer.topic == f"mn/v1/dn/gw-kitchen-01/{channel}"
    header = jwt.get_unverified_header(answer.payload.decode())
    assert header == {"alg": "EdDSA", "kid": KID, "typ": channel.purpose}
    public = private_key().public_key()
    return jwt.decode(answer.payload.decode(), public, algorithms=["EdDSA"])


def test_hello_is_read_as_it_was_written() -> None:
    vector = load("hello.json")
    data = vector["up"]["data"]
    assert said(vector, "hello", vector["up"]["message"]) == Hello(
        epoch=data["epoch"],
        last_seq=data["last_seq"],
        head=bytes.fromhex(data["head"]),
        nonce=data["nonce"],
        firmware=data["fw"],
        feed=FeedCursor(epoch=data["feed"]["epoch"], rev=data["feed"]["rev"]),
        capabilities=frozenset(data["caps"]),
    )


def test_pulls_are_read_as_they_were_written() -> None:
    vector = load("pull.json")
    for up in vector["up"]:
        held = FeedCursor(epoch=up["data"]["epoch"], rev=up["data"]["rev"])
        assert said(vector, "pull", up["message"]) == Pull(nonce=up["nonce"], held=held)


def test_batches_are_read_and_hashed_as_they_were_written() -> None:
    vector = load("batch.json")
    for case in vector["messages"]:
        batch = said(vector, "evt", case["message"])
        assert isinstance(batch, Batch)
        entries = list(follow(batch.first, batch.previous, batch.items))
        rows = vector["rows"][case["first"] - 1 :]
        assert [each.hash.hex() for each in entries] == [row["hash"] for row in rows]
        assert [each.core for each in entries] == [row["core"] for row in rows]
        assert [each.pii for each in entries] == [row.get("pii") for row in rows]
        assert [each.why for each in entries] == [""] * len(rows)


@pytest.mark.parametrize("extra", [{}, {"later": [1, {"x": None}]}])
def test_fields_that_are_not_known_are_passed_over(extra: dict[str, object]) -> None:
    vector = load("hello.json")
    message = json.loads(vector["up"]["message"]) | extra
    message["data"] |= extra
    assert isinstance(said(vector, "hello", json.dumps(message)), Hello)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", "1-x"),
        ("last_seq", -1),
        ("last_seq", 1 << 63),
        ("last_seq", "7"),
        ("head", "zz"),
        ("nonce", "00"),
        ("feed", None),
        ("feed", {"epoch": "0003-9f2c1d00", "rev": 1 << 53}),
        ("feed", {"epoch": 3, "rev": 1}),
    ],
)
def test_a_hello_that_is_not_the_contracts_is_refused(name: str, value: object) -> None:
    vector = load("hello.json")
    message = json.loads(vector["up"]["message"])
    message["data"][name] = value
    answer = said(vector, "hello", json.dumps(message))
    assert isinstance(answer, Refused)
    assert answer.kind is RefusalKind.MALFORMED


def test_what_is_said_is_signed_for_its_purpose_as_another_library_reads_it() -> None:
    at = Standing(gateway="gw-kitchen-01", epoch="0001-00c0ffee", hi=7, hash=b"\1" * 32)
    stored = {"gw": at.gateway, "epoch": at.epoch, "hi": 7, "h": "01" * 32}
    feed = {"epoch": FEED.epoch, "rev": FEED.rev}
    hello = ANSWERS.hello(at, nonce="ab", feed=FEED, now_ms=5)
    assert body(Channel.HELLO, hello) == {
        **stored,
        "nonce": "ab",
        "time": 5,
        "feed": feed,
        "caps": ["hb", "alm", "day"],
    }
    assert body(Channel.ACK, ANSWERS.ack(at)) == stored
    nudge = ANSWERS.nudge(at.gateway, FEED)
    assert body(Channel.NUDGE, nudge) == {"gw": at.gateway, **feed}


def test_parts_carry_their_rows_and_what_they_are_parts_of() -> None:
    row = '{"body":{},"id":"周","kind":"notice","ver":1}'
    snapshot = Snapshot(cursor=FEED, count=1, hash="0a" * 32, slices=(row, ""))
    first, second = (
        body(Channel.FEED, each)
        for each in ANSWERS.parts("gw-kitchen-01", "ab", snapshot)
    )
    whole = {
        "gw": "gw-kitchen-01",
        "re": "ab",
        "epoch": FEED.epoch,
        "rev": 42,
        "n": 2,
        "count": 1,
        "hash": "0a" * 32,
    }
    assert first == {**whole, "i": 0, "rows": [json.loads(row)]}
    assert second == {**whole, "i": 1, "rows": []}
