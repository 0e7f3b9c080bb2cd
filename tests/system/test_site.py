# SPDX-License-Identifier: Apache-2.0
"""A demonstration under fire, a program that cannot live, the desk, the shell."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.cli.children import Child, free_port
from edge.cli.demo.journal_file import read_journal
from edge.cli.demo.supervisor import MAX_RESTARTS, ChildDiedError, Supervisor
from tests.system.house import living_house

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

MENSHEN = [sys.executable, "-m", "edge.cli.main"]
DESK = "desk"


# ---- the demonstration as a program ------------------------------------------------


def demo(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MENSHEN, "demo", "--json", "--state", str(folder), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def hear(playing: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what it said, once it has ended by itself."""
    return playing.communicate(timeout=60)


def put_down(playing: subprocess.Popen[str]) -> None:
    """Leave nothing of it, whatever the test found."""
    playing.kill()
    playing.communicate()


def gateways(folder: Path) -> list[int]:
    """Return the process ids of living gateways that work in ``folder``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode().split("\0")
        except OSError:
            continue
        if "edge.cli.run" in words and str(folder) in words:
            found.append(int(entry.parent.name))
    return found


def kinds(folder: Path) -> list[str]:
    """Return the kinds of all events; none while the journal is being made."""
    try:
        return [event.core["k"] for event in read_journal(folder / "journal.db")]
    except sqlite3.OperationalError:
        return []


def wait_until(what: str, seen: Any, within_s: float = 30.0) -> None:
    until_s = time.monotonic() + within_s
    while not seen():
        assert time.monotonic() < until_s, f"not seen: {what}"
        time.sleep(0.05)


def kill_gateway(folder: Path) -> None:
    """Kill it without warning, once it has started and let somebody in since."""
    wait_until("somebody is let in", lambda: _has_granted(folder))
    [gateway] = gateways(folder)
    os.kill(gateway, signal.SIGKILL)
    wait_until("it is back", lambda: gateways(folder) not in ([], [gateway]))
    starts = kinds(folder).count("STARTED")
    wait_until("it works again", lambda: kinds(folder).count("STARTED") > starts)


def _has_granted(folder: Path) -> bool:
    told = kinds(folder)
    return "STARTED" in told and "ACCESS_GRANTED" in told[_last(told, "STARTED") :]


def _last(told: list[str], kind: str) -> int:
    return len(told) - 1 - told[::-1].index(kind)


def test_a_gateway_killed_twice_under_mishaps_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    playing = demo(tmp_path, "--for", "25", "--port", "0")
    try:
        for _ in range(2):
            kill_gateway(tmp_path)
        output, errors = hear(playing)
    finally:
        put_down(playing)
    assert playing.returncode == 0, errors
    assert "Traceback" not in errors
    result = json.loads(output.splitlines()[-1])
    assert result["events_committed"] == result["events_acked"] > 0
    assert result["events_lost"] == result["events_duplicated"] == 0
    assert result["gateway_restarts"] >= 2
    assert result["broker_outages"] >= 1
    assert result["reader_faults"] >= 1
    assert result["lockers_opened"] >= 1
    assert len(result["denied"]) >= 3, result["denied"]
    for log in (tmp_path / "logs").glob("*.log"):
        assert "Traceback" not in log.read_text(encoding="utf-8"), log


def test_a_second_demo_is_sent_away_and_the_first_goes_on(tmp_path: Path) -> None:
    first, other, port = tmp_path / "first", tmp_path / "other", str(free_port())
    playing = demo(first, "--port", port)
    try:
        wait_until("somebody is let in", lambda: _has_granted(first))
        before = len(kinds(first))
        for folder, words in (
            (first, ["another one works in this folder", "choose another --state"]),
            (other, [f"port {port} is taken", "choose another --port"]),
        ):
            second = demo(folder, "--port", "0" if folder is first else port)
            output, errors = hear(second)
            assert second.returncode == 2, errors
            assert output == ""
            [line] = errors.splitlines()
            assert all(word in line for word in words), line
        assert not other.exists(), "it left something where it never worked"
        page = httpx.get(f"http://127.0.0.1:{port}/").text
        assert "配对这台平板" in page, "a stranger's tablet is told how to pair"
        wait_until("the first goes on", lambda: len(kinds(first)) > before + 3)
        playing.send_signal(signal.SIGINT)
        output, errors = hear(playing)
    finally:
        put_down(playing)
    assert playing.returncode == 0, errors
    result = json.loads(output.splitlines()[-1])
    assert result["events_lost"] == result["events_duplicated"] == 0
    assert result["gateway_restarts"] == 0


# ---- a program that cannot live ----------------------------------------------------


async def test_a_child_that_dies_at_once_is_given_up_with_the_end_of_its_log(
    tmp_path: Path,
) -> None:
    lines = "import sys; print(*range(99), 'the disk is full', sep='\\n'); sys.exit(3)"
    well = "import time; time.sleep(60)"
    children: dict[str, Child] = {}
    supervisor = Supervisor(children)  # they join it later, as in a play
    for name, program in (("well", well), ("broken", lines)):
        words = [sys.executable, "-c", program]
        children[name] = Child(name=name, words=words, logs=tmp_path, is_program=True)
    try:
        for child in children.values():
            await child.start()
        async with asyncio.timeout(20):
            with pytest.raises(ChildDiedError) as died:
                await supervisor.watch()
        assert children["well"].is_running
    finally:
        await asyncio.gather(*(child.end() for child in children.values()))
    head, *tail = str(died.value).splitlines()
    assert head.startswith("broken died 6 times within a minute")
    assert tail == [*(str(number) for number in range(88, 99)), "the disk is full"]
    assert supervisor.restarts == {"broken": MAX_RESTARTS}


def test_a_gateway_whose_keys_are_spoilt_ends_the_demo_with_its_own_words(
    tmp_path: Path,
) -> None:
    playing = demo(tmp_path, "--no-panel")
    try:
        wait_until("the gateway has started", lambda: "STARTED" in kinds(tmp_path))
        (tmp_path / "keys" / "site.json").write_text("{", encoding="ascii")
        [gateway] = gateways(tmp_path)
        os.kill(gateway, signal.SIGKILL)
        output, errors = hear(playing)
    finally:
        put_down(playing)
    assert playing.returncode == 1, errors
    assert output == ""
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("the gateway only lets out: ")
    assert "keys/site.json" in errors.splitlines()[-1]
    assert gateways(tmp_path) == []


# ---- the desk and the shell --------------------------------------------------------


async def test_a_volunteers_card_starts_and_ends_a_shift_a_residents_does_not(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        volunteer = house.part(DESK, "a volunteer")
        await house.visit(DESK, house.part(DESK, "a resident at the desk"))
        await house.until_true("refused", lambda: "ACCESS_DENIED" in house.kinds())
        [refused] = house.events("ACCESS_DENIED")
        assert (refused["at"], refused["reason"]) == (DESK, "UNAUTHORIZED")
        await house.visit(DESK, volunteer)
        await house.until_true("begun", lambda: "DUTY_STARTED" in house.kinds())
        await house.restart_gateway()
        await house.until_ready()
        await house.visit(DESK, volunteer)
        await house.until_true("ended", lambda: "DUTY_ENDED" in house.kinds())
        duty = [kind for kind in house.kinds() if kind.startswith("DUTY_")]
        assert duty == ["DUTY_STARTED", "DUTY_ENDED"]
        assert house.events("DUTY_ENDED")[0]["minutes"] == 0
        told = read_journal(house.stage.journal)
        persons = [e.person for e in told if e.core["k"].startswith("DUTY_")]
        assert persons == [{"holder": volunteer.holder}] * 2


async def shell(*words: str) -> tuple[int, str, str]:
    """Run ``menshen`` and return its exit status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *MENSHEN, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def test_the_shell_opens_a_door_and_whoever_watches_hears_it(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        socket, door = house.stage.control_socket, "living-room-door"
        reader, writer = await asyncio.open_unix_connection(socket)
        writer.write(b'{"verb": "watch"}\n')
        assert json.loads(await reader.readline()) == {"ok": True}
        begun_s = asyncio.get_running_loop().time()
        words = ("--socket", str(socket), "--reason", "a parcel for the kitchen")
        assert await shell("open", door, *words) == (0, f"{door}: released\n", "")
        released_s = await house.firmware.wait_for(
            "strike_released", after_s=begun_s, within_s=1.0, door=door
        )
        assert released_s is not None
        await house.firmware.do("push", door=door)
        await asyncio.sleep(0.5)  # a person's pace: the board is polled
        await house.firmware.do("pull_shut", door=door)
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(10):
            while not heard or heard[-1]["k"] != "DOOR_CLOSED":
                told = json.loads(await reader.readline())
                heard += [told["event"]] if "event" in told else []
        writer.close()
        await writer.wait_closed()
        assert [event["k"] for event in heard] == [
            *("MANUAL_ENTRY", "DOOR_OPENED", "DOOR_CLOSED"),
        ]
        assert heard[0]["reason"] == "a parcel for the kitchen"
        code, output, errors = await shell("open", "cellar-door", *words)
        assert (code, output, len(errors.splitlines())) == (1, "", 1), errors
        assert "cellar-door" in errors
