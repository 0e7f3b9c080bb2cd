# SPDX-License-Identifier: Apache-2.0
"""A serial server by TCP: both ways, hung up, refused, and never late."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from drivers.links import tcp_port
from drivers.links.link import PortError
from drivers.links.stream_link import StreamLink
from drivers.links.tcp_port import TcpPort
from tests.drivers.link_site import OPEN, Recorder, Told, running, until

if TYPE_CHECKING:
    from collections.abc import Iterator


LATE = "the network does not take what is sent: connection reset"


class FarEnd:
    """A listening socket that takes one connection at a time."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(5)
        self.text = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"

    def accept(self) -> socket.socket:
        connection, _ = self.listener.accept()
        connection.settimeout(5)
        return connection

    def site(self, device: Recorder) -> tuple[StreamLink, Told]:
        told = Told()
        link = StreamLink(
            TcpPort(self.text),
            device,
            told.signals.extend,
            now=time.monotonic,
            on_state=told.on_state,
        )
        return link, told


async def fill(link: StreamLink, device: Recorder) -> None:
    """Send until the far end, which does not read, takes no more."""
    port = link._port
    assert port is not None
    while not port.unsent_bytes():
        device.outgoing = b"x" * 4096
        link.order(OPEN)
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert port.unsent_bytes() > 0
    assert link.is_open


def is_closed(device: Recorder, times: int) -> bool:
    return device.calls.count("closed") == times


def read_all(server: socket.socket) -> None:
    """Read until the near end says that it has ended."""
    while server.recv(65536):
        pass


@pytest.fixture
def far() -> Iterator[FarEnd]:
    end = FarEnd()
    yield end
    end.listener.close()


async def test_bytes_go_both_ways_and_at_once(far: FarEnd) -> None:
    device = Recorder()
    link, told = far.site(device)
    async with running(link):
        await until(lambda: link.is_open)
        with far.accept() as server:
            link.order(OPEN)
            assert server.recv(100) == b"order"
            server.sendall(b"\x00\r\nanswer")
            await until(lambda: device.received == b"\x00\r\nanswer")
    assert told.states == [(True, "")]
    assert device.calls == ["opened", "closed"]


async def test_the_connection_is_tuned(far: FarEnd) -> None:
    opened = await TcpPort(far.text).open()
    with far.accept():
        options = opened._connection.getsockopt
        assert options(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert options(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert options(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 4
        assert options(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 2000
        opened.close()


async def test_a_connection_that_was_hung_up_is_made_again(far: FarEnd) -> None:
    device = Recorder()
    link, told = far.site(device)
    async with running(link):
        for opened in range(1, 3):
            await until(lambda: link.is_open)
            far.accept().close()
            await until(partial(is_closed, device, opened))
        await until(lambda: link.is_open)
    assert (False, "the port hung up") in told.states


async def test_a_port_at_which_nobody_listens_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(PortError) as refused:
        await TcpPort(f"tcp://127.0.0.1:{port}").open()
    words = f"127.0.0.1 answers, but nothing listens at port {port}"
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (TimeoutError(), "does not answer: check its power, cable and IP"),
        (OSError(errno.EHOSTUNREACH, "x"), "does not answer"),
        (socket.gaierror(-2, "x"), "nobody knows the name 'moxa.lan'"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
    ],
)
def test_each_fault_has_its_words(fault: OSError, words: str) -> None:
    assert words in TcpPort("tcp://moxa.lan:4001")._why(fault)


async def test_an_address_without_an_answer_is_given_up_in_time(
    far: FarEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_port, "CONNECT_WITHIN_S", 0.1)
    # A full queue of connections takes no more: the kernel then answers nothing.
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting: list[socket.socket] = []
    with full:
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].settimeout(0)
            waiting[-1].connect_ex(full.getsockname())
        text = f"tcp://127.0.0.1:{full.getsockname()[1]}"
        since = time.monotonic()
        with pytest.raises(PortError, match="does not answer"):
            await TcpPort(text).open()
        assert time.monotonic() - since < 2.0
        for one in waiting:
            one.close()


async def test_bytes_that_are_not_taken_in_time_cost_the_connection(
    far: FarEnd,
) -> None:
    far.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    device = Recorder()
    link, told = far.site(device)
    async with running(link):
        await until(lambda: link.is_open)
        with far.accept() as server:
            await fill(link, device)
            # The far end is stuck: at the driver's next time-out that is too late.
            link._sending._late_at = time.monotonic()
            link._ticked()
            assert not link.is_open
            await until(lambda: (False, LATE) in told.states)
            server.settimeout(5)
            with pytest.raises(ConnectionResetError):
                read_all(server)


async def test_a_flush_with_unsent_bytes_costs_the_connection(far: FarEnd) -> None:
    far.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    device = Recorder()
    link, told = far.site(device)
    async with running(link):
        await until(lambda: link.is_open)
        with far.accept() as server:
            server.sendall(b"old")
            await asyncio.sleep(0)
            link.flush_input()
            assert device.calls[-1] == "resumed"
            await fill(link, device)
            link.flush_input()
            why = f"input can't be flushed: {LATE}"
            await until(lambda: (False, why) in told.states)
