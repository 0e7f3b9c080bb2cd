# SPDX-License-Identifier: Apache-2.0
"""The control socket: every line is answered, and no caller does harm."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from edge.control.client import ControlError, ask
from edge.control.server import MAX_CALLERS, MAX_LINE, ControlServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

KNOWN = 'expected {"verb": …} with one of count, echo, refuse, watch'


def echo(request: dict[str, Any]) -> dict[str, Any]:
    return {"said": request.get("words")}


def refuse(_: dict[str, Any]) -> dict[str, Any]:
    raise ValueError("not now, ask the volunteer")


class Counter:
    """A verb with a memory."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, _: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        return {"calls": self.calls}


@pytest.fixture
def path() -> Iterator[Path]:
    # A Unix socket's path has 107 bytes at most: not below pytest's long folder.
    with TemporaryDirectory(prefix="menshen-") as folder:
        yield Path(folder, "control.sock")


@pytest.fixture
async def server(path: Path) -> AsyncIterator[ControlServer]:
    opened = ControlServer(path, {"echo": echo, "refuse": refuse, "count": Counter()})
    await opened.open()
    yield opened
    await opened.close()


def mode_of(path: Path) -> int | None:
    """Return who may use the socket, None if there is none."""
    return stat.S_IMODE(path.stat().st_mode) if path.is_socket() else None


async def asked(path: Path, verb: str, **words: Any) -> dict[str, Any]:
    """Ask as the command line does, from a thread: the client blocks."""
    return await asyncio.to_thread(ask, path, verb, **words)


async def served_again(path: Path) -> int:
    """Ask until the server has noticed that somebody left."""
    for _ in range(1_000):
        try:
            return int((await asked(path, "count"))["calls"])
        except ControlError:
            await asyncio.sleep(0.01)
    raise AssertionError("nobody is served any more")


