# SPDX-License-Identifier: Apache-2.0
"""Reading tickets: the published vectors, peers that agree, and much that does not.

Whatever is read twice here is read the second time by libraries that the reader or the
writer does not use for it.
"""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import base45
import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.bindings.ticket_form import MAX_TEXT, claims_to_be_ticket
from edge.bindings.ticket_keys import TicketKey, TicketKeys
from edge.bindings.ticket_reader import TicketReader
from edge.cli.ticket.writer import encode, signed, static_text
from edge.core.access.ticket import Rotation, SpoiltTicket, Ticket, TicketFlaw
from edge.core.access.ticket_rules import (
    STEP_MS,
    TicketHolds,
    TicketPlace,
    TicketRefusal,
    candidate_steps,
    judge_ticket,
)
from edge.core.moment import Moment
from tests.vectors import ticket_vectors
from tests.vectors.spoilt_tickets import KEY_ID, STRUCTURE, claims_of
from tests.vectors.ticket_vectors import NEW_SEED, ROTATION_KEY, SINGLE

VECTORS: dict[str, Any] = json.loads(ticket_vectors.FILE.read_text(encoding="utf-8"))
NO_STEPS = range(0)
NAMES = frozenset[int | str]({12, "kitchen"})
FUZZ_TEXTS, FUZZ_SEEDS = 5_000, 4


def the_keys(**changed: Any) -> TicketKeys:
    keys = tuple(
        TicketKey(
            key_id=bytes.fromhex(key["kid"]),
            public=bytes.fromhex(key["public"]),
            issuer=key["issuer"],
            **{name: key[name] for name in ("from_ms", "to_ms") if name in key},
        )
        for key in VECTORS["keys"]
    )
    rotation = (bytes.fromhex(VECTORS["rotation"]["key"]),)
    wanted: dict[str, Any] = {"keys": keys, "rotation": rotation} | changed
    return TicketKeys(**wanted, accepts_test_patterns=True)


@cache
def reader(context: str = "menshen-pass-v1") -> TicketReader:
    return TicketReader(the_keys(), context=context.encode())


def exactly(at_ms: int) -> Moment:
    return Moment(monotonic_s=0.0, earliest_ms=at_ms, latest_ms=at_ms, boot="b")


def valid(name: str) -> dict[str, Any]:
    [vector] = [v for v in VECTORS["valid"] if v["name"] == name]
    found: dict[str, Any] = vector
    return found


def read(text: str, steps: range = NO_STEPS) -> Ticket:
    ticket = reader().read(text.encode(), steps)
    assert isinstance(ticket, Ticket)
    return ticket


def test_the_file_is_what_its_writer_writes() -> None:
    written = ticket_vectors.as_text(ticket_vectors.build())
    assert ticket_vectors.FILE.read_text(encoding="utf-8") == written


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda v: v["name"])
def test_valid_vectors_hold_for_other_libraries_too(vector: dict[str, Any]) -> None:
    ticket = bytes.fromhex(vector["ticket"])
    body = vector["text"][4:]
    body = body[:-8] if vector["claims"]["rotates"] else body
    assert base45.b45decode(body) == ticket
    protected, unprotected, payload, signature = cbor2.loads(ticket)
    assert protected.hex() == vector["protected"]
    assert unprotected == {}
    assert payload.hex() == vector["payload"]
    assert signature.hex() == vector["signature"]
    assert cbor2.loads(protected) == {1: -8, 4: bytes.fromhex(vector["kid"])}
    context = vector["context"].encode()
    to_sign = cbor2.dumps(["Signature1", protected, context, payload])
    assert to_sign.hex() == vector["to_sign"]
    [key] = [key for key in VECTORS["keys"] if key["kid"] == vector["kid"]]
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["public"]))
    public.verify(signature, to_sign)


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda v: v["name"])
def test_valid_vectors_mean_what_they_say(vector: dict[str, Any]) -> None:
    ticket = reader(vector["context"]).read(vector["text"].encode(), NO_STEPS)
    assert isinstance(ticket, Ticket)
    claims = vector["claims"]
    assert {
        "ticket_id": ticket.ticket_id,
        "issuer": ticket.issuer,
        "site": ticket.audience,
        "doors": list(ticket.doors),
        "from_ms": ticket.not_before_ms,
        "to_ms": ticket.expires_ms,
        "issued_ms": ticket.issued_ms,
        "uses": ticket.uses,
        "party": ticket.party,
        "emergency": int(ticket.is_emergency),
        "rotates": int(ticket.rotation is not Rotation.STATIC),
    } == claims


