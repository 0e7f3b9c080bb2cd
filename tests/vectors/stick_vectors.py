# SPDX-License-Identifier: Apache-2.0
"""Writes sneakernet.json: files for a stick both ways, good ones and spoilt ones.

The law of the module: keys and salts are patterns that guard nothing; every refusal is
said by hand. ``python -m tests.vectors.stick_vectors`` writes the file; a test holds
the file to it, and both ends to the file.
"""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync.feed import FeedCursor
from cloud_sync.stick_file import Seal, signed_text
from edge.cli.box_key import BoxKey
from edge.cli.sneakernet.export import ALL, Exporter
from edge.core.chain import canonical, commitment, genesis, link
from edge.core.record import Record
from firmware_sim.platform.keys import Signer
from firmware_sim.platform.stick import sealed

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = Path(__file__).parent / "sneakernet.json"
GATEWAY, SHARD, EPOCH = "gw-hall", "00", "0003-9f2c41aa"
FEED_EPOCH, STICK, AT_MS = "0002-5eed5eed", "5a" * 16, 1_795_330_800_000
BOX_SEED, PLATFORM_SEED = bytes(range(0x20)), bytes(range(0x20, 0x40))
ROWS: list[dict[str, Any]] = [
    {
        "kind": "holder",
        "id": "h-000001",
        "ver": 7,
        "body": {
            "enabled": 1,
            "extended": 0,
            "language": "zh",
            "roles": ["RESIDENT"],
            "credentials": ["CARD:" + "0f" * 16],
        },
    },
    {
        "kind": "revocation",
        "id": "r-1",
        "ver": 8,
        "body": {"token": "f0" * 16, "reason": "LOST"},
    },
]


def box_key() -> BoxKey:
    """Return the key of a box that everybody knows."""
    private = Ed25519PrivateKey.from_private_bytes(BOX_SEED)
    return BoxKey(private, private.public_key().public_bytes_raw())


class ThreeEvents:
    """A journal of three events, the second of them erased."""

    epoch, first_seq, last_seq, acked = EPOCH, 1, 3, 0

    def __init__(self) -> None:
        self.records: list[Record] = []
        at = genesis(EPOCH)
        for seq in (1, 2, 3):
            core = canonical(
                {"at": "kitchen", "k": "ACCESS_GRANTED", "lo": AT_MS + seq}
            )
            salt, pii = bytes([seq]) * 16, canonical({"holder": "h-000001"})
            com = commitment(salt, pii)
            at = link(at, core, com)
            kept = Record(seq, core, salt, pii, None, at)
            erased = Record(seq, core, None, None, com, at)
            self.records.append(erased if seq == 2 else kept)

    async def read(
        self, after: int, *, max_rows: int, max_bytes: int
    ) -> Sequence[Record]:
        del max_bytes
        return self.records[after : after + max_rows]

    async def hash_at(self, seq: int) -> bytes | None:
        return self.records[seq - 1].hash if seq else genesis(EPOCH)


async def export_lines() -> list[dict[str, Any]]:
    """Return header and batches, two events in the first."""
    exporter = Exporter(
        gateway=GATEWAY,
        journal=ThreeEvents(),
        key=box_key,
        feed=lambda: FeedCursor(epoch=FEED_EPOCH, rev=7),
        now_ms=lambda: AT_MS,
    )
    header = await exporter.header(ALL)
    batches = [await exporter.batch(EPOCH, *span) for span in ((0, 2), (2, 3))]
    return [header, *(json.loads(payload) for payload, _ in batches)]


def file_of(lines: Sequence[Any], **counts: int) -> str:
    seal = Seal()
    text = b"".join(canonical(line).encode() + b"\n" for line in lines)
    for line in text.splitlines(keepends=True):
        seal.add(line)
    return (text + seal.line(**counts)).decode()


