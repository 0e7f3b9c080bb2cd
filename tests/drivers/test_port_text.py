# SPDX-License-Identifier: Apache-2.0
"""Ports as people write them: what is read, and what is refused in which words."""

from __future__ import annotations

import pytest

from drivers.errors import LocalError
from drivers.links.link import LinkKind
from drivers.links.port_text import TCP, UDP, Endpoint, check_port, endpoint, is_path


@pytest.mark.parametrize(
    ("text", "scheme", "read"),
    [
        ("tcp://192.168.1.50:4001", TCP, Endpoint(host="192.168.1.50", port=4001)),
        ("tcp://moxa-2.lan:23", TCP, Endpoint(host="moxa-2.lan", port=23)),
        ("tcp://[fe80::1]:4001", TCP, Endpoint(host="fe80::1", port=4001)),
        ("udp://10.0.0.9:60000", UDP, Endpoint(host="10.0.0.9", port=60000)),
        (
            "udp://10.0.0.9:60000?listen=60001",
            UDP,
            Endpoint(host="10.0.0.9", port=60000, listen=60001),
        ),
    ],
)
def test_endpoints_are_read(text: str, scheme: str, read: Endpoint) -> None:
    assert endpoint(text, scheme) == read
    assert read.is_ipv6 is text.startswith("tcp://[")


@pytest.mark.parametrize(
    ("text", "scheme", "words"),
    [
        ("/dev/ttyUSB0", TCP, "no address and port, write it like tcp://192.168.1.50"),
        ("udp://10.0.0.9:60000", TCP, "no address and port"),
        ("tcp://10.0.0.9", TCP, "no address and port"),
        ("tcp://10.0.0.9:", TCP, "no address and port"),
        ("tcp://10.0.0.9:4001/x", TCP, "no address and port"),
        ("tcp://me@10.0.0.9:4001", TCP, "'me@10.0.0.9' is no address and no name"),
        ("tcp://10.0.0.999:4001", TCP, "is no address and no name"),
        ("tcp://10.0.0:4001", TCP, "is no address and no name"),
        ("tcp://-x:4001", TCP, "is no address and no name"),
        ("tcp://10.0.0.9:0", TCP, "a port is 1 to 65535"),
        ("tcp://10.0.0.9:65536", TCP, "a port is 1 to 65535"),
        ("tcp://10.0.0.9:4001?listen=1", TCP, "only a udp:// port listens"),
        ("udp://10.0.0.9:60000?listen=70000", UDP, "a port is 1 to 65535"),
        ("udp://10.0.0.9:60000?listen=", UDP, "no address and port"),
        ("udp://10.0.0.9:60000?x=1", UDP, "no address and port"),
    ],
)
def test_what_is_no_endpoint_is_refused(text: str, scheme: str, words: str) -> None:
    with pytest.raises(LocalError, match=words):
        endpoint(text, scheme)


@pytest.mark.parametrize(
    ("kind", "text", "is_one"),
    [
        (LinkKind.SERIAL, "ports/board", True),
        (LinkKind.SERIAL, "/dev/serial/by-id/usb-x", True),
        (LinkKind.SERIAL, "tcp://10.0.0.9:4001", False),
        (LinkKind.UDP, "udp://10.0.0.9:60000", False),
        (LinkKind.PCSC, "pcsc:ACS", False),
        (LinkKind.EVDEV, "/dev/input/by-id/usb-x-event-kbd", True),
        (LinkKind.GPIO, "gpio://pinctrl-rp1", False),
    ],
)
def test_what_reaches_a_driver_and_what_is_a_path(
    kind: LinkKind, text: str, *, is_one: bool
) -> None:
    check_port(kind, text)
    assert is_path(kind, text) is is_one


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (
            LinkKind.SERIAL,
            "udp://10.0.0.9:60000",
            "does not reach this driver.* or tcp",
        ),
        (LinkKind.SERIAL, "tcp://10.0.0.9", "no address and port"),
        (LinkKind.UDP, "/dev/ttyUSB0", "write it like udp://"),
        (LinkKind.PCSC, "/dev/ttyUSB0", "write 'pcsc:' and its name"),
        (LinkKind.GPIO, "/dev/gpiochip0", "write 'gpio://' and its label"),
        (LinkKind.EVDEV, "tcp://10.0.0.9:4001", "write a path such as"),
    ],
)
def test_what_does_not_reach_a_driver_is_refused(
    kind: LinkKind, text: str, words: str
) -> None:
    with pytest.raises(LocalError, match=words):
        check_port(kind, text)
