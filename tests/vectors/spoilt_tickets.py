# SPDX-License-Identifier: Apache-2.0
"""Every way to spoil a ticket, with the flaw that a reader must name.

The law of the module: flaws are said here by hand, from the document; nothing asks the
reader. Each ticket is signed anew unless the fault is the signature.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.cli.ticket.writer import (
    CONTEXT,
    Plain,
    TicketOrder,
    encode,
    payload_of,
    signed,
    static_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_ID = b"\x02"
STRANGER_SEED = bytes(range(0x60, 0x80))
Spoilt = tuple[str, str, str]
#: What a flip of its lowest bit does to the bytes that give a ticket its structure; a
#: flip anywhere else leaves a good form whose signature does not hold.
STRUCTURE: dict[int, str] = {
    0: "cbor",  # five elements, but four follow
    1: "cbor",  # a header of seven bytes swallows the empty map
    2: "cbor",  # three pairs in the header, but two follow
    3: "alg",  # label 0 instead of the algorithm's
    4: "alg",  # -7
    5: "format",  # label 5 instead of the key id's
    6: "cbor",  # an empty key id, and a byte too many
    7: "kid_unknown",
    8: "cbor",  # an unprotected pair swallows payload and signature
    9: "cbor",  # a length of two bytes
    10: "cbor",  # the payload swallows the signature's head
    11: "cbor",  # six claims, and a seventh too many
    **dict.fromkeys((13, 18, 45, 62), "cbor"),  # a text or id of another length
    **dict.fromkeys((26, 32, 38, 44), "cbor"),  # a label twice
    **dict.fromkeys((27, 33, 39, 54), "cbor"),  # a number of eight bytes
    56: "cbor",  # label -1 in five bytes
    **dict.fromkeys((59, 60), "cbor"),  # a list of three
    **dict.fromkeys((71, 72), "cbor"),  # a signature of another length
}


def spoilt_tickets(order: TicketOrder, seed: bytes) -> list[Spoilt]:
    """Return ``(why, detail, text)`` of every spoilt ticket."""
    return [
        *_texts(order, seed),
        *_envelopes(order, seed),
        *_claims(order, seed),
        *_claim_bytes(order, seed),
        *_flips(order, seed),
    ]


def claims_of(order: TicketOrder) -> dict[int, Any]:
    flags = order.uses + 256 * (order.party - 1)
    return {
        1: order.issuer,
        3: order.site,
        4: order.to_s,
        5: order.from_s,
        6: order.issued_s,
        7: order.ticket_id,
        -65537: [list(order.doors), flags],
    }


def sealed(protected: bytes, payload: bytes, seed: bytes) -> bytes:
    """Sign any two byte strings."""
    to_sign = encode(["Signature1", protected, CONTEXT, payload])
    return Ed25519PrivateKey.from_private_bytes(seed).sign(to_sign)


def _texts(order: TicketOrder, seed: bytes) -> Iterator[Spoilt]:
    """Spoil the text round a good ticket."""
    text = static_text(signed(payload_of(order), KEY_ID, seed))
    yield "empty", "prefix", ""
    yield "prefix missing", "prefix", text[4:]
    yield "another prefix", "prefix", "HC1:" + text[4:]
    yield "a space before it", "prefix", " " + text
    yield "lower case", "prefix", text.lower()
    yield "prefix alone in lower case", "prefix", "ms1:" + text[4:]
    yield "body alone in lower case", "base45", "MS1:" + text[4:].lower()
    yield "prefix alone", "cbor", "MS1:"
    yield "last character lost", "base45", text[:-1]
    yield "one character too many", "cbor", text + "0"
    yield "two characters too many", "base45", text + "00"
    yield "a group beyond 65535", "base45", "MS1:" + ":::" + text[7:]
    yield "a character outside the alphabet", "base45", text[:9] + "_" + text[10:]
    yield "double space collapsed", "base45", _double_spaced(seed).replace("  ", " ")
    yield "rotating without its code", "format", "MSR:0000000"
    yield "rotating with seven digits", "format", "MSR:" + text[4:] + "A1234567"
    yield "longer than any ticket", "too_long", "MS1:" + "000" * 400
    yield "long beyond decoding", "too_long", "MS1:" + "_" * 800
    yield "513 bytes", "too_long", static_text(bytes([0x84]) + bytes(512))


def _double_spaced(seed: bytes) -> str:
    """Return the text of a good ticket with two spaces in a row."""
    number = 0
    while True:
        claims: dict[int, Plain] = {4: 2, 5: 1, 7: number.to_bytes(8, "big"), -1: 1}
        text = static_text(signed(encode(claims), KEY_ID, seed))
        if "  " in text:
            return text
        number += 1


def _envelopes(order: TicketOrder, seed: bytes) -> Iterator[Spoilt]:
    """Spoil the COSE_Sign1 round good claims."""
    payload = payload_of(order)
    header = encode({1: -8, 4: KEY_ID})
    ticket = signed(payload, KEY_ID, seed)
    signature = ticket[-64:]

    def text(protected: bytes) -> str:
        proof = sealed(protected, payload, seed)
        return static_text(encode([protected, {}, payload, proof]))

    yield "algorithm -7", "alg", text(encode({1: -7, 4: KEY_ID}))
    yield "algorithm missing", "alg", text(encode({4: KEY_ID}))
    yield "algorithm as text", "alg", text(encode({1: "EdDSA", 4: KEY_ID}))
    yield "key id missing", "format", text(encode({1: -8}))
    yield "key id as a number", "format", text(encode({1: -8, 4: 2}))
    yield "another header label", "format", text(encode({1: -8, 4: KEY_ID, 2: 1}))
    yield "header not a map", "format", text(encode([1, -8]))
    yield "empty header", "cbor", text(b"")
    yield "unknown key", "kid_unknown", text(encode({1: -8, 4: b"\x09"}))
    yield "key id of five bytes", "kid_unknown", text(encode({1: -8, 4: bytes(5)}))
    yield "header with a label twice", "cbor", text(b"\xa3\x01\x27\x01\x27\x04\x41\x02")
    yield "indefinite header", "cbor", text(b"\xbf\x01\x27\x04\x41\x02\xff")
    yield "label true instead of 1", "format", text(b"\xa2\xf5\x27\x04\x41\x02")
    loud = encode([header, {4: KEY_ID}, payload, signature])
    yield "unprotected header not empty", "format", static_text(loud)
    five = encode([header, {}, payload, signature, 0])
    yield "extra element", "format", static_text(five)
    yield "three elements", "format", static_text(encode([header, {}, payload]))
    short = encode([header, {}, payload, signature[:-1]])
    yield "signature of 63 bytes", "format", static_text(short)
    yield "not an array", "format", static_text(encode(1))
    yield "tag 18", "cbor", static_text(b"\xd2" + ticket)
    yield "trailing byte", "cbor", static_text(ticket + b"\x00")
    yield "last byte lost", "cbor", static_text(ticket[:-1])
    yield "indefinite array", "cbor", static_text(b"\x9f" + ticket[1:] + b"\xff")
    long_head = b"\x98\x04" + ticket[1:]
    yield "array head longer than need be", "cbor", static_text(long_head)
    stranger = signed(payload, KEY_ID, STRANGER_SEED)
    yield "a stranger's signature", "signature", static_text(stranger)
    bare = signed(payload, KEY_ID, seed, context=b"")
    yield "signed without the context", "signature", static_text(bare)
    other = payload_of(order).replace(b"kitchen", b"lounge1")
    moved = encode([header, {}, other, signature])
    yield "another door under this signature", "signature", static_text(moved)


def _claims(order: TicketOrder, seed: bytes) -> Iterator[Spoilt]:
    """Spoil one claim and sign: the key's owner is wrong, not a stranger."""
    good = claims_of(order)
    doors, flags = good[-65537]

    def text(changed: dict[int, Any]) -> str:
        return static_text(signed(encode(good | changed), KEY_ID, seed))

    def without(*labels: int) -> str:
        kept = {label: good[label] for label in good if label not in labels}
        return static_text(signed(encode(kept), KEY_ID, seed))

    yield "issuer of another key", "kid_unknown", text({1: "sz1"})
    yield "issuer missing", "kid_unknown", without(1)
    yield "issuer of nine characters", "format", text({1: "hangzhou1"})
    yield "site in capitals", "format", text({3: "HZ-DEMO"})
    yield "end missing", "format", without(4)
    yield "begin missing", "format", without(5)
    yield "id missing", "format", without(7)
    yield "doors missing", "format", without(-65537)
    yield "ends as it begins", "format", text({4: order.from_s})
    yield "end as text", "format", text({4: "tomorrow"})
    yield "end before 1970", "format", text({4: -1})
    yield "end after the year 9999", "format", text({4: 2**40})
    yield "issued as text", "format", text({6: "today"})
    yield "id of seven bytes", "format", text({7: bytes(7)})
    yield "id as text", "format", text({7: "12345678"})
    yield "an unknown claim", "format", text({8: 1})
    yield "no door", "format", text({-65537: [[], flags]})
    yield "nine doors", "format", text({-65537: [list(range(9)), flags]})
    yield "door below 0", "format", text({-65537: [[-1], flags]})
    yield "door above 65535", "format", text({-65537: [[65_536], flags]})
    yield "door in capitals", "format", text({-65537: [["KITCHEN"], flags]})
    yield "a flag without meaning", "format", text({-65537: [doors, 1 << 18]})
    yield "flags below 0", "format", text({-65537: [doors, -1]})
    yield "flags missing", "format", text({-65537: [doors]})
    yield "holder's key", "format", text({-65537: [doors, flags, bytes(32)]})
    yield "doors said twice", "format", text({-1: 12})
    yield "nested too deep", "cbor", text({-65537: [[[[12]]], flags]})


