# SPDX-License-Identifier: Apache-2.0
"""Which link a driver gets, by its kind and its port's text."""

from __future__ import annotations

import dataclasses
import time

import pytest

from drivers.errors import LocalError
from drivers.links import opening as links
from drivers.links.link import Link, LinkKind
from drivers.links.memory_link import MemoryLink
from drivers.links.opening import LAZY, open_link
from drivers.links.serial_port import SerialPort
from drivers.links.stream_link import StreamLink
from drivers.links.tcp_port import TcpPort
from drivers.links.udp_link import UdpLink
from drivers.registry import DRIVERS
from tests.drivers.link_site import Recorder, Told


def opened(kind: LinkKind, port: str) -> Link:
    told = Told()
    return open_link(
        dataclasses.replace(DRIVERS["qr_line"], link=kind),
        port,
        19200,
        Recorder(),
        told.signals.extend,
        now=time.monotonic,
        on_state=told.on_state,
    )


def test_a_serial_driver_is_reached_by_a_port_or_a_server() -> None:
    near = opened(LinkKind.SERIAL, "/dev/ttyUSB0")
    assert isinstance(near, StreamLink)
    assert isinstance(near._opener, SerialPort)
    assert (near.name, near._opener.baud) == ("/dev/ttyUSB0", 19200)
    far = opened(LinkKind.SERIAL, "tcp://127.0.0.1:4001")
    assert isinstance(far, StreamLink)
    assert isinstance(far._opener, TcpPort)
    assert not near.is_open
    assert not far.is_open


def test_a_driver_of_packets_is_reached_by_udp() -> None:
    assert isinstance(opened(LinkKind.UDP, "udp://127.0.0.1:60000"), UdpLink)
    with pytest.raises(LocalError, match="no address and port"):
        opened(LinkKind.UDP, "/dev/ttyUSB0")


def test_every_other_kind_has_its_entry() -> None:
    assert LAZY.keys() == set(LinkKind) - {LinkKind.SERIAL}


def test_a_link_of_another_module_is_imported_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = ("drivers.links.memory_link", "MemoryLink")
    monkeypatch.setattr(links, "LAZY", {LinkKind.GPIO: place})
    assert isinstance(opened(LinkKind.GPIO, "pinctrl-rp1"), MemoryLink)


def test_a_missing_package_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    place = ("drivers_of_nobody", "Link")
    monkeypatch.setattr(links, "LAZY", {LinkKind.PCSC: place})
    with pytest.raises(LocalError, match="pcsc needs drivers_of_nobody, which is not"):
        opened(LinkKind.PCSC, "pcsc:")
