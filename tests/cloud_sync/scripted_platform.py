# SPDX-License-Identifier: Apache-2.0
"""The platform as the tests play it, written from the contract alone.

The law of the module: it shares no codec with what it tests. It signs with PyJWT,
hashes with hashlib and writes JSON with the standard library.
Source: docs/sync-contract.md.
"""

from __future__ import annotations

import json
import random
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.core.record import Record

Json = dict[str, Any]
Sent = tuple[str, bytes]
#: Test patterns, known to everybody: never a key of a site.
SEED = bytes(range(32))
OTHER_SEED = bytes(range(32, 64))
KID = "platform-1"
GATEWAY = "gw-kitchen-01"
SHARD = "07"
EPOCH = "0001-00c0ffee"
FEED_EPOCH = "0003-9f2c1d00"


def private_key(seed: bytes = SEED) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_bytes(seed: bytes = SEED) -> bytes:
    public = private_key(seed).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(
    body: Json, typ: str, *, kid: str = KID, seed: bytes = SEED, alg: str = "EdDSA"
) -> bytes:
    headers = {"kid": kid, "typ": typ}
    key: Any = private_key(seed) if alg == "EdDSA" else public_bytes(seed)
    return jwt.encode(body, key, algorithm=alg, headers=headers).encode()


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(value: object) -> bytes:
    return sha256(canonical(value).encode()).digest()


def genesis(epoch: str) -> bytes:
    return sha256(b"menshen:" + epoch.encode()).digest()


def rows(count: int, *, epoch: str = EPOCH, seed: int = 1) -> list[Record]:
    """Return a journal of ``count`` rows; every seventh is erased."""
    rng, previous, made = random.Random(seed), genesis(epoch), []
    for seq in range(1, count + 1):
        core = canonical({"at": "门-1", "b": "boot", "k": "ACCESS_GRANTED", "m": seq})
        pii = canonical({"booking": f"B{seq}", "holder": f"h-{seq % 97}"})
        salt = rng.randbytes(16)
        com = sha256(salt + pii.encode()).digest()
        previous = sha256(previous + sha256(core.encode()).digest() + com).digest()
        made.append(
            Record(seq, core, None, None, com, previous)
            if seq % 7 == 0
            else Record(seq, core, salt, pii, None, previous)
        )
    return made


