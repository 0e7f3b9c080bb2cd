# SPDX-License-Identifier: Apache-2.0
"""PINs, tickets, tampered readers, bells and stoves on their way to the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.device import (
    CodeRead,
    PinEntered,
    SetOutput,
    TamperChanged,
    Unreachable,
)
from drivers.secret import Secret
from edge.bindings.bindings import Bindings
from edge.core.access.ticket import SpoiltTicket, Ticket, TicketFlaw
from edge.core.command import SwitchAppliance
from edge.core.credential import CredentialKind
from edge.core.stimulus import BellPressed, DeviceChanged, Scan
from tests.edge.test_bindings import BOARD, SCANNER, SENSORS, TOKENS, bindings, level

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pin_becomes_a_credential_and_is_wiped(tmp_path: Path) -> None:
    typed = bytearray(b"2468")
    found = bindings(tmp_path).translate(
        SCANNER, PinEntered(unit=0, secret=Secret(typed)), 0.0
    )
    assert isinstance(found, Scan)
    assert found.credential == TOKENS.pin(bytearray(b"2468"))
    assert found.credential.kind is CredentialKind.PIN
    assert typed == bytes(4)


def test_a_tampered_reader_is_not_secure_until_it_is_whole_again(
    tmp_path: Path,
) -> None:
    site, code = bindings(tmp_path), CodeRead(unit=0, payload=b"guest")
    secure = []
    for is_tampered in (None, True, False):
        if is_tampered is not None:
            told = TamperChanged(unit=0, is_tampered=is_tampered, why="lid")
            site.translate(SCANNER, told, 0.0)
        found = site.translate(SCANNER, code, 0.0)
        assert isinstance(found, Scan)
        secure.append(found.is_secure)
    assert secure == [True, False, True]


def test_a_reader_whose_housing_is_open_is_not_trusted(tmp_path: Path) -> None:
    guards = 'guards = ["living-room-scanner"]'
    guarded = SENSORS.replace('active = "open"', f'active = "open"\n{guards}')
    site = bindings(tmp_path, ("[fire]", guarded))

    def is_secure() -> bool:
        shown = site.translate(SCANNER, CodeRead(unit=0, payload=b"code"), 1.0)
        assert isinstance(shown, Scan)
        return shown.is_secure

    site.translate(BOARD, level(7, is_closed=True), 0.0)
    assert is_secure(), "the mains guard nobody"
    for _ in range(2):
        site.translate(BOARD, level(6, is_closed=False), 0.0)
        assert not is_secure()
    site.translate(BOARD, level(6, is_closed=True), 0.0)
    assert is_secure()


def test_a_ticket_is_read_as_one_and_known_by_its_own_name(tmp_path: Path) -> None:
    ticket = Ticket(
        ticket_id="0001020304050607", not_before_ms=0, expires_ms=9, doors=("kitchen",)
    )
    spoilt = SpoiltTicket(flaw=TicketFlaw.SIGNATURE)
    shown: dict[bytes, Ticket | SpoiltTicket] = {
        b"MS1:good": ticket,
        b"MSR:good12345678": ticket,
        b"MS1:bad": spoilt,
    }
    plain = bindings(tmp_path)
    site = Bindings(plain.wiring, TOKENS, shown.__getitem__)
    found = {}
    for payload in (*shown, b"ms1:good"):
        scan = site.translate(SCANNER, CodeRead(unit=0, payload=payload), 0.0)
        assert isinstance(scan, Scan)
        found[payload] = (scan.ticket, scan.credential)
    name = TOKENS.ticket("0001020304050607")
    assert found[b"MS1:good"] == found[b"MSR:good12345678"] == (ticket, name)
    assert found[b"MS1:bad"] == (spoilt, TOKENS.code(b"MS1:bad"))
    assert found[b"ms1:good"] == (None, TOKENS.code(b"ms1:good"))


STOVE = """
[[appliance]]
id = "stove"
space = "kitchen"
output = { device = "board", output = 5 }

[fire] """


def test_a_stove_is_switched_by_its_output_and_known_to_its_board(
    tmp_path: Path,
) -> None:
    site = bindings(tmp_path, ("[fire] ", STOVE))
    for is_on in (True, False):
        switched = site.order(SwitchAppliance(appliance="stove", is_on=is_on, cause=3))
        assert switched == (BOARD, SetOutput(unit=1, channel=5, is_on=is_on))
    gone = site.translate(BOARD, Unreachable(unit=1, why="cut"), 0.0)
    assert isinstance(gone, DeviceChanged)
    assert gone.appliances == ("stove",)
    assert gone.doors == ("kitchen-door", "living-room-door")


def test_a_bell_rings_when_it_is_pressed_and_not_when_it_is_let_go(
    tmp_path: Path,
) -> None:
    wired = '# bell = { device = "board", input = 5 }'
    site = bindings(tmp_path, (wired, wired.removeprefix("# ")))
    rings = [site.translate(BOARD, level(5, is_closed=b), 0.0) for b in (True, False)]
    assert rings == [BellPressed(door="kitchen-door"), None]