def _claim_bytes(order: TicketOrder, seed: bytes) -> Iterator[Spoilt]:
    """Spoil the claims' encoding and sign what no encoder of ours would write."""
    payload = encode(claims_of(order))
    end, end_s = encode(order.to_s), order.to_s

    def text(spoilt: bytes) -> str:
        return static_text(signed(spoilt, KEY_ID, seed))

    def replaced(good: bytes, bad: bytes) -> str:
        return text(payload.replace(good, bad))

    yield "claims not a map", "format", text(encode([1]))
    again = bytes([payload[0] + 1]) + payload[1:] + encode(5) + encode(order.from_s)
    yield "a claim twice", "cbor", text(again)
    yield "indefinite claims", "cbor", text(b"\xbf" + payload[1:] + b"\xff")
    long_end = b"\x1b" + end_s.to_bytes(8, "big")
    yield "a number longer than need be", "cbor", replaced(end, long_end)
    yield "a tagged time", "cbor", replaced(end, b"\xc1" + end)
    fraction = b"\xfb" + struct.pack(">d", end_s + 0.5)
    yield "a time with a fraction", "format", replaced(end, fraction)
    yield "issued as true", "format", replaced(encode(order.issued_s), b"\xf5")
    doors = encode(list(order.doors))
    yield "door as true", "format", replaced(doors, b"\x81\xf5")


def _flips(order: TicketOrder, seed: bytes) -> Iterator[Spoilt]:
    """Flip the lowest bit of each byte in turn."""
    ticket = signed(payload_of(order), KEY_ID, seed)
    for place in range(len(ticket)):
        flipped = bytearray(ticket)
        flipped[place] ^= 1
        detail = STRUCTURE.get(place, "signature")
        yield f"bit 0 of byte {place} flipped", detail, static_text(bytes(flipped))
