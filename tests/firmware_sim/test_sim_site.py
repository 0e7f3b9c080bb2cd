# SPDX-License-Identifier: Apache-2.0
"""Reading a simulated site: what is understood, and how nonsense is refused."""

from __future__ import annotations

import copy
import json
import tomllib
from typing import Any

import pytest

from firmware_sim.door import LockKind
from firmware_sim.errors import SimulationError
from firmware_sim.id_card.sam_settings import SamLatencies
from firmware_sim.scanners.qr_scanner import Framing
from firmware_sim.site import (
    LcusPort,
    QrScannerPort,
    RelayBusPort,
    SamReaderPort,
    Site,
    UhppotePort,
)

GOOD: dict[str, Any] = {
    "ports": {
        "bus": {
            "kind": "relay_bus",
            "bus": {"local_echo": True},
            "boards": {
                "one": {"address": 1, "closed_inputs": [8]},
                "two": {"address": 2, "relays": 4},
            },
        },
        "id-1": {"kind": "sam_reader", "settings": {"latencies": "realistic"}},
        "qr-1": {
            "kind": "qr_scanner",
            "strict_baud": True,
            "settings": {"framing": "crlf", "decode_s": 1},
        },
        "usb": {"kind": "lcus_relay", "name": "bell", "settings": {"channels": 2}},
        "net": {
            "kind": "uhppote",
            "network": {"loss": 0.01},
            "controllers": {"hall": {"serial": 423187757, "doors": 2}},
        },
    },
    "doors": {
        "front": {"board": "one", "relay": 1, "contact": 1, "exit_button": 2},
        "back": {"board": "two", "relay": 4, "lock": "maglock"},
        "shed": {"board": "bell", "relay": 2},
        "side": {"board": "hall", "relay": 2, "contact": 2, "exit_button": 6},
    },
}

TOML = """
[ports.bus]
kind = "relay_bus"
[ports.bus.boards.one]
address = 3
[doors.front]
board = "one"
relay = 1
"""


def test_a_site_is_read_from_json() -> None:
    site = Site.from_mapping(json.loads(json.dumps(GOOD)))
    bus, reader, scanner = (site.ports[name] for name in ("bus", "id-1", "qr-1"))
    assert isinstance(bus, RelayBusPort)
    assert bus.bus.local_echo
    assert bus.boards["one"].closed_inputs == (8,)
    assert isinstance(reader, SamReaderPort)
    assert reader.settings.latencies == SamLatencies.realistic()
    assert isinstance(scanner, QrScannerPort)
    assert (scanner.settings.framing, scanner.settings.decode_s) == (Framing.CRLF, 1.0)
    assert scanner.strict_baud
    assert site.doors["back"].lock is LockKind.MAGLOCK


def test_a_usb_relay_and_controllers_are_read_from_json() -> None:
    site = Site.from_mapping(json.loads(json.dumps(GOOD)))
    usb, net = site.ports["usb"], site.ports["net"]
    assert isinstance(usb, LcusPort)
    assert (usb.name, usb.settings.channels) == ("bell", 2)
    assert isinstance(net, UhppotePort)
    assert (net.udp_port, net.network.loss) == (0, 0.01)
    assert net.controllers["hall"].doors == 2


def test_a_site_is_read_from_toml() -> None:
    site = Site.from_mapping(tomllib.loads(TOML))
    bus = site.ports["bus"]
    assert isinstance(bus, RelayBusPort)
    assert bus.boards["one"].address == 3