def test_the_first_two_vectors_are_reusable_and_for_one_person() -> None:
    for vector in VECTORS["valid"][:2]:
        assert (vector["claims"]["uses"], vector["claims"]["party"]) == (0, 1)


@pytest.mark.parametrize("vector", VECTORS["judged"], ids=lambda v: v["why"])
def test_judged_vectors_are_answered_as_they_say(vector: dict[str, Any]) -> None:
    now = exactly(vector["at_ms"])
    shown = reader().read(vector["text"].encode(), candidate_steps(now))
    names = frozenset[int | str]({vector["door"]})
    answer = judge_ticket(shown, TicketPlace(site_id=vector["site"], names=names), now)
    if vector["reason"] is None:
        assert isinstance(answer, TicketHolds)
        assert not answer.is_time_unsure
    else:
        assert isinstance(answer, TicketRefusal)
        assert (answer.reason, answer.flaw) == (vector["reason"], vector["detail"])


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda v: v["why"])
def test_invalid_vectors_are_spoilt_by_the_flaw_they_name(
    vector: dict[str, Any],
) -> None:
    shown = reader().read(vector["text"].encode(), NO_STEPS)
    assert isinstance(shown, SpoiltTicket)
    assert shown.flaw == vector["detail"]


def test_every_flaw_of_a_reader_has_its_vector() -> None:
    judged_alone = {
        *(TicketFlaw.KID_EXPIRED, TicketFlaw.NOT_YET, TicketFlaw.EXPIRED),
        *(TicketFlaw.DOOR, TicketFlaw.ROTATION),
    }
    stateful = {
        *(TicketFlaw.REVOKED, TicketFlaw.USED, TicketFlaw.REPLAY),
        *(TicketFlaw.CLOCK_UNKNOWN, TicketFlaw.RATE_LIMITED),
    }
    assert {v["detail"] for v in VECTORS["invalid"]} == (
        set(TicketFlaw) - judged_alone - stateful
    )
    assert {v["detail"] for v in VECTORS["judged"]} >= judged_alone


@pytest.mark.parametrize("bit", range(8))
def test_no_ticket_survives_a_flipped_bit(bit: int) -> None:
    good = bytes.fromhex(valid("single-use")["ticket"])
    for place in range(len(good)):
        flipped = bytearray(good)
        flipped[place] ^= 1 << bit
        shown = reader().read(static_text(bytes(flipped)).encode(), NO_STEPS)
        assert isinstance(shown, SpoiltTicket), f"bit {bit} of byte {place}"
    assert max(STRUCTURE) < len(good)


def test_what_a_scanner_adds_is_trimmed_and_spaces_are_not() -> None:
    text = valid("single-use")["text"]
    assert read(f"\r\n\t{text}\r\n").ticket_id == SINGLE.ticket_id.hex()
    for spoilt in (f" {text}", f"{text} "):
        assert isinstance(reader().read(spoilt.encode(), NO_STEPS), SpoiltTicket)


def test_a_log_sees_four_bytes_of_a_spoilt_tickets_id() -> None:
    forged = signed(encode(claims_of(SINGLE)), KEY_ID, bytes(range(9, 41)))
    shown = reader().read(static_text(forged).encode(), NO_STEPS)
    flaw = TicketFlaw.SIGNATURE
    assert shown == SpoiltTicket(flaw=flaw, ticket_prefix=SINGLE.ticket_id[:4].hex())
    unread = reader().read(b"MS1:", NO_STEPS)
    assert isinstance(unread, SpoiltTicket)
    assert unread.ticket_prefix == ""


