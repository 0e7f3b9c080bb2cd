# SPDX-License-Identifier: Apache-2.0
"""A gateway written by hand, to talk to the simulated platform in tests.

The law of the module: it shares no line with the platform: its chain, its envelopes
and its signature check are written again from docs/sync-contract.md.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VECTORS = Path(__file__).parent / "vectors"
GATEWAY = "gw-hall"
SHARD = "00"
EPOCH = "0003-9f2c41aa"
NONCE = "00112233445566778899aabbccddeeff"


def vector(name: str) -> dict[str, Any]:
    """Return the golden file ``platform_{name}.json``."""
    text = (VECTORS / f"platform_{name}.json").read_text(encoding="utf-8")
    value: dict[str, Any] = json.loads(text)
    return value


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def envelope(kind: str, name: str, data: object, gateway: str = GATEWAY) -> bytes:
    return canonical(
        {
            "specversion": "1.0",
            "type": f"mn.{kind}.v1",
            "source": f"/gw/{gateway}",
            "id": name,
            "time": "2026-01-05T08:00:00.5Z",
            "datacontenttype": "application/json",
            "data": data,
        }
    ).encode()


def up(leaf: str, gateway: str = GATEWAY) -> str:
    return f"mn/v1/up/{SHARD}/{gateway}/{leaf}"


def pull(epoch: str, rev: int, nonce: str = NONCE, gateway: str = GATEWAY) -> bytes:
    return envelope("pull", nonce, {"epoch": epoch, "rev": rev}, gateway)


def opened(payload: bytes, public_hex: str) -> tuple[str, dict[str, Any]]:
    """Verify a downlink message; return its ``typ`` and its body."""
    head, body, signature = payload.split(b".")
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex))
    key.verify(_unbase64(signature), head + b"." + body)
    header = json.loads(_unbase64(head))
    assert header["alg"] == "EdDSA"
    return header["typ"], json.loads(_unbase64(body))


def _unbase64(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


class Journal:
    """A gateway's journal: items from 1, each with its place in the chain."""

    def __init__(
        self, length: int, seed: int = 1, gateway: str = GATEWAY, epoch: str = EPOCH
    ) -> None:
        self.gateway, self.epoch = gateway, epoch
        self.hashes = [sha256(b"menshen:" + epoch.encode()).digest()]
        self.items: list[dict[str, Any]] = []
        random = Random(seed)
        for seq in range(1, length + 1):
            self._append(seq, random)

    def _append(self, seq: int, random: Random) -> None:
        core = {"at": "door-kitchen", "k": "ACCESS_GRANTED", "lo": 10**12 + seq}
        pii = {"holder": f"h-{random.randrange(10**6):06}", "note": "厨房"}
        salt = random.randbytes(16)
        com = sha256(salt + canonical(pii).encode()).digest()
        inner = sha256(canonical(core).encode()).digest()
        self.hashes.append(sha256(self.hashes[-1] + inner + com).digest())
        self.items.append({"seq": seq, "core": core, "salt": salt.hex(), "pii": pii})

    def erase(self, seq: int) -> None:
        """Drop an item's person and keep the commitment, as often as one likes."""
        item = self.items[seq - 1]
        if "pii" in item:
            secret = bytes.fromhex(item["salt"]) + canonical(item["pii"]).encode()
            com = sha256(secret).hexdigest()
            self.items[seq - 1] = {"seq": seq, "core": item["core"], "com": com}

    def batch(self, first: int, last: int) -> bytes:
        """Return the batch message of items ``first`` to ``last``."""
        items = self.items[first - 1 : last]
        return self.batch_of(first, self.hashes[first - 1], items)

    def batch_of(self, first: int, previous: bytes, items: list[Any]) -> bytes:
        last = first + len(items) - 1
        data = {
            "epoch": self.epoch,
            "first": first,
            "prev": previous.hex(),
            "items": items,
        }
        name = f"{self.epoch}:{first}-{last}"
        return envelope("evt.batch", name, data, self.gateway)

    def hello(self, nonce: str = NONCE) -> bytes:
        """Return the hello of a gateway that stands at the journal's end."""
        data = {
            "epoch": self.epoch,
            "last_seq": len(self.items),
            "head": self.hashes[-1].hex(),
            "nonce": nonce,
            "boot": "boot-17",
            "lo": 1_767_600_000_000,
            "hi": 1_767_600_001_000,
            "fw": "0.1.0",
            "feed": {"epoch": "", "rev": 0},
            "caps": [],
        }
        return envelope("hello", nonce, data, self.gateway)