async def sent(path: Path, data: bytes, *, ends: bool = True) -> list[Any]:
    """Send bytes and return the answers up to the hang-up."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(data)
        await writer.drain()
        if ends:
            writer.write_eof()
        return [json.loads(line) for line in (await reader.read()).splitlines()]
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.usefixtures("server")
async def test_a_verb_is_done_and_answered(path: Path) -> None:
    answer = await asked(path, "echo", words="门神")
    assert answer == {"ok": True, "said": "门神"}


@pytest.mark.usefixtures("server")
async def test_a_verb_may_refuse_in_words(path: Path) -> None:
    with pytest.raises(ControlError, match=r"^not now, ask the volunteer$"):
        await asked(path, "refuse")


@pytest.mark.usefixtures("server")
async def test_an_unknown_verb_is_told_the_known_ones(path: Path) -> None:
    with pytest.raises(ControlError) as caught:
        await asked(path, "open-sesame")
    assert str(caught.value) == KNOWN


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"echo"',
        b"7",
        b"{}",
        b'{"verb": null}',
        b'{"verb": []}',
        b'{"verb": {"verb": "echo"}}',
        b'{"verb": 1e999}',
        b"[" * 60_000,
        b"9" * 60_000,
    ],
    ids=lambda line: line[:20].decode("latin-1") + f" ({len(line)})",
)
async def test_garbage_is_answered_and_the_line_stays_open(
    path: Path, line: bytes
) -> None:
    good = b'{"verb": "echo", "words": 1}'
    answers = await sent(path, b"\n".join((line, good, b"")))
    assert answers == [{"ok": False, "error": KNOWN}, {"ok": True, "said": 1}]


@pytest.mark.usefixtures("server")
async def test_a_request_without_its_newline_is_still_answered(path: Path) -> None:
    assert await sent(path, b'{"verb": "echo"}') == [{"ok": True, "said": None}]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("newline", [b"", b"\n"])
async def test_a_line_too_long_is_told_so_and_hung_up(
    path: Path, newline: bytes
) -> None:
    long = b'{"verb": "echo", "words": "' + b"x" * MAX_LINE + b'"}' + newline
    answers = await sent(path, long)
    assert answers == [{"ok": False, "error": f"a line has {MAX_LINE} bytes at most"}]
    assert (await asked(path, "count"))["calls"] == 1


@pytest.mark.usefixtures("server")
async def test_the_command_line_is_told_of_a_line_too_long(path: Path) -> None:
    with pytest.raises(ControlError, match="bytes at most"):
        await asked(path, "echo", words="x" * MAX_LINE)


@pytest.mark.usefixtures("server")
async def test_callers_beyond_the_limit_are_told_so(path: Path) -> None:
    callers = [await asyncio.open_unix_connection(path) for _ in range(MAX_CALLERS)]
    for reader, writer in callers:  # all of them are being served
        writer.write(b'{"verb": "count"}\n')
        assert json.loads(await reader.readline())["ok"]
    with pytest.raises(ControlError, match=r"^too many callers at once, try again$"):
        await asked(path, "echo")
    _, leaving = callers.pop()
    leaving.close()
    await leaving.wait_closed()
    assert await served_again(path) == MAX_CALLERS + 1
    for _, writer in callers:
        writer.close()
        await writer.wait_closed()


@pytest.mark.usefixtures("server")
async def test_many_callers_are_served_side_by_side(path: Path) -> None:
    answers = await asyncio.gather(
        *(sent(path, b'{"verb": "count"}\n' * 50) for _ in range(MAX_CALLERS - 4))
    )
    calls = [answer["calls"] for given in answers for answer in given]
    assert sorted(calls) == list(range(1, 50 * (MAX_CALLERS - 4) + 1))


@pytest.mark.usefixtures("server")
async def test_a_caller_that_leaves_without_listening_harms_nobody(path: Path) -> None:
    for _ in range(3):
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"verb": "echo"}\n' * 100)
        writer.transport.abort()
    assert (await asked(path, "echo", words=2))["said"] == 2


@pytest.mark.usefixtures("server")
async def test_the_socket_is_for_owner_and_group_alone(path: Path) -> None:
    assert mode_of(path) == 0o660


async def test_what_a_dead_gateway_left_behind_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = ControlServer(path, {"echo": echo})
    await server.open()
    assert (await asked(path, "echo", words=1))["said"] == 1
    await server.close()
    assert mode_of(path) is None


async def test_closing_hangs_up_on_those_who_stay(
    path: Path, server: ControlServer
) -> None:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b'{"verb": "echo"}\n')
    await reader.readline()
    await server.close()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_closing_waits_for_nobody_who_does_not_listen(
    path: Path, server: ControlServer
) -> None:
    _, writer = await asyncio.open_unix_connection(path, limit=1)
    request = json.dumps({"verb": "echo", "words": "x" * 50_000}).encode() + b"\n"
    for _ in range(40):  # until nobody takes another byte
        writer.write(request)
    await asyncio.sleep(0.2)
    async with asyncio.timeout(10):
        await server.close()
    writer.transport.abort()


def is_hung_up(caller: socket.socket) -> bool:
    try:
        return caller.recv(1) == b""
    except ConnectionResetError:  # it was not even accepted
        return True


@pytest.mark.parametrize("turns", range(10))
async def test_closing_waits_for_no_caller_accepted_just_before(
    path: Path, turns: int
) -> None:
    server = ControlServer(path, {"echo": echo})
    await server.open()
    before = asyncio.all_tasks()
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(0)
        caller.connect(str(path))
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await server.close()
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == before, "and nobody is served any more"
        assert is_hung_up(caller)


async def test_closing_what_was_never_open_is_harmless(path: Path) -> None:
    await ControlServer(path, {}).close()


def test_no_gateway_is_a_clear_error(path: Path) -> None:
    with pytest.raises(ControlError) as caught:
        ask(path, "status")
    assert str(caught.value) == (
        f"{path}: no gateway answers here (No such file or directory); is it running, "
        "and is this its --socket?"
    )


def test_a_gateway_that_died_is_a_clear_error(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ControlError, match="Connection refused"):
        ask(path, "status")


@pytest.mark.parametrize("answer", [b"", b'{"ok": tr', b"HTTP/1.1 400\n", b"[1]\n"])
async def test_half_an_answer_is_a_clear_error(path: Path, answer: bytes) -> None:
    async def stranger(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_unix_server(stranger, path)
    with pytest.raises(ControlError, match="the gateway hung up; ask again"):
        await asked(path, "status")
    server.close()
    await server.wait_closed()


async def test_who_watches_hears_what_is_published_and_others_do_not(
    tmp_path: Path,
) -> None:
    server = ControlServer(tmp_path / "control.sock", {})
    await server.open()
    try:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
        writer.write(b'{"verb": "watch"}\n')
        assert json.loads(await reader.readline()) == {"ok": True}
        assert server.is_watched
        server.publish({"event": {"seq": 1}})
        assert json.loads(await reader.readline()) == {"event": {"seq": 1}}
        writer.close()
        await writer.wait_closed()
        async with asyncio.timeout(5):
            while server.is_watched:  # noqa: ASYNC110  the server's own bookkeeping
                await asyncio.sleep(0.01)
    finally:
        await server.close()


async def test_a_watcher_that_does_not_read_is_hung_up_on(tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "control.sock", {})
    await server.open()
    try:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
        writer.write(b'{"verb": "watch"}\n')
        assert json.loads(await reader.readline()) == {"ok": True}
        for _ in range(40):
            server.publish({"event": "x" * 65_536})
        assert not server.is_watched
        writer.close()
    finally:
        await server.close()


CONFIDE = (
    "import socket, sys; line = socket.socket(socket.AF_UNIX);"
    'line.connect(sys.argv[1]); line.sendall(b\'{"verb": "tell"}\\n\');'
    "print(line.makefile().readline())"
)
NOBODY = 65_534


async def tell(_: dict[str, Any]) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"who": "h-1"}


async def test_what_tells_of_persons_is_for_the_gateways_own_user(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ControlServer(path, {"echo": echo}, private={"tell": tell})
    await server.open()
    try:
        assert (await asyncio.to_thread(ask, path, "tell"))["who"] == "h-1"
        python: str | None = sys.executable
        if is_root := os.geteuid() == 0:  # then somebody else has to ask
            python = shutil.which("python3", path="/usr/bin:/bin")
            for place, mode in ((path.parent, 0o755), (path, 0o666)):
                os.chmod(place, mode)  # noqa: PTH101
        else:
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        if python is None:
            pytest.skip("no python that another user may run")
        done = await asyncio.to_thread(
            subprocess.run,
            [python, "-I", "-c", CONFIDE, str(path)],
            capture_output=True,
            text=True,
            check=False,
            user=NOBODY if is_root else None,
        )
        assert "own user alone; ask with sudo" in done.stdout, done.stderr
    finally:
        await server.close()
