# SPDX-License-Identifier: Apache-2.0
"""Tokens against golden values and against the contract worked out another way.

Golden values: docs/sync-contract.md section 7, computed with ``openssl kdf SCRYPT`` and
``openssl dgst -mac HMAC``; the numbers are made up on the unassigned region prefix 99.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from edge.bindings.tokens import TokenMaker
from edge.core.credential import CredentialKind

SITE = "hall-7"
KEY = bytes(range(32))
SALT = bytes(range(0xA0, 0xB0))
GOLDEN_CARDS = {
    "990001195001010015": "5006dd2373930980e0084a5e0312bb32",
    "99000219600229038X": "9ec87e1016a197810f13e51418216b7b",
}
GOLDEN_TAGS = {
    ("WIEGAND", 26, "26DF1A40"): "5bf6040d9d77fe801c61f65a6d12492c",
    ("WIEGAND", 32, "0026DF1A"): "041e614547406b64013cb39d263a5710",
    ("ISO14443A", 32, "04A1B2C3"): "c0dd5dc4d3d4511218a8092e1300abe2",
    ("ISO14443A", 56, "04A1B2C3D4E5F6"): "35aeef4f8071839cec7f7be1975cfa2f",
    ("ISO14443B", 32, "04A1B2C3"): "bc4e1c477f9bcb97ceddda3419738945",
}
GOLDEN_CODE = ("MS1:门神-77", "6243258202ebe8b1838ede060dc23de9")


def tokens(site: str = SITE, key: bytes = KEY, salt: bytes = SALT) -> TokenMaker:
    return TokenMaker(site_id=site, site_key=key, epoch_salt=salt)


def hmac_by_hand(key: bytes, message: bytes) -> bytes:
    """RFC 2104, written out: the product uses the library's."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner).digest()


@pytest.mark.parametrize(("number", "token"), GOLDEN_CARDS.items())
def test_an_identity_number_has_its_golden_token(number: str, token: str) -> None:
    credential = tokens().id_card(bytearray(number.encode("ascii")))
    assert credential.kind is CredentialKind.ID_CARD
    assert credential.token.hex() == token


def test_a_code_has_its_golden_token() -> None:
    payload, token = GOLDEN_CODE
    credential = tokens().code(payload.encode())
    assert credential.kind is CredentialKind.QR
    assert credential.token.hex() == token


@pytest.mark.parametrize(("tag", "token"), GOLDEN_TAGS.items())
def test_a_tag_has_its_golden_token(tag: tuple[str, int, str], token: str) -> None:
    technology, bits, number = tag
    credential = tokens().tag(technology, bits, bytes.fromhex(number))
    assert credential.kind is CredentialKind.CARD
    assert credential.token.hex() == token


@pytest.mark.parametrize("seed", range(3))
def test_tokens_follow_the_contract_for_any_key_and_number(seed: int) -> None:
    chance = random.Random(seed)
    key, salt = chance.randbytes(32), chance.randbytes(16)
    number = f"99{chance.randrange(10**16):016}".encode()
    payload = chance.randbytes(chance.randrange(1, 200))
    maker = tokens(site=f"site-{seed}", key=key, salt=salt)
    label = b"|site-%d|" % seed
    # The other library's scrypt.
    secret = Scrypt(salt=salt, length=32, n=2**14, r=8, p=1).derive(number)
    expected = hmac_by_hand(key, b"id1" + label + secret)[:16]
    assert maker.id_card(bytearray(number)).token == expected
    assert maker.code(payload).token == hmac_by_hand(key, b"qr1" + label + payload)[:16]


@pytest.mark.parametrize("digits", [b"0000", b"24681357"])
def test_a_pin_follows_the_contract_and_is_wiped(digits: bytes) -> None:
    typed = bytearray(digits)
    credential = tokens().pin(typed)
    expected = hmac_by_hand(KEY, b"|".join((b"pin1", SITE.encode(), digits)))
    assert (credential.kind, credential.token) == (CredentialKind.PIN, expected[:16])
    assert typed == bytes(len(digits))
    assert credential.token != tokens().code(digits).token


def test_another_site_key_or_salt_makes_another_token() -> None:
    number = b"990001195001010015"
    makers = [
        tokens(),
        tokens(site="hall-8"),
        tokens(key=KEY[::-1]),
        tokens(salt=SALT[::-1]),
    ]
    assert len({maker.id_card(bytearray(number)).token for maker in makers}) == 4


def test_the_number_is_overwritten_where_it_lies() -> None:
    number = bytearray(b"990001195001010015")
    view = memoryview(number)
    tokens().id_card(number)
    assert bytes(view) == bytes(18)


def test_the_number_is_overwritten_although_the_derivation_failed() -> None:
    broken = tokens()
    object.__setattr__(broken, "epoch_salt", None)
    number = bytearray(b"990001195001010015")
    with pytest.raises(TypeError):
        broken.id_card(number)
    assert number == bytes(18)


def test_neither_keys_nor_tokens_are_ever_printed() -> None:
    maker = tokens()
    card = maker.id_card(bytearray(b"990001195001010015"))
    code = maker.code(b"MS1:visitor")
    text = f"{maker!r} {maker} {card!r} {card} {code!r}"
    for secret in (KEY, SALT, card.token, code.token, b"visitor"):
        assert secret.hex() not in text
        assert repr(secret)[2:-1] not in text


@pytest.mark.parametrize(
    ("key", "salt", "told"),
    [
        (KEY[1:], SALT, "site_key has 31 bytes, it must have 32"),
        (KEY, SALT * 2, "epoch_salt has 32 bytes, it must have 16"),
    ],
)
def test_a_key_of_another_length_is_refused(key: bytes, salt: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}$"):
        tokens(key=key, salt=salt)


@pytest.mark.parametrize("salt", [SALT, SALT[::-1]], ids=["one salt", "two salts"])
def test_under_two_keys_everything_has_the_tokens_of_both(salt: bytes) -> None:
    number = b"990001195001010015"
    old, alone = tokens(), tokens(key=KEY[::-1], salt=salt)
    both = replace(alone, number=2, former=(old,))
    view = bytearray(number)
    shown = [
        (both.id_card(view), old.id_card(bytearray(number))),
        (both.code(b"WANG-7"), old.code(b"WANG-7")),
        (both.ticket("0a0b"), old.ticket("0a0b")),
        (both.pin(bytearray(b"2468")), old.pin(bytearray(b"2468"))),
        (both.tag("WIEGAND", 26, b"\x26"), old.tag("WIEGAND", 26, b"\x26")),
    ]
    for now, before in shown:
        assert (now.kind, now.key, now.former) == (
            before.kind,
            2,
            ((1, before.token),),
        )
        assert now.is_same(before)
        assert now.token != before.token
    assert shown[0][0].token == alone.id_card(bytearray(number)).token
    assert view == bytes(18), "wiped only once, when every key had it"


def test_what_is_alike_is_not_the_same() -> None:
    both = replace(tokens(key=KEY[::-1]), number=2, former=(tokens(),))
    assert not both.code(b"WANG-7").is_same(tokens().code(b"LI-7"))
    code = both.code(b"WANG-7")
    assert not code.is_same(replace(code, kind=CredentialKind.CARD))
    assert tokens().code(b"WANG-7").token.hex() not in repr(code)
    with pytest.raises(ValueError, match="a token has 16 bytes, not 3"):
        replace(code, former=((1, b"abc"),))
