# SPDX-License-Identifier: Apache-2.0
"""The platform's codec against messages and hashes that no Python ever computed."""

from __future__ import annotations

import json
from hashlib import scrypt
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_sim.platform.chain import canonical, follow, genesis
from firmware_sim.platform.envelope import Batch, Garbled, Hello, Pull, parse
from firmware_sim.platform.feed import Cursor, Feed
from firmware_sim.platform.keys import Signer, load_signer
from firmware_sim.platform.tokens import Pseudonyms
from tests.firmware_sim.platform_stub import opened, vector

if TYPE_CHECKING:
    from pathlib import Path

UP = vector("up")
REGISTRY = {UP["gateway"]: UP["shard"]}


def golden(name: str) -> tuple[str, bytes]:
    message = UP["messages"][name]
    return message["topic"], message["payload"].encode()


def test_the_golden_hello_is_read_field_by_field() -> None:
    assert parse(*golden("hello"), REGISTRY) == Hello(
        gateway="gw-hall",
        epoch="0003-9f2c41aa",
        last_seq=3,
        head=bytes.fromhex(UP["h"][3]),
        nonce="00112233445566778899aabbccddeeff",
        boot="boot-18",
        earliest_ms=1763779302000,
        latest_ms=1763779303000,
        firmware="0.1.0",
        feed_epoch="",
        feed_rev=0,
        capabilities=(),
    )


def test_the_golden_pull_is_read() -> None:
    nonce = "ffeeddccbbaa99887766554433221100"
    wanted = Pull(gateway="gw-hall", nonce=nonce, epoch="", rev=0)
    assert parse(*golden("pull"), REGISTRY) == wanted


@pytest.mark.parametrize("name", ["batch", "batch with an erased item"])
def test_the_chain_of_a_golden_batch_is_the_hand_made_one(name: str) -> None:
    batch = parse(*golden(name), REGISTRY)
    assert isinstance(batch, Batch)
    assert batch.previous == genesis(UP["epoch"]) == bytes.fromhex(UP["h"][0])
    entries, poisons = follow(1, batch.first, batch.previous, batch.items)
    assert [entry[-1].hex() for entry in entries] == UP["h"][1:]
    assert poisons == []


def test_an_item_keeps_either_its_person_or_the_commitment() -> None:
    batch = parse(*golden("batch with an erased item"), REGISTRY)
    assert isinstance(batch, Batch)
    entries, _ = follow(1, batch.first, batch.previous, batch.items)
    whole, _, erased = entries
    assert whole[3] == bytes(range(16))
    assert whole[4] == '{"booking":"b-000077","holder":"h-000001"}'
    assert whole[5] is None
    assert erased[3:5] == (None, None)
    assert erased[5] == bytes.fromhex(batch.items[2]["com"])


@pytest.mark.parametrize(
    "value",
    [{"b": 1, "a": '停电 \u2028 \x7f \\ " \n'}, {"z": -(2**70), "": ""}, {}, "é", 7],
)
def test_the_quick_encoder_gives_the_canonical_text(value: object) -> None:
    slow = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert canonical(value) == slow


@pytest.mark.parametrize("name", ["hello", "ack"])
def test_a_signed_message_is_the_golden_one_to_the_byte(name: str) -> None:
    down = vector("down")
    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(down["seed"]))
    signer = Signer(secret, down["kid"])
    message = down["messages"][name]
    assert signer.public_keys == {down["kid"]: down["public"]}
    assert signer.sign(message["typ"], message["body"]) == message["jws"].encode()
    kind, body = opened(message["jws"].encode(), down["public"])
    assert (kind, body) == (message["typ"], json.loads(message["body"]))


def test_the_feeds_hash_is_the_sum_of_the_golden_rows() -> None:
    golden_feed = vector("feed")
    texts = {("", row["sha256"]): row["text"] for row in golden_feed["rows"]}
    assert Feed(Cursor("0001-5eed5eed", 2), texts).hash == golden_feed["hash"]
    for text in texts.values():
        assert canonical(json.loads(text)) == text


