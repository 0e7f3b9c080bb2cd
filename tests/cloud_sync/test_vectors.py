# SPDX-License-Identifier: Apache-2.0
"""The golden vectors, read by the product and by libraries it does not use."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path
from typing import Any

import jwt
import pytest

from cloud_sync import envelope
from cloud_sync.command_body import SignedCommand
from cloud_sync.feed import (
    NO_FEED,
    FeedCursor,
    FeedPart,
    FeedRow,
    SnapshotAssembler,
    Staged,
)
from cloud_sync.messages import Ack, HelloAnswer, Nudge, read
from cloud_sync.refusal import Refused
from cloud_sync.signing import PlatformKeys
from cloud_sync.topics import Channel
from edge.core.chain import commitment, genesis, link
from edge.core.record import Record
from edge.core.remote.command import CommandState, RemoteCommand
from tests.cloud_sync.scripted_platform import private_key, public_bytes

FOLDER = Path(__file__).parent / "vectors"
SIGNED = {
    Channel.HELLO: "hello.json",
    Channel.ACK: "ack.json",
    Channel.FEED: "feed_part.json",
    Channel.NUDGE: "nudge.json",
    Channel.CERTIFICATE: "certificate.json",
    Channel.COMMAND: "command.json",
}


def load(name: str) -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return vectors


KEYS = PlatformKeys(load("keys.json")["public"])


def opened(channel: Channel, signed: str) -> object:
    body = KEYS.open(signed.encode(), channel.purpose, load(SIGNED[channel])["gateway"])
    return body if isinstance(body, Refused) else read(channel, body)


def test_the_keys_are_the_test_patterns() -> None:
    assert load("keys.json")["public"]["platform-1"] == public_bytes().hex()


@pytest.mark.parametrize("channel", SIGNED)
def test_valid_vectors_hold_for_another_library_too(channel: Channel) -> None:
    valid = load(SIGNED[channel])["valid"]
    for vector in valid if isinstance(valid, list) else [valid]:
        body = jwt.decode(
            vector["jws"],
            private_key().public_key(),
            algorithms=["EdDSA"],
            options={"verify_exp": False},  # of the day on which it was written
        )
        assert body == vector["body"]
        assert jwt.get_unverified_header(vector["jws"])["typ"] == channel.purpose


INVALID = [
    pytest.param(channel, vector, id=f"{channel}-{vector['why'][:40]}")
    for channel, name in SIGNED.items()
    for vector in load(name)["invalid"]
]


@pytest.mark.parametrize(("channel", "vector"), INVALID)
def test_invalid_vectors_are_refused(channel: Channel, vector: dict[str, str]) -> None:
    answer = opened(channel, vector["jws"])
    assert isinstance(answer, Refused)
    assert answer.kind == vector["refusal"]


def test_there_are_invalid_vectors_of_every_channel() -> None:
    assert all(len(load(name)["invalid"]) >= 19 for name in SIGNED.values())


def test_hello_goes_up_as_written() -> None:
    vector = load("hello.json")
    data = vector["up"]["data"]
    greeting = envelope.Greeting(
        epoch=data["epoch"],
        last_seq=data["last_seq"],
        head=bytes.fromhex(data["head"]),
        nonce=data["nonce"],
        boot=data["boot"],
        earliest_ms=data["lo"],
        latest_ms=data["hi"],
        firmware=data["fw"],
        feed_epoch=data["feed"]["epoch"],
        feed_rev=data["feed"]["rev"],
        capabilities=tuple(data["caps"]),
    )
    message = envelope.hello(vector["gateway"], greeting).decode()
    assert message == vector["up"]["message"]


def test_hello_comes_down_as_written() -> None:
    valid = load("hello.json")["valid"]
    assert opened(Channel.HELLO, valid["jws"]) == HelloAnswer(
        nonce=valid["body"]["nonce"],
        epoch=valid["body"]["epoch"],
        hi=0,
        hash=None,
        time_ms=1_760_000_000_456,
        feed=FeedCursor(epoch="0003-9f2c1d00", rev=42),
    )


def test_pulls_go_up_as_written() -> None:
    vector = load("pull.json")
    for up in vector["up"]:
        cursor = up["data"]
        message = envelope.pull(
            vector["gateway"], up["nonce"], cursor["epoch"], cursor["rev"], 0
        )
        assert message.decode() == up["message"]


def record(row: dict[str, Any]) -> Record:
    com, salt = row.get("commitment"), row.get("salt")
    return Record(
        seq=row["seq"],
        core=row["core"],
        salt=bytes.fromhex(salt) if salt else None,
        pii=row.get("pii"),
        commitment=bytes.fromhex(com) if com else None,
        hash=bytes.fromhex(row["hash"]),
    )


def test_batches_go_up_as_written_an_erased_item_among_them() -> None:
    vector = load("batch.json")
    records = [record(row) for row in vector["rows"]]
    assert [row.commitment is not None for row in records] == [False, True, False]
    for case in vector["messages"]:
        batch = envelope.fill_batch(
            gateway=vector["gateway"],
            epoch=vector["epoch"],
            previous=bytes.fromhex(case["prev"]),
            records=records[case["first"] - 1 :],
            time_ms=vector["time_ms"],
        )
        assert batch.payload.decode() == case["message"]
        assert (batch.first, batch.last) == (case["first"], 3)
        assert batch.hashes == tuple(row.hash for row in records[batch.first - 1 :])


def test_the_core_computes_the_same_chain_with_the_erased_item() -> None:
    vector = load("batch.json")
    erased = vector["erased_person"]
    before = commitment(bytes.fromhex(erased["salt"]), erased["pii"])
    assert before.hex() == vector["rows"][1]["commitment"]
    previous = genesis(vector["epoch"])
    for row in map(record, vector["rows"]):
        if row.salt is not None and row.pii is not None:
            com = commitment(row.salt, row.pii)
        else:
            com = row.commitment or b""
        previous = link(previous, row.core, com)
        assert previous == row.hash


def test_ack_comes_down_as_written() -> None:
    valid = load("ack.json")["valid"]
    head = bytes.fromhex(load("batch.json")["rows"][2]["hash"])
    assert opened(Channel.ACK, valid["jws"]) == Ack(
        epoch=load("batch.json")["epoch"], hi=3, hash=head
    )


def test_nudge_comes_down_as_written() -> None:
    valid = load("nudge.json")["valid"]
    assert opened(Channel.NUDGE, valid["jws"]) == Nudge(
        feed=FeedCursor(epoch="0003-9f2c1d00", rev=42)
    )


def test_feed_parts_come_down_as_written_and_add_up() -> None:
    vector = load("feed_part.json")
    assembler = SnapshotAssembler(vector["pull"], NO_FEED)
    rows: list[FeedRow] = []
    completed = []
    for valid in vector["valid"]:
        part = opened(Channel.FEED, valid["jws"])
        assert isinstance(part, FeedPart)
        assert part.hash.hex() == vector["hash"]
        answer = assembler.receive(part)
        assert isinstance(answer, Staged)
        rows += answer.rows
        completed.append(answer.is_complete)
    assert completed == [False, True]
    for row, expected in zip(rows, vector["rows"], strict=True):
        assert row.digest.hex() == expected["digest"]
        assert row.body == expected["body"]
        assert (row.kind, row.id, row.ver) == tuple(
            expected["row"][name] for name in ("kind", "id", "ver")
        )


def test_a_current_cursor_is_a_part_of_nothing() -> None:
    part = opened(Channel.FEED, load("feed_part.json")["current"]["jws"])
    assert isinstance(part, FeedPart)
    assert (part.parts, part.rows) == (0, ())


def test_commands_come_down_as_written() -> None:
    for vector in load("command.json")["valid"]:
        body = vector["body"]
        command = opened(Channel.COMMAND, vector["jws"])
        assert isinstance(command, SignedCommand)
        assert (command.jti, command.nonce) == (body["jti"], body["nonce"])
        assert (command.issued_s, command.expires_s) == (body["iat"], body["exp"])
        assert isinstance(command.wish, RemoteCommand)
        assert command.wish.action == body["action"]
        assert command.wish.subject == body.get("door", body.get("bank", "gateway"))


@pytest.mark.parametrize("vector", load("command.json")["unfit"], ids=itemgetter("why"))
def test_commands_that_fit_no_action_are_refused_with_their_names_known(
    vector: dict[str, str],
) -> None:
    command = opened(Channel.COMMAND, vector["jws"])
    assert isinstance(command, SignedCommand)
    assert isinstance(command.wish, Refused)
    assert command.wish.kind == vector["refusal"]


def test_results_go_up_as_written() -> None:
    vectors = load("command.json")
    for vector in vectors["up"]:
        data = vector["data"] | {"state": CommandState(vector["data"]["state"])}
        result = envelope.CommandResult(**data)
        message = envelope.result(vectors["gateway"], result, vectors["time_ms"])
        assert message.decode() == vector["message"]
