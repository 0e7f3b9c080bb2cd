# SPDX-License-Identifier: Apache-2.0
"""The golden files for a stick, read by both ends and by a library neither uses."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_sync.feed import NO_FEED, Staged
from cloud_sync.refusal import Refused
from cloud_sync.signing import PlatformKeys
from cloud_sync.stick import StickSnapshot, open_header
from cloud_sync.stick_file import StickError, check_import, parts_of
from firmware_sim.platform.feed_store import FeedStore
from firmware_sim.platform.keys import load_signer
from firmware_sim.platform.ledger import Ledger
from firmware_sim.platform.stick import Sticks
from tests.vectors import stick_vectors

if TYPE_CHECKING:
    from pathlib import Path

VECTORS: dict[str, Any] = json.loads(stick_vectors.FILE.read_text(encoding="utf-8"))
GATEWAY = VECTORS["gateway"]
KEYS = PlatformKeys(VECTORS["platform"])


def test_the_file_is_what_its_writer_writes() -> None:
    assert stick_vectors.FILE.read_text("utf-8") == stick_vectors.text()


@pytest.fixture
def platform(tmp_path: Path) -> Sticks:
    sticks = Sticks(
        registry={GATEWAY: VECTORS["shard"]},
        ledger=Ledger(tmp_path / "ledger.db"),
        store=FeedStore(tmp_path / "feed.db"),
        signer=load_signer(tmp_path / "key"),
        boxes=tmp_path / "boxes.json",
        now_ms=lambda: 0,
    )
    sticks.trust(GATEWAY, VECTORS["box"]["public"])
    return sticks


def test_an_export_is_read_and_its_signature_holds(platform: Sticks) -> None:
    text = VECTORS["up"]["text"]
    header = json.loads(text.splitlines()[0])
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(VECTORS["box"]["public"]))
    key.verify(bytes.fromhex(header["signature"]), VECTORS["up"]["signed"].encode())
    standing = platform.take(text.encode())
    assert (standing.hi, standing.hash.hex()) == (3, header["head"])


@pytest.mark.parametrize("case", VECTORS["up"]["invalid"], ids=lambda case: case["why"])
def test_a_spoilt_export_is_refused_by_name(
    platform: Sticks, case: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=rf"^{case['refusal']}: "):
        platform.take(case["text"].encode())
    epoch = stick_vectors.EPOCH
    assert platform.write(GATEWAY)  # still at work
    assert platform._ledger.high(GATEWAY, epoch).hi == 0


def read(text: str) -> str:
    """Read a file as command line and gateway do; return the refusal's name."""
    file = io.BytesIO(text.encode())
    try:
        message = check_import(file)
    except StickError as refused:
        return refused.name
    header = open_header(KEYS, message.encode(), GATEWAY)
    if isinstance(header, Refused):
        return header.kind.value
    assert header.feed is not None
    snapshot = StickSnapshot(
        keys=KEYS, gateway=GATEWAY, header=header, feed=header.feed, held=NO_FEED
    )
    for part in parts_of(file):
        answer = snapshot.receive(part.encode())
        if isinstance(answer, Refused):
            return answer.kind.value
        assert isinstance(answer, Staged)
    return "" if snapshot.is_complete else "TORN"


def test_an_import_is_read_and_adds_up() -> None:
    assert read(VECTORS["down"]["text"]) == ""
    [kid] = VECTORS["platform"]
    public = bytes.fromhex(VECTORS["platform"][kid])
    key = Ed25519PublicKey.from_public_bytes(public)
    _, header, *parts, _ = VECTORS["down"]["text"].splitlines()
    for line, purpose in [(header, "mn.stick.v1"), (parts[0], "mn.stick.feed.v1")]:
        assert jwt.get_unverified_header(json.loads(line))["typ"] == purpose
        assert jwt.decode(json.loads(line), key, algorithms=["EdDSA"])["gw"] == GATEWAY


@pytest.mark.parametrize(
    "case", VECTORS["down"]["invalid"], ids=lambda case: case["why"]
)
def test_a_spoilt_import_is_refused_by_name(case: dict[str, str]) -> None:
    assert read(case["text"]) == case["refusal"]