class Platform:
    """A ledger and a feed: receives messages up, returns messages down.

    ``inserted`` counts insertions by (epoch, seq): more than one is a defect of the
    ledger, none at the end a loss. ``alarms`` are contradictions.
    """

    def __init__(self, gateway: str = GATEWAY) -> None:
        self.gateway = gateway
        self.chains: dict[str, list[bytes]] = {}
        self.items: dict[tuple[str, int], Json] = {}
        self.inserted: dict[tuple[str, int], int] = {}
        self.duplicates = 0
        self.alarms: list[str] = []
        self.hellos: list[Json] = []
        self.results: list[Json] = []
        self.pulls = 0
        self.time_ms = 1_760_000_000_000
        self.feed_epoch, self.feed_rev = "", 0
        self.feed_rows: list[Json] = []
        self.rows_a_part = 3
        #: What hello says that it takes; nothing, as one of before.
        self.caps: list[str] = []
        self.beats: list[Json] = []
        self.early: list[Json] = []
        self.days: list[Json] = []

    # -- what tests set --------------------------------------------------------
    def publish_feed(self, rev: int, feed_rows: list[Json]) -> Sent:
        """Take a new feed and return the nudge for it."""
        self.feed_epoch, self.feed_rev, self.feed_rows = FEED_EPOCH, rev, feed_rows
        return self.down("nudge", {"epoch": FEED_EPOCH, "rev": rev})

    def hi(self, epoch: str = EPOCH) -> int:
        return len(self.chains.get(epoch, []))

    def lose(self, epoch: str, hi: int) -> None:
        """Be restored from a backup that ends at ``hi``."""
        del self.chains[epoch][hi:]
        for key in [key for key in self.inserted if key[0] == epoch and key[1] > hi]:
            del self.inserted[key]

    # -- the wire --------------------------------------------------------------
    def receive(self, topic: str, payload: bytes) -> list[Sent]:
        assert len(payload) <= 65_536
        event = json.loads(payload)
        assert canonical(event) == payload.decode(), "not canonical"
        assert event["specversion"] == "1.0"
        assert event["source"] == f"/gw/{self.gateway}"
        assert event["time"].endswith("Z")
        data = event["data"]
        match topic.removeprefix(f"mn/v1/up/{SHARD}/{self.gateway}/"), event["type"]:
            case "hello", "mn.hello.v1":
                assert event["id"] == data["nonce"]
                return [self._hello(data)]
            case "evt", "mn.evt.batch.v1":
                last = data["items"][-1]["seq"]
                assert event["id"] == f"{data['epoch']}:{data['first']}-{last}"
                return [self._batch(data)]
            case "pull", "mn.pull.v1":
                return self._pull(event["id"], data["epoch"], data["rev"])
            case "res", "mn.res.v1":
                assert event["id"] == f"{data['jti']}:{data['state']}"
                self.results.append(data)
                return []
            case ("hb" | "alm" | "day") as leaf, typ:
                assert leaf in self.caps, "sent to one that does not take it"
                assert typ == f"mn.{leaf}.v1"
                return self._beside(leaf, event["id"], data)
            case other:
                raise AssertionError(other)

    def down(self, channel: str, body: Json) -> Sent:
        signed = sign({"gw": self.gateway, **body}, f"mn.{channel}.v1")
        return f"mn/v1/dn/{self.gateway}/{channel}", signed

    def command(self, serial: int, action: str = "open", **more: Any) -> Sent:
        """Sign a command for the connection that was greeted last."""
        issued_s = self.time_ms // 1000
        body = {
            "jti": f"{serial:032x}",
            "nonce": self.hellos[-1]["nonce"],
            "iat": issued_s,
            "exp": issued_s + 15,
            "action": action,
            "by": "op-1",
            "reason": "telephone",
            "door": "front",
        }
        return self.down("cmd", body | more)

    def ack(self, epoch: str = EPOCH) -> Sent:
        return self.down("ack", {"epoch": epoch, **self._height(epoch)})

    def _beside(self, leaf: str, name: str, data: Json) -> list[Sent]:
        if leaf == "hb":
            self.beats.append(data)
            assert name == f"{data['nonce']}:{data['n']}"
            return [self.down("hb", {"nonce": data["nonce"], "n": data["n"]})]
        if leaf == "alm":
            self.early.append(data)
            assert name == f"{data['epoch']}:{data['item']['seq']}"
            assert data["item"].keys() == {"seq", "core", "com"}, "and no person"
            return []
        self.days.append(data)
        assert name == f"{data['epoch']}:{data['first']}-{data['last']}"
        chain = self.chains.get(data["epoch"], [])
        held = chain[data["first"] - 1 : data["last"]]
        is_same = held and held[-1].hex() == data["h"]
        is_good = is_same and len(held) == data["count"]
        told = {field: data[field] for field in ("epoch", "first", "last")}
        verdict = {"verdict": "agreed" if is_good else "differs", "count": len(held)}
        return [self.down("day", told | verdict)]

    def _height(self, epoch: str) -> Json:
        chain = self.chains.get(epoch, [])
        h = chain[-1] if chain else genesis(epoch)
        return {"hi": len(chain), "h": h.hex()}

    def _hello(self, data: Json) -> Sent:
        self.hellos.append(data)
        answer = {
            "nonce": data["nonce"],
            "epoch": data["epoch"],
            "time": self.time_ms,
            "feed": {"epoch": self.feed_epoch, "rev": self.feed_rev},
            **self._height(data["epoch"]),
        }
        if self.caps:
            answer["caps"] = self.caps
        return self.down("hello", answer)

    def _batch(self, data: Json) -> Sent:
        epoch, first = data["epoch"], data["first"]
        chain = self.chains.setdefault(epoch, [])
        previous = bytes.fromhex(data["prev"])
        for seq, item in enumerate(data["items"], first):
            assert item["seq"] == seq, "a batch is contiguous"
            if seq == first and seq <= len(chain) + 1:
                mine = chain[seq - 2] if seq > 1 else genesis(epoch)
                if mine != previous:
                    self.alarms.append(f"{epoch}:{seq} continues another chain")
                    break
            previous = _link(previous, item)
            if seq <= len(chain):
                self.duplicates += 1
                if chain[seq - 1] != previous:
                    self.alarms.append(f"{epoch}:{seq} has another hash")
            elif seq == len(chain) + 1:
                chain.append(previous)
                self.items[epoch, seq] = item
                self.inserted[epoch, seq] = self.inserted.get((epoch, seq), 0) + 1
        return self.ack(epoch)

    def _pull(self, nonce: str, epoch: str, rev: int) -> list[Sent]:
        self.pulls += 1
        if (epoch, rev) == (self.feed_epoch, self.feed_rev):
            return [self.down("feed", self.part(nonce, 0, 0, []))]
        parts = [
            self.feed_rows[start : start + self.rows_a_part]
            for start in range(0, len(self.feed_rows), self.rows_a_part)
        ] or [[]]
        return [
            self.down("feed", self.part(nonce, index, len(parts), part))
            for index, part in enumerate(parts)
        ]

    def part(self, nonce: str, index: int, n: int, part: list[Json]) -> Json:
        total = sum(int.from_bytes(digest(row)) for row in self.feed_rows) % 2**256
        return {
            "re": nonce,
            "epoch": self.feed_epoch,
            "rev": self.feed_rev,
            "i": index,
            "n": n,
            "count": len(self.feed_rows),
            "hash": f"{total:064x}",
            "rows": part,
        }


def _link(previous: bytes, item: Json) -> bytes:
    if "com" in item:
        com = bytes.fromhex(item["com"])
    else:
        salt = bytes.fromhex(item["salt"])
        com = sha256(salt + canonical(item["pii"]).encode()).digest()
    return sha256(previous + digest(item["core"]) + com).digest()


def booking(number: int, **body: Any) -> Json:
    return {
        "kind": "booking",
        "id": f"B{number}",
        "ver": 1,
        "body": {
            "holder": f"h-{number}",
            "space": "kitchen",
            "from": 1_760_000_000_000,
            "to": 1_760_003_600_000,
            "party": 2,
            "state": "CONFIRMED",
            **body,
        },
    }
