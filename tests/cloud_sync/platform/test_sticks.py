# SPDX-License-Identifier: Apache-2.0
"""Sticks at the reference platform: golden files, and what nobody may carry in."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.feed import NO_FEED, Staged
from cloud_sync.fingerprint import fingerprint_of
from cloud_sync.platform import boxes, feeds, registry
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.keys import Signer
from cloud_sync.platform.reception import Reception
from cloud_sync.platform.sticks import answering, export_file
from cloud_sync.platform.sticks.export_file import opened
from cloud_sync.platform.sticks.taking import Taken, take
from cloud_sync.signing import PlatformKeys
from cloud_sync.stick import StickHeader, StickSnapshot, open_header
from cloud_sync.stick_file import (
    LINE_BYTES,
    Seal,
    StickError,
    check_import,
    parts_of,
    signed_text,
)
from edge.core.chain import canonical
from tests.cloud_sync.platform.desk import NOW_MS
from tests.cloud_sync.scripted_platform import KID, SEED
from tests.vectors import stick_vectors

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.database import Database

VECTORS: dict[str, Any] = json.loads(stick_vectors.FILE.read_text(encoding="utf-8"))
GATEWAY, EPOCH = VECTORS["gateway"], stick_vectors.EPOCH
GOOD: str = VECTORS["up"]["text"]
SIGNER = Signer(KID, SEED)


@pytest.fixture
async def office(database: Database) -> Database:
    """A platform that knows the golden gateway, and has compared its box's key."""
    async with database.writing() as work:
        await registry.register(work, GATEWAY, VECTORS["shard"], "", NOW_MS)
        public = VECTORS["box"]["public"]
        shown = fingerprint_of(bytes.fromhex(public))
        await boxes.trust(work, GATEWAY, public, shown, NOW_MS)
    return database


async def carry(database: Database, folder: Path, text: str | bytes) -> Taken:
    file = folder / "a.mnup"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    reception = Reception(database, Answers(SIGNER))
    with opened(file) as export:
        return await take(database, reception, export, NOW_MS)


async def refusal(database: Database, folder: Path, text: str | bytes) -> str:
    """Return why a file was refused; nothing of it is stored."""
    before = await stored(database)
    with pytest.raises(StickError) as caught:
        await carry(database, folder, text)
    assert await stored(database) == before
    return caught.value.name


async def stored(database: Database) -> list[Any]:
    async with database.reading() as work:
        events = await work.fetch("SELECT journal, seq, hash FROM event ORDER BY 1, 2")
        journals = await work.fetch("SELECT gateway, epoch, hi, hash FROM journal")
        heard = await work.fetch("SELECT gateway, heard_ms FROM gateway")
    return [tuple(row) for row in (*events, *journals, *heard)]


def signed(*lines: dict[str, Any], **header: Any) -> str:
    """Return a whole file whose header the golden box has signed."""
    told = {**lines[0], **header}
    told.pop("signature", None)
    told["signature"] = stick_vectors.box_key().sign(signed_text(told)).hex()
    return whole(told, *lines[1:])


def whole(*lines: dict[str, Any]) -> str:
    seal, text = Seal(), b""
    for line in lines:
        told = canonical(line).encode() + b"\n"
        seal.add(told)
        text += told
    return (text + seal.line()).decode()


def golden() -> list[dict[str, Any]]:
    return [json.loads(line) for line in GOOD.splitlines()[:-1]]


async def test_an_export_is_stored_once_and_the_gateway_is_not_online_for_it(
    office: Database, tmp_path: Path
) -> None:
    header = golden()[0]
    taken = await carry(office, tmp_path, GOOD)
    assert (taken.new, taken.at.hi) == (header["last"], header["last"])
    assert taken.at.hash.hex() == header["head"]
    before = await stored(office)
    again = await carry(office, tmp_path, GOOD)
    assert (again.new, again.at) == (0, taken.at)
    assert await stored(office) == before
    async with office.reading() as work:
        assert not await registry.is_online(work, GATEWAY, NOW_MS, 300)


@pytest.mark.parametrize("case", VECTORS["up"]["invalid"], ids=lambda case: case["why"])
async def test_a_spoilt_export_is_refused_by_its_golden_name(
    office: Database, tmp_path: Path, case: dict[str, str]
) -> None:
    assert await refusal(office, tmp_path, case["text"]) == case["refusal"]


async def test_every_cut_and_every_flipped_byte_is_refused(
    office: Database, tmp_path: Path
) -> None:
    raw = GOOD.encode()
    for end in range(0, len(raw), 97):
        assert await refusal(office, tmp_path, raw[:end]) in {"TORN", "NOT_AN_EXPORT"}
    for at in range(0, len(raw), 211):
        spoilt = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert await refusal(office, tmp_path, spoilt) in {
            *("TORN", "NOT_AN_EXPORT", "TOO_NEW", "HEADER"),
        }


