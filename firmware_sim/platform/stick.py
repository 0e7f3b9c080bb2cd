# SPDX-License-Identifier: Apache-2.0
"""The platform's side of a USB stick: exports read into the ledger, answers written.

The law of the module: an export counts only if the box whose key is known signed its
head, and if all its events lead to that head; then it goes the way of what came over
MQTT, into the same ledger by the same rules. What is wrong is a ValueError with a name.
Source: docs/sneakernet.md; docs/sync-contract.md sections 2 to 5.
"""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware_sim.platform.chain import canonical, follow, genesis
from firmware_sim.platform.envelope import Batch, parse
from firmware_sim.platform.feed import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firmware_sim.platform.feed_store import FeedStore
    from firmware_sim.platform.keys import Signer
    from firmware_sim.platform.ledger import Ledger, Standing

UP, DOWN, END = "mn.stick.up.v1", "mn.stick.down.v1", "mn.stick.end.v1"


class Sticks:
    """Reads exports and writes imports; ``boxes`` is the file of the boxes' keys."""

    def __init__(
        self,
        *,
        registry: dict[str, str],
        ledger: Ledger,
        store: FeedStore,
        signer: Signer,
        boxes: Path,
        now_ms: Callable[[], int],
    ) -> None:
        self._registry = registry
        self._ledger = ledger
        self._store = store
        self._signer = signer
        self._boxes = boxes
        self._now_ms = now_ms
        #: The journal epoch of each gateway's last export.
        self._epochs: dict[str, str] = {}

    def trust(self, gateway: str, public_hex: str) -> None:
        """Keep a box's public key, once somebody has compared its fingerprint."""
        if gateway not in self._registry or len(bytes.fromhex(public_hex)) != 32:
            raise ValueError(f"no key of a gateway that is known here: {gateway!r}")
        known = self._known() | {gateway: public_hex}
        self._boxes.write_text(json.dumps(known), encoding="ascii")

    def take(self, raw: bytes) -> Standing:
        """Store an export's events; return how far the journal has come here now."""
        header, lines = _unsealed(raw)
        self._verify(header)
        gateway = str(header["gateway"])
        topic = f"mn/v1/up/{self._registry[gateway]}/{gateway}/evt"
        batches = [_batch(parse(topic, line, self._registry)) for line in lines]
        _check_chain(header, batches)
        epoch = str(header["epoch"])
        self._epochs[gateway] = epoch
        held = Cursor(str(header["feed"]["epoch"]), int(header["feed"]["rev"]))
        if self._store.feed.is_behind(held):
            self._store.outrank(held)
        self._ledger.apply(batches)
        return self._ledger.high(gateway, epoch)

    def write(
        self,
        gateway: str,
        *,
        with_feed: bool = True,
        with_ack: bool = True,
        epoch: str | None = None,
    ) -> bytes:
        """Return a file for that gateway: the feed of now, and what is stored of it.

        ``epoch`` is the journal's; without it that of the last export taken.
        """
        if gateway not in self._registry:
            raise ValueError(f"no such gateway: {gateway!r}")
        stick, feed = secrets.token_hex(16), self._store.feed
        body: dict[str, Any] = {"gw": gateway, "stick": stick, "time": self._now_ms()}
        parts: list[str] = []
        if with_feed:
            parts = feed.parts(gateway, stick, told_rev=feed.cursor.rev)
            body["feed"] = {
                "epoch": feed.cursor.epoch,
                "rev": feed.cursor.rev,
                "n": len(parts),
                "count": feed.count,
                "hash": feed.hash,
            }
        epoch = epoch or self._epochs.get(gateway)
        if with_ack and epoch is not None:
            at = self._ledger.high(gateway, epoch)
            body["ack"] = {"epoch": epoch, "hi": at.hi, "h": at.hash.hex()}
        signed = [self._signer.sign("mn.stick.v1", canonical(body))]
        signed += [self._signer.sign("mn.stick.feed.v1", part) for part in parts]
        return sealed([{"type": DOWN, "version": 1}, *(one.decode() for one in signed)])

    def _verify(self, header: dict[str, Any]) -> None:
        known = self._known().get(str(header.get("gateway")))
        if known is None or header.get("key") != known:
            raise ValueError("BOX_UNKNOWN: nobody has compared this box's fingerprint")
        told = {key: value for key, value in header.items() if key != "signature"}
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(known))
        try:
            signature = bytes.fromhex(str(header.get("signature")))
            key.verify(signature, f"{UP}\n{canonical(told)}".encode())
        except (InvalidSignature, ValueError) as flaw:
            raise ValueError("FORGED: the box did not sign this header") from flaw

    def _known(self) -> dict[str, str]:
        try:
            known: dict[str, str] = json.loads(self._boxes.read_text("ascii"))
        except FileNotFoundError:
            return {}
        return known


def sealed(lines: list[Any]) -> bytes:
    """Return the lines as JSON, and the last line that seals them."""
    text = b"".join(canonical(line).encode() + b"\n" for line in lines)
    told = {"lines": len(lines), "sha256": sha256(text).hexdigest(), "type": END}
    return text + canonical(told).encode() + b"\n"


def _unsealed(raw: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Return the header and the batches of a file that is whole."""
    lines = raw.split(b"\n")
    if len(lines) < 3 or lines.pop() != b"":
        raise ValueError("TORN: the file has no end")
    last, before = lines.pop(), b"".join(line + b"\n" for line in lines)
    try:
        header, seal = json.loads(lines[0]), json.loads(last)
        is_whole = seal["type"] == END and seal["lines"] == len(lines)
        is_whole = is_whole and seal["sha256"] == sha256(before).hexdigest()
        is_ours = header["type"] == UP and header["version"] == 1
    except (KeyError, TypeError, ValueError) as flaw:
        raise ValueError("TORN: a first or last line that cannot be read") from flaw
    if not is_whole:
        raise ValueError("TORN: the file was cut or changed on its way")
    if not is_ours:
        raise ValueError("NOT_AN_EXPORT: no file of a gateway for the platform")
    return header, lines[1:]


def _batch(message: Any) -> Batch:
    if not isinstance(message, Batch):
        raise ValueError(f"GARBLED: {getattr(message, 'why', 'no batch of events')}")
    return message


def _check_chain(header: dict[str, Any], batches: list[Batch]) -> None:
    """Hold the events against the signed head: from its prev, without a gap, to it."""
    seq, at = int(header["first"]) - 1, bytes.fromhex(header["prev"])
    for batch in batches:
        is_next = batch.first == seq + 1 and batch.previous == at
        if batch.epoch != header["epoch"] or not is_next:
            raise ValueError(f"CHAIN: batch {batch.name} does not follow {seq}")
        entries, _ = follow(0, batch.first, at, batch.items)
        seq, at = batch.first + len(batch.items) - 1, entries[-1][-1]
    if seq != header["last"] or at.hex() != header["head"]:
        raise ValueError("CHAIN: the events do not lead to the head that was signed")
    if header["first"] == 1 and header["prev"] != genesis(header["epoch"]).hex():
        raise ValueError("CHAIN: the journal does not begin as its epoch does")