def test_keys_of_one_id_are_all_tried_and_lend_their_own_life() -> None:
    old, new = the_keys().keys
    twin = TicketKey(key_id=KEY_ID, public=old.public, issuer="hz1", to_ms=5)
    ticket = TicketReader(the_keys(keys=(twin, new))).read(
        valid("single-use")["text"].encode(), NO_STEPS
    )
    assert isinstance(ticket, Ticket)
    assert (ticket.key_from_ms, ticket.key_to_ms) == (new.from_ms, new.to_ms)


def test_a_reader_without_keys_knows_nobody() -> None:
    shown = TicketReader(TicketKeys(keys=())).read(
        valid("single-use")["text"].encode(), NO_STEPS
    )
    assert isinstance(shown, SpoiltTicket)
    assert shown.flaw is TicketFlaw.KID_UNKNOWN


def test_each_code_is_of_its_step_alone() -> None:
    codes = {int(step): code for step, code in VECTORS["rotation"]["codes"].items()}
    text = valid("rotating")["text"][:-8]
    steps = range(min(codes), max(codes) + 1)
    for step, code in codes.items():
        ticket = read(text + code, steps)
        assert (ticket.rotation, ticket.rotation_step) == (Rotation.PROVEN, step)
        without = [other for other in steps if other > step]
        late = read(text + code, range(step + 1, step + 1 + len(without) + 1))
        assert (late.rotation, late.rotation_step) == (Rotation.WRONG, None)


def test_a_code_is_checked_where_the_ticket_asks_for_none() -> None:
    step = 1_795_320_000_000 // STEP_MS
    code = VECTORS["rotation"]["codes"][str(step)]
    static = valid("single-use")["text"]
    good, bad = f"MSR:{static[4:]}{code}", f"MSR:{static[4:]}00000000"
    assert read(good, range(step, step + 1)).rotation is Rotation.PROVEN
    assert read(bad, range(step, step + 1)).rotation is Rotation.WRONG


def test_without_a_time_or_a_secret_no_code_is_proven() -> None:
    text = valid("rotating")["text"].encode()
    assert read(text.decode(), NO_STEPS).rotation is Rotation.UNCHECKED
    step = 1_795_320_000_000 // STEP_MS
    keyless = TicketReader(the_keys(rotation=()))
    ticket = keyless.read(text, range(step, step + 1))
    assert isinstance(ticket, Ticket)
    assert ticket.rotation is Rotation.WRONG


def test_an_old_and_a_new_secret_work_side_by_side() -> None:
    step = 1_795_320_000_000 // STEP_MS
    text = valid("rotating")["text"].encode()
    changing = TicketReader(the_keys(rotation=(bytes(32), ROTATION_KEY)))
    ticket = changing.read(text, range(step, step + 1))
    assert isinstance(ticket, Ticket)
    assert ticket.rotation is Rotation.PROVEN


def test_what_does_not_begin_as_a_ticket_is_none() -> None:
    assert claims_to_be_ticket(b"MS1:")
    assert claims_to_be_ticket(b"MSR:1")
    assert not claims_to_be_ticket(b"ms1:")
    assert not claims_to_be_ticket(b"MS2:")


def holds_anywhere(text: bytes, at_ms: int) -> bool:
    """Read and judge at the place and time where the good ticket would open."""
    now = exactly(at_ms)
    shown = reader().read(text, candidate_steps(now))
    answer = judge_ticket(shown, TicketPlace(site_id=SINGLE.site, names=NAMES), now)
    return isinstance(answer, TicketHolds)


@pytest.mark.parametrize("seed", range(FUZZ_SEEDS))
def test_mutated_texts_never_raise_and_never_open(seed: int) -> None:
    chance = random.Random(seed)
    good = [valid(name)["text"].encode() for name in ("single-use", "rotating")]
    at_ms = SINGLE.from_s * 1000
    for text in good:
        assert holds_anywhere(text, at_ms)
    for _ in range(FUZZ_TEXTS):
        text = chance.choice(good)
        mutated = mutate(chance, text)
        if mutated.strip(b"\r\n\t") != text:
            assert not holds_anywhere(mutated, at_ms), f"seed {seed}: {mutated!r}"


