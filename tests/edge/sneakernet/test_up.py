# SPDX-License-Identifier: Apache-2.0
"""Events go up on a stick: complete, signed, and acknowledged by nothing."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cloud_sync.stick_file import StickError
from drivers.device import CardRead, CodeRead, InputChanged, Reachable
from drivers.secret import Secret
from edge.cli.box_key import Box
from edge.cli.key_files import KeyFileError
from edge.cli.sneakernet.export import ALL
from edge.cli.sneakernet.gateway_verbs import VERBS, stick_verbs
from edge.cli.status_view import lines
from edge.control.client import ControlError, ask
from tests.brokers import free_port
from tests.edge.at_work import until
from tests.edge.sneakernet.sites import (
    GATEWAY,
    READER,
    Office,
    Place,
    carry_up,
    prepare,
    reached,
)
from tests.edge.test_runtime_start import told

NUMBER, CODE = "990105198002290017", "MN-PLANTED-CODE-0001"


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def menshen(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge.cli.main", "sync", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_what_waits_goes_up_and_stays_in_the_box(
    place: Place, office: Office, stick: Path
) -> None:
    await place.note(900)
    file = stick / "gw-7.mnup"
    done = await place.export(file)
    journal = place.runtime.journal
    assert (done.events, done.batches > 1) == (journal.last_seq, True)
    assert journal.acked == 0
    header, *batches, seal = lines_of(file)
    assert header["head"] == journal.head.hex()
    assert all(len(line) <= 64 * 1024 for line in file.read_bytes().splitlines())
    whole = b"".join(file.read_bytes().splitlines(keepends=True)[:-1])
    assert seal["sha256"] == sha256(whole).hexdigest()
    assert (seal["events"], seal["lines"]) == (journal.last_seq, len(batches) + 1)
    assert names_in(stick) == ["gw-7.mnup"]
    office.sticks.trust(GATEWAY, header["key"])
    standing = office.sticks.take(file.read_bytes())
    assert (standing.hi, standing.hash) == (journal.last_seq, journal.head)


async def test_a_stopped_gateways_folder_gives_the_same_events(
    state: Path, office: Office, stick: Path
) -> None:
    async with reached(state) as place:
        await place.note(40)
        status = await asyncio.to_thread(ask, place.socket, "status")
        shown = status["box"]["fingerprint"]
        assert f"box key      {shown}" in lines(status)
    with pytest.raises(ControlError, match="say --site too"):
        await asyncio.to_thread(carry_up, stick / "a", state)
    done = await asyncio.to_thread(carry_up, stick / "a", state, ALL, GATEWAY)
    assert done.as_json()["fingerprint"] == shown
    office.sticks.trust(GATEWAY, done.header["key"])
    assert office.sticks.take((stick / "a").read_bytes()).hi == done.header["last"]
    again = menshen(
        *("export", stick / "b", "--state", state, "--json"),
        *("--site", state.parent / "site.toml", "--from-seq", 5),
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["first"] == 5
    batches = [lines_of(stick / name)[1] for name in ("a", "b")]
    assert batches[1]["data"]["items"][0] == batches[0]["data"]["items"][4]


async def test_nothing_waits_and_numbers_that_are_not_there(
    place: Place, office: Office, stick: Path
) -> None:
    await place.note(3)
    journal = place.runtime.journal
    with pytest.raises(ControlError, match=f"holds 1 to {journal.last_seq}"):
        await place.export(stick / "a", 500)
    await journal.acknowledge(journal.last_seq)
    done = await place.export(stick / "a")
    assert (done.events, done.batches) == (0, 0)
    assert names_in(stick) == []
    said = await asyncio.to_thread(
        menshen, "export", stick / "a", "--state", place.state
    )
    assert (said.returncode, said.stdout[:13]) == (0, "nothing waits")
    done = await place.export(stick / "a", ALL)
    assert done.events == journal.last_seq
    both = await asyncio.to_thread(
        menshen, "export", stick / "b", "--all", "--from-seq", 1
    )
    assert both.returncode == 2


async def test_names_that_cannot_be_written_are_told(place: Place, stick: Path) -> None:
    await place.note()
    (stick / "old").write_text("photos")
    for name, path in {
        "EXISTS": stick / "old",
        "A_FOLDER": stick,
        "A_FOLDER ": Path(),
        "NO_STICK": stick / "not mounted" / "a",
    }.items():
        with pytest.raises(StickError) as refused:
            await place.export(path)
        assert refused.value.name == name.strip()
    assert names_in(stick) == ["old"]
    assert (stick / "old").read_text() == "photos"


async def test_a_full_stick_keeps_nothing_half_written(
    place: Place, stick: Path
) -> None:
    await place.note(400)
    words = ["export", str(stick / "a"), "--state", str(place.state)]
    limited = 'ulimit -f 16; exec "$@"'  # 16 KiB a file: the kernel says no half-way
    program = [sys.executable, "-m", "edge.cli.main", "sync", *words]
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", limited, "bash", *program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("STICK_FULL: "), done.stderr
    assert "nothing is lost" in done.stderr
    assert names_in(stick) == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (errno.ENOSPC, "STICK_FULL"),
        (errno.EIO, "STICK_GONE"),
        (errno.ENODEV, "STICK_GONE"),
        (errno.EROFS, "READ_ONLY"),
    ],
)
async def test_a_stick_that_fails_at_the_last_moment_has_no_file(
    place: Place, stick: Path, monkeypatch: pytest.MonkeyPatch, code: int, name: str
) -> None:
    await place.note()
    sync = os.fsync

    def failing(descriptor: int) -> None:
        if str(stick) in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(code, os.strerror(code))
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(StickError) as refused:
            await place.export(stick / "a")
    assert refused.value.name == name
    assert names_in(stick) == []
    assert (await place.export(stick / "a")).events > 0


async def test_what_a_pulled_stick_left_is_written_over_and_two_do_not_mix(
    place: Place, stick: Path
) -> None:
    await place.note()
    left = stick / ".a.part"
    left.write_bytes(b"half a line" * 1000)
    with left.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StickError, match=r"^BUSY: "):
            await place.export(stick / "a")
    assert names_in(stick) == [".a.part"]
    await place.export(stick / "a")
    assert names_in(stick) == ["a"]
    assert lines_of(stick / "a")[-1]["type"] == "mn.stick.end.v1"


async def test_no_number_no_code_and_no_token_is_in_a_file(
    folder: Path, office: Office, stick: Path
) -> None:
    tokens = [
        office.site.pseudonyms.of_identity_card(NUMBER).hex(),
        office.site.pseudonyms.of_code(CODE.encode()).hex(),
    ]
    office.admit("h-card", credentials=[f"ID_CARD:{tokens[0]}"])
    office.admit("h-code", credentials=[f"QR:{tokens[1]}"])
    state = prepare(folder, office, port=free_port(), extra=READER)
    site = state.parent / "site.toml"
    site.write_text(site.read_text().replace('["scanner"]', '["scanner", "reader"]'))
    async with reached(state) as place:
        await place.take(office.write(stick / "down"))
        hear = place.runtime.supervision.signals
        rest = [InputChanged(unit=1, channel=n, is_active=True) for n in (1, 8)]
        hear("ports/board", [*rest, Reachable(unit=1, detail="")])
        hear("ports/scanner", [CodeRead(unit=0, payload=CODE.encode())])
        secret = Secret(bytearray(NUMBER, "ascii"))
        hear("ports/reader", [CardRead(unit=0, secret=secret)])
        hear("ports/scanner", [CodeRead(unit=0, payload=b"MN-STRANGER")])
        await until(lambda: len(told(state, "ACCESS_DENIED")) == 3)
        await place.export(stick / "up")
    raw = (stick / "up").read_bytes()
    assert all(f'"holder":"h-{who}"'.encode() in raw for who in ("card", "code"))
    secrets = [NUMBER, NUMBER[:17], NUMBER[6:14], CODE, "MN-STRANGER", *tokens]
    private = json.loads((state / "keys" / "box.json").read_text())["private"]
    for secret in [*secrets, private, "11" * 32, "22" * 16]:
        assert secret.encode() not in raw, secret


async def test_the_boxs_key_is_made_once_for_its_owner_alone(folder: Path) -> None:
    keys = [Box(folder).key() for _ in range(2)]
    assert keys[0].public == keys[1].public
    file = folder / "keys" / "box.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert names_in(file.parent) == ["box.json"]
    assert json.loads(file.read_text())["private"] not in repr(keys[0])
    file.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Box(folder).key()
    file.chmod(0o600)
    file.write_text(json.dumps({"private": "00" * 32, "public": "11" * 32}))
    damaged = Box(folder)
    damaged.prepare()
    assert "restore it from the backup" in damaged.shown()["trouble"]


async def test_a_box_without_a_good_key_opens_doors_and_exports_nothing(
    state: Path, stick: Path
) -> None:
    (state / "keys" / "box.json").write_text("no key at all")
    async with reached(state) as place:
        await place.note()
        with pytest.raises(ControlError, match="move it away"):
            await place.export(stick / "a")
        shown = await asyncio.to_thread(ask, place.socket, "status")
        assert "move it away" in shown["box"]["trouble"]
    assert names_in(stick) == []


async def test_a_gateway_without_its_disk_exports_and_imports_nothing(
    place: Place,
) -> None:
    control = place.runtime._watchers._server
    assert control is not None
    assert control._private.keys() >= set(VERBS)
    report = place.runtime.report
    lost = stick_verbs(place.runtime, report, lost="disk I/O error")
    for verb in VERBS:
        with pytest.raises(ValueError, match=r"^STORAGE: .*disk I/O error"):
            await lost[verb]({"wish": "all"})