def test_latencies_are_a_preset_or_spelled_out() -> None:
    given = copy.deepcopy(GOOD)
    given["ports"]["id-1"]["settings"] = {
        "latencies": {"find_s": 0.5},
        "module_number": "00" * 16,
    }
    reader = Site.from_mapping(given).ports["id-1"]
    assert isinstance(reader, SamReaderPort)
    assert reader.settings.latencies == SamLatencies(find_s=0.5)
    assert reader.settings.module_number == bytes(16)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("extra", {}, r"no \['extra'\]; known: ports, doors"),
        ("ports", [], "site.ports: .* is no mapping"),
        (
            "ports.bus.kind",
            "can_bus",
            "osdp_bus, uhppote, lcus_relay, sam_reader or qr_scanner",
        ),
        ("ports.bus.colour", "red", r"no \['colour'\]; known: boards, bus"),
        ("ports.bus.boards.one.address", "1", r"one.address: '1' is no int"),
        ("ports.bus.boards.one.address", True, "True is no int"),
        ("ports.bus.boards.one.address", 256, "one: address 256 is outside 1 to 255"),
        ("ports.bus.boards.one.colour", 1, "no field 'colour'; known are: address,"),
        ("ports.bus.boards.one.modes", 1, "1 is no list"),
        ("ports.bus.boards.one.reply_delay_s", float("nan"), "no finite number"),
        ("ports.bus.boards.one.baud", 0, "0 baud is no rate"),
        ("ports.id-1.settings.baud", -1, "-1 baud is no rate"),
        ("ports.id-1.settings.module_number", "00", "module number has 16 bytes"),
        ("ports.qr-1.settings.piece_bytes", -1, "are not negative"),
        ("ports.bus.boards", {}, "no board 'one'; known: bell, hall"),
        ("ports.id-1.settings.latencies", "slow", "no preset 'slow'; known are: fast,"),
        ("ports.id-1.settings.module_number", "xyz", "'xyz' is no hex"),
        ("ports.id-1.settings", 7, "7 is no mapping"),
        ("ports.qr-1.settings.framing", "tab", "write one of 'cr', 'lf'"),
        ("ports.qr-1.strict_baud", 1, "1 is no bool"),
        ("ports.a/b", {"kind": "qr_scanner"}, "a port's name becomes a file's"),
        ("ports.bus-2", {"kind": "relay_bus", "boards": {"one": {}}}, "stands twice"),
        ("ports.usb.name", "one", r"board \['one'\] stands twice"),
        ("ports.usb.settings.channels", 9, "9 is not 1 to 8 relays"),
        ("ports.net.udp_port", -1, "udp_port -1 is not 0 to 65535"),
        ("ports.net.strict_baud", True, "a network has no rate"),
        ("ports.net.network.loss", 2, "loss is a share"),
        ("ports.net.controllers.hall.serial", 0, "serial 0 is not 1 to"),
        ("ports.net.controllers", {"one": {}}, r"board \['one'\] stands twice"),
        ("doors.front.board", "three", "no board 'three'; known: one, two, bell, hall"),
        ("doors.shed.relay", 3, "bell has relay 1 to 2, not 3"),
        ("doors.shed.contact", 1, "bell has no input, not 1"),
        ("doors.side.relay", 3, "hall has door 1 to 2, not 3"),
        ("doors.side.contact", 1, "door 2 has contact 2 and exit button 6"),
        ("doors.side.exit_button", 2, "door 2 has contact 2 and exit button 6"),
        ("doors.side.lock", "maglock", "its lock is a setting of hall"),
        ("doors.shop", {"board": "hall", "relay": 2}, "is wired already"),
        ("doors.back.relay", 5, "two has relay 1 to 4, not 5"),
        ("doors.front.contact", 9, "one has input 1 to 8, not 9"),
        ("doors.front.exit_button", 1, "is wired already"),
        ("doors.side", {"board": "one", "relay": 1}, "is wired already"),
        ("doors.side", {"board": "one"}, "'relay' is missing; write it"),
    ],
)
def test_nonsense_is_refused_with_what_to_write_instead(
    path: str, value: object, complaint: str
) -> None:
    given: dict[str, Any] = copy.deepcopy(GOOD)
    *folders, name = path.split(".")
    place = given
    for folder in folders:
        place = place[folder]
    place[name] = value
    with pytest.raises(SimulationError, match=complaint):
        Site.from_mapping(given)