def test_tokens_are_the_golden_ones() -> None:
    tokens = vector("tokens")
    shared = Pseudonyms(
        site=tokens["site"],
        site_key=bytes.fromhex(tokens["site_key"]),
        epoch_salt=bytes.fromhex(tokens["epoch_salt"]),
    )
    for number, token in tokens["identity_cards"].items():
        assert shared.of_identity_card(number).hex() == token
        assert shared.of_identity_card(number.lower()).hex() == token
    for code, token in tokens["codes"].items():
        assert shared.of_code(code.encode()).hex() == token
    for tag, token in tokens["tags"].items():
        technology, bits, number = tag.split(":")
        told = shared.of_tag(technology, int(bits), bytes.fromhex(number))
        assert told.hex() == token
    assert tokens["site_key"] not in repr(shared)


def test_the_stretching_agrees_with_rfc_7914_at_these_parameters() -> None:
    # RFC 7914 section 12, third vector: its first half is what dklen 32 gives.
    first_half = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    salt, memory = b"SodiumChloride", 64 * 1024 * 1024
    got = scrypt(
        b"pleaseletmein", salt=salt, n=2**14, r=8, p=1, maxmem=memory, dklen=32
    )
    assert got.hex() == first_half


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "platform.key"
    made, again = load_signer(path), load_signer(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert made.public_keys == again.public_keys
    assert made.sign("mn.ack.v1", "{}") == again.sign("mn.ack.v1", "{}")
    assert load_signer(tmp_path / "other.key").public_hex != made.public_hex


def test_a_damaged_key_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "platform.key"
    path.write_text("abcd")
    with pytest.raises(ValueError, match=r"platform\.key"):
        load_signer(path)


def _edited(name: str, old: str, new: str) -> tuple[str, bytes]:
    topic, payload = golden(name)
    assert old.encode() in payload
    return topic, payload.replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("mn/v1/up/00/gw-hall/evt", b""),
        ("mn/v1/up/00/gw-hall/evt", b"\xff\xfe"),
        ("mn/v1/up/00/gw-hall/evt", b"[]"),
        ("mn/v1/up/00/gw-hall/evt", b"null"),
        ("mn/v1/up/00/gw-hall/evt", b"[" * 60_000),
        ("mn/v1/up/00/gw-hall/evt", b'{"specversion":' + b"9" * 5000 + b"}"),
        ("mn/v1/up/00/gw-hall/evt", b" " * 65_537),
        ("mn/v1/up/00/gw-hall/res", b"{}"),
        ("mn/v1/dn/gw-hall/ack", b"{}"),
        ("mn/v1/up/01/gw-hall/hello", golden("hello")[1]),
        ("mn/v1/up/00/gw-hall/pull", golden("hello")[1]),
        _edited("hello", '"/gw/gw-hall"', '"/gw/gw-attic"'),
        _edited("hello", '"id":"0011', '"id":"1111'),
        _edited("hello", '"last_seq":3', '"last_seq":true'),
        _edited("hello", '"last_seq":3', '"last_seq":3.0'),
        _edited("hello", '"last_seq":3', '"last_seq":NaN'),
        _edited("hello", '"caps":[]', '"caps":[1]'),
        _edited("hello", '"rev":0', '"rev":1'),
        _edited("hello", "2025-11-22T", "22.11.2025 "),
        _edited("batch", '"first":1', '"first":0'),
        _edited("batch", "41aa:1-3", "41aa:1-4"),
        _edited("batch", '"specversion":"1.0"', '"specversion":"0.3"'),
        _edited("pull", '"epoch":""', '"epoch":"0001"'),
    ],
)
def test_what_is_outside_the_contract_becomes_a_value(
    topic: str, payload: bytes
) -> None:
    read = parse(topic, payload, REGISTRY)
    assert isinstance(read, Garbled)
    assert read.why
    assert read.raw == payload


def test_an_unknown_field_is_ignored() -> None:
    plain = parse(*golden("hello"), REGISTRY)
    assert parse(*_edited("hello", '"caps"', '"news":{},"caps"'), REGISTRY) == plain