def import_lines(signer: Signer, **changes: Any) -> list[Any]:
    """Return the lines of a stick with two parts and an acknowledgement."""
    digests = [sha256(canonical(row).encode()).digest() for row in ROWS]
    total = sum(int.from_bytes(digest) for digest in digests) % 2**256
    feed = {"epoch": FEED_EPOCH, "rev": 8, "n": 2, "count": 2, "hash": f"{total:064x}"}
    head = ThreeEvents().records[-1].hash.hex()
    body: dict[str, Any] = {
        "gw": GATEWAY,
        "stick": STICK,
        "time": AT_MS + 86_400_000,
        "feed": feed,
        "ack": {"epoch": EPOCH, "hi": 3, "h": head},
        **changes,
    }
    parts = [
        {**feed, "gw": GATEWAY, "re": STICK, "i": number, "rows": [row]}
        for number, row in enumerate(ROWS)
    ]
    header = signer.sign("mn.stick.v1", canonical(body)).decode()
    signed = [signer.sign("mn.stick.feed.v1", canonical(part)) for part in parts]
    first = {"type": "mn.stick.down.v1", "version": 1}
    return [first, header, *(part.decode() for part in signed)]


def spoilt_exports(good: list[dict[str, Any]]) -> list[dict[str, str]]:
    header, first, second = good
    text = file_of(good, events=3)
    unsigned = {**header, "last": 2}
    fewer = box_key()
    resigned = {**unsigned, "signature": fewer.sign(signed_text(unsigned)).hex()}
    return [
        {"why": "its end is missing", "refusal": "TORN", "text": text[:-60]},
        {
            "why": "a letter was changed on the way",
            "refusal": "TORN",
            "text": text.replace("kitchen", "kitchem", 1),
        },
        {
            "why": "a key that nobody compared",
            "refusal": "BOX_UNKNOWN",
            "text": file_of([{**header, "key": "11" * 32}, first, second]),
        },
        {
            "why": "the header says something else than was signed",
            "refusal": "FORGED",
            "text": file_of([{**header, "at": AT_MS + 1}, first, second]),
        },
        {
            "why": "the last batch was taken out",
            "refusal": "CHAIN",
            "text": file_of([header, first]),
        },
        {
            "why": "the batches stand in another order",
            "refusal": "CHAIN",
            "text": file_of([header, second, first]),
        },
        {
            "why": "more events than the head covers",
            "refusal": "CHAIN",
            "text": file_of([resigned, first, second]),
        },
    ]


def spoilt_imports(signer: Signer) -> list[dict[str, str]]:
    first, header, *parts = good = import_lines(signer)
    stranger = import_lines(Signer(Ed25519PrivateKey.from_private_bytes(bytes(32))))
    forged = import_lines(
        Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)), signer.kid)
    )
    wire = signer.sign("mn.feed.v1", canonical({"gw": GATEWAY})).decode()

    other = {"epoch": FEED_EPOCH, "rev": 9, "n": 2, "count": 2, "hash": "00" * 32}

    def case(why: str, refusal: str, lines: list[Any]) -> dict[str, str]:
        return {"why": why, "refusal": refusal, "text": sealed(lines).decode()}

    return [
        {
            "why": "its end is missing",
            "refusal": "TORN",
            "text": sealed(good).decode()[:-60],
        },
        case("a stranger's key", "KEY_UNKNOWN", stranger),
        case("a stranger in the platform's name", "SIGNATURE", forged),
        case("for another gateway", "GATEWAY", import_lines(signer, gw="gw-8")),
        case("a header without its time", "BODY", import_lines(signer, time=None)),
        case(
            "neither roster nor ack", "BODY", import_lines(signer, feed=None, ack=None)
        ),
        case("parts of another roster", "FEED_SHAPE", import_lines(signer, feed=other)),
        case("a part of the wire", "PURPOSE", [first, header, wire, parts[1]]),
        case("an export", "WRONG_WAY", [{"type": "mn.stick.up.v1", "version": 1}]),
        case("of a later version", "TOO_NEW", [{**first, "version": 2}, header]),
    ]


def vectors() -> dict[str, Any]:
    """Return all that the file holds."""
    signer = Signer(Ed25519PrivateKey.from_private_bytes(PLATFORM_SEED), "platform-1")
    good = asyncio.run(export_lines())
    box = box_key()
    return {
        "gateway": GATEWAY,
        "shard": SHARD,
        "box": {
            "private": BOX_SEED.hex(),
            "public": box.public.hex(),
            "fingerprint": box.fingerprint,
        },
        "platform": signer.public_keys,
        "up": {
            "signed": signed_text(good[0]).decode(),
            "text": file_of(good, events=3),
            "invalid": spoilt_exports(good),
        },
        "down": {
            "text": sealed(import_lines(signer)).decode(),
            "invalid": spoilt_imports(signer),
        },
    }


def text() -> str:
    return json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