def mutate(chance: random.Random, text: bytes) -> bytes:
    """Change a text, or the bytes in it, in one to four places."""
    is_inside = chance.random() < 0.5 and text.startswith(b"MS1:")
    data = bytearray(base45.b45decode(text[4:]) if is_inside else text)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) or 1)
        match chance.randrange(5):
            case 0:
                data[place : place + 1] = chance.randbytes(1)
            case 1:
                data.insert(place, chance.randrange(256))
            case 2:
                del data[place : place + 1]
            case 3:
                data[place:place] = data[place : place + chance.randrange(40)]
            case _:
                data = data[: place + 1]
    return static_text(bytes(data)).encode() if is_inside else bytes(data)


@pytest.mark.parametrize("seed", range(FUZZ_SEEDS))
def test_noise_in_the_claims_of_a_signed_ticket_never_raises(seed: int) -> None:
    """The key's owner may err in every way; tags, floats and depth among them."""
    chance = random.Random(seed)
    good = encode(claims_of(SINGLE))
    kinds = set()
    for _ in range(1_000):
        payload = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        text = static_text(signed(bytes(payload), KEY_ID, NEW_SEED))
        kinds.add(type(reader().read(text.encode(), NO_STEPS)))
    assert kinds == {Ticket, SpoiltTicket}


@pytest.mark.parametrize("seed", range(FUZZ_SEEDS))
def test_pure_noise_is_spoilt(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(1_000):
        noise = chance.randbytes(chance.randrange(MAX_TEXT + 20))
        for text in (noise, b"MS1:" + noise, static_text(noise[:520]).encode()):
            assert isinstance(reader().read(text, NO_STEPS), SpoiltTicket)


@pytest.mark.parametrize("seed", range(FUZZ_SEEDS))
def test_the_writers_cbor_and_base45_are_those_of_their_peers(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(500):
        number = chance.choice((1, -1)) * chance.getrandbits(chance.randrange(1, 64))
        value = {number: [chance.randbytes(chance.randrange(300)), "门神", number]}
        data = encode(value)  # type: ignore[arg-type]
        assert data == cbor2.dumps(value)
        assert static_text(data) == "MS1:" + base45.b45encode(data).decode()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"key_id": b""}, "1 to 4 bytes"),
        ({"key_id": bytes(5)}, "1 to 4 bytes"),
        ({"issuer": "hangzhou1"}, "at most 8"),
        ({"public": bytes(31)}, "not 32"),
        ({"public": bytes(32)}, "anybody can sign"),
        ({"public": b"\x01" + bytes(30) + b"\x80"}, "anybody can sign"),
        ({"from_ms": 5, "to_ms": 5}, "ends before"),
    ],
)
def test_a_key_that_could_deceive_is_refused(
    changed: dict[str, Any], said: str
) -> None:
    good: dict[str, Any] = {"key_id": b"\x05", "public": b"\x58" + b"\x66" * 31}
    TicketKey(**good)
    with pytest.raises(ValueError, match=said):
        TicketKey(**(good | changed))


def test_a_gateway_refuses_published_keys_and_too_many() -> None:
    for key in the_keys().keys:
        with pytest.raises(ValueError, match="anybody can sign"):
            TicketKeys(keys=(key,))
    with pytest.raises(ValueError, match="anybody can sign"):
        TicketKeys(keys=(), rotation=(ROTATION_KEY,))
    key = TicketKey(key_id=b"\x05", public=b"\x58" + b"\x66" * 31)
    TicketKeys(keys=(key,) * 8)
    with pytest.raises(ValueError, match="at most 8"):
        TicketKeys(keys=(key,) * 9)
    with pytest.raises(ValueError, match="two rotation keys"):
        TicketKeys(keys=(), rotation=(bytes(32),) * 3)
    with pytest.raises(ValueError, match="32 bytes"):
        TicketKeys(keys=(), rotation=(bytes(31),))


def test_secrets_are_not_printed() -> None:
    keys = TicketKeys(keys=(), rotation=(b"\x99" * 32,))
    assert "99" not in repr(keys)
    assert "\\x99" not in repr(keys)