async def test_what_a_forger_seals_anew_leads_to_no_signed_head(
    office: Database, tmp_path: Path
) -> None:
    header, first, second = golden()
    changed = json.loads(canonical(first))
    changed["data"]["items"][0]["core"]["at"] = "another-door"
    assert await refusal(office, tmp_path, whole(header, changed, second)) == "CHAIN"
    # An item that cannot be hashed goes by the line, anchored; on a stick it does not.
    torn_out = json.loads(canonical(first))
    torn_out["data"]["items"][0] = "damaged"
    assert await refusal(office, tmp_path, whole(header, torn_out, second)) == "DAMAGED"
    claimed = json.loads(canonical(second))
    claimed["data"]["head"] = "ab" * 32
    assert await refusal(office, tmp_path, whole(header, first, claimed)) == "CHAIN"
    strange = {**second, "source": "/gw/gw-other"}
    assert await refusal(office, tmp_path, whole(header, first, strange)) == "GARBLED"
    noise = {"deep": json.loads("[" * 60 + "]" * 60)}
    assert await refusal(office, tmp_path, whole(header, first, noise)) == "GARBLED"
    elsewhere = signed(header, first, second, gateway="gw-stranger")
    assert await refusal(office, tmp_path, elsewhere) == "GATEWAY_UNKNOWN"
    wrong = signed(header, first, second, epoch="0009-ffffffff")
    assert await refusal(office, tmp_path, wrong) == "CHAIN"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"version": 2}, "TOO_NEW"),
        ({"type": "mn.stick.up.v9"}, "TOO_NEW"),
        ({"type": "mn.stick.down.v1"}, "WRONG_WAY"),
        ({"type": "holiday"}, "NOT_AN_EXPORT"),
        ({"first": 0}, "HEADER"),
        ({"last": 2**70}, "HEADER"),
        ({"first": True}, "HEADER"),
        ({"prev": "x"}, "HEADER"),
        ({"gateway": "../../etc"}, "HEADER"),
        ({"feed": {"epoch": "", "rev": 2**62}}, "HEADER"),
        ({"feed": 7}, "HEADER"),
        ({"key": "11"}, "HEADER"),
    ],
)
async def test_a_header_of_no_known_shape_is_refused(
    office: Database, tmp_path: Path, change: dict[str, Any], name: str
) -> None:
    header, *batches = golden()
    assert await refusal(office, tmp_path, whole(header | change, *batches)) == name


async def test_a_file_that_never_ends_is_given_up(
    office: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = canonical(golden()[0])
    long = f"{header}\n" + "x" * (LINE_BYTES + 1)
    assert await refusal(office, tmp_path, long) == "TOO_LARGE"
    monkeypatch.setattr(export_file, "MAX_LINES", 3)
    assert await refusal(office, tmp_path, f"{header}\n" + "{}\n" * 9) == "TOO_LARGE"
    monkeypatch.setattr(export_file, "MAX_BYTES", 100)
    assert await refusal(office, tmp_path, GOOD) == "TOO_LARGE"
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    for path in (pipe, link, tmp_path, tmp_path / "none"):
        with pytest.raises(StickError) as caught, opened(path):
            pass
        assert caught.value.name == "NOT_READ"


async def test_a_gap_says_from_where_to_export_again(
    office: Database, tmp_path: Path
) -> None:
    header, first, second = golden()
    count = len(first["data"]["items"])
    later = signed(header, second, first=count + 1, prev=first["data"]["head"])
    with pytest.raises(StickError, match=r"^GAP: events 1 to .*--from-seq 1") as caught:
        await carry(office, tmp_path, later)
    assert caught.value.name == "GAP"
    await carry(office, tmp_path, GOOD)
    assert (await carry(office, tmp_path, later)).new == 0


async def test_another_history_is_an_alarm_and_changes_nothing(
    office: Database, tmp_path: Path
) -> None:
    await carry(office, tmp_path, GOOD)
    async with office.writing() as work:
        await work.execute("UPDATE journal SET hash = ?1", bytes(32))
        await work.execute("UPDATE event SET hash = ?1", bytes(32))
    assert await refusal(office, tmp_path, GOOD) == "FORK"
    async with office.reading() as work:
        kinds = {kind for (kind,) in await work.fetch("SELECT kind FROM alarm")}
    assert kinds == {"FORK"}


async def test_the_answer_acknowledges_and_brings_the_roster_of_now(
    office: Database, tmp_path: Path
) -> None:
    async with office.reading() as work:
        with pytest.raises(StickError, match=r"^NOTHING: "):
            await answering.answer(work, GATEWAY, NOW_MS)
    taken = await carry(office, tmp_path, GOOD)
    put = {
        ("holder", f"h-{number}"): canonical({"enabled": 1, "name": "甲" * 200})
        for number in range(300)
    }
    async with office.writing() as work:
        await feeds.change(work, GATEWAY, feeds.Change(put=put), NOW_MS)
    async with office.reading() as work:
        answer = await answering.answer(work, GATEWAY, NOW_MS)
    file = io.BytesIO(b"".join(answer.lines(SIGNER)))
    keys = PlatformKeys(SIGNER.public_keys)
    header = open_header(keys, check_import(file).encode(), GATEWAY)
    assert isinstance(header, StickHeader), header
    assert header.ack is not None
    assert (header.ack.hi, header.ack.epoch) == (taken.at.hi, EPOCH)
    assert header.feed is not None
    snapshot = StickSnapshot(
        keys=keys, gateway=GATEWAY, header=header, feed=header.feed, held=NO_FEED
    )
    rows = 0
    for part in parts_of(file):
        told = snapshot.receive(part.encode())
        assert isinstance(told, Staged)
        rows += len(told.rows)
    assert snapshot.is_complete
    assert (rows, header.feed.parts > 1) == (300, True)
