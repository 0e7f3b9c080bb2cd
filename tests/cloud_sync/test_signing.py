# SPDX-License-Identifier: Apache-2.0
"""Signatures: what holds is opened, and nothing that comes over the wire raises."""

from __future__ import annotations

import random

import jwt
import pytest

from cloud_sync.refusal import REPORT_EVERY_S, RefusalKind, RefusalMeter, Refused
from cloud_sync.signing import MESSAGE_BYTES, PlatformKeys
from tests.cloud_sync.scripted_platform import (
    GATEWAY,
    KID,
    OTHER_SEED,
    private_key,
    public_bytes,
    sign,
)

KEYS = PlatformKeys({KID: public_bytes()})
TYP = "mn.ack.v1"


def kind_of(message: bytes) -> RefusalKind | None:
    answer = KEYS.open(message, TYP, GATEWAY)
    return answer.kind if isinstance(answer, Refused) else None


def test_a_signed_body_is_opened() -> None:
    assert KEYS.open(sign({"gw": GATEWAY, "hi": 3}, TYP), TYP, GATEWAY) == {
        "gw": GATEWAY,
        "hi": 3,
    }


def test_keys_may_be_given_as_hex_and_two_may_stand_side_by_side() -> None:
    keys = PlatformKeys({"old": public_bytes().hex(), "new": public_bytes(OTHER_SEED)})
    for kid, seed in (("old", bytes(range(32))), ("new", OTHER_SEED)):
        signed = sign({"gw": GATEWAY}, TYP, kid=kid, seed=seed)
        assert keys.open(signed, TYP, GATEWAY) == {"gw": GATEWAY}
        crossed = sign({"gw": GATEWAY}, TYP, kid="old", seed=OTHER_SEED)
        answer = keys.open(crossed, TYP, GATEWAY)
        assert isinstance(answer, Refused)
        assert answer.kind is RefusalKind.SIGNATURE


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({}, "no platform key"),
        ({"k": bytes(32)}, "anybody can sign"),
        ({"k": bytes(31) + b"\x80"}, "anybody can sign"),
        ({"k": "01" + "00" * 31}, "anybody can sign"),
        ({"k": "ec" + "ff" * 31}, "anybody can sign"),
        ({"k": bytes(31)}, "31 bytes"),
        ({"k": "abc"}, "hexadecimal"),
    ],
)
def test_keys_that_prove_nothing_are_refused(
    keys: dict[str, bytes | str], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        PlatformKeys(keys)


def test_a_message_at_the_limit_is_read_and_one_beyond_is_not() -> None:
    overhead = len(sign({"gw": GATEWAY, "x": ""}, TYP))
    fitting = sign({"gw": GATEWAY, "x": "y" * ((65_000 - overhead) * 3 // 4)}, TYP)
    assert len(fitting) <= MESSAGE_BYTES
    assert kind_of(fitting) is None
    assert kind_of(b"x" * (MESSAGE_BYTES + 1)) is RefusalKind.TOO_LARGE


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"..",
        b"a.b.c",
        b"\xff\xfe\x00",
        b"e30.e30.e30",
        b"W10.e30.AA",  # a header that is []
        b"WyJhbGciXQ.e30.AA",  # a header that is ["alg"]
        b"ImFsZyI.e30.AA",  # a header that is "alg"
        b"MQ.e30.AA",  # a header that is 1
        b"bnVsbA.e30.AA",  # a header that is null
        b"." * 60_000,
        b"W1tbW1tbW1tbW1tb" * 20 + b".e30.AA",
        b"W1tbW1tbW1tbW1tb" * 4000 + b".e30.AA",
    ],
)
def test_garbage_is_not_signed(message: bytes) -> None:
    assert kind_of(message) in {RefusalKind.NOT_SIGNED, RefusalKind.ALGORITHM}


@pytest.mark.parametrize("name", ["jku", "jwk", "cty", "x5u", "url"])
def test_a_header_that_says_more_than_the_contract_is_refused(name: str) -> None:
    headers = {"kid": KID, "typ": TYP, name: "https://keys.example"}
    key = private_key()
    signed = jwt.encode({"gw": GATEWAY}, key, algorithm="EdDSA", headers=headers)
    assert kind_of(signed.encode()) is RefusalKind.NOT_SIGNED


def test_a_body_of_brackets_alone_is_refused() -> None:
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    assert kind_of(sign({"gw": GATEWAY, "x": deep}, TYP)) is RefusalKind.BODY


@pytest.mark.parametrize("seed", range(20))
def test_mutated_messages_never_raise_and_never_open(seed: int) -> None:
    rng = random.Random(seed)
    good = sign({"gw": GATEWAY, "epoch": "0001-00c0ffee", "hi": 3}, TYP)
    for _ in range(50):
        bad = bytearray(good)
        match rng.randrange(4):
            case 0:
                bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            case 1:
                del bad[rng.randrange(len(bad)) :]
            case 2:
                bad.insert(rng.randrange(len(bad)), rng.randrange(256))
            case _:
                bad += rng.randbytes(rng.randrange(1, 9))
        assert kind_of(bytes(bad)) is not None


def test_one_refusal_of_a_kind_a_minute_is_told_with_the_count_of_the_others() -> None:
    meter = RefusalMeter()
    told = [meter.count(RefusalKind.NONCE, at_s) for at_s in range(60)]
    assert told == [1] + [0] * 59
    assert meter.count(RefusalKind.SIGNATURE, 59.0) == 1
    assert meter.count(RefusalKind.NONCE, REPORT_EVERY_S) == 60
    assert meter.count(RefusalKind.NONCE, REPORT_EVERY_S) == 0
