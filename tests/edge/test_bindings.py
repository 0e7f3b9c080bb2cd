# SPDX-License-Identifier: Apache-2.0
"""Signals become stimuli, commands become orders, and nothing is decided."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from drivers.device import (
    AddressConflict,
    CardFound,
    CardRead,
    CardUnreadable,
    CodeRead,
    Cue,
    Garbled,
    InputChanged,
    OpenLock,
    OrderFailed,
    OutputChanged,
    Pulse,
    Reachable,
    SetOutput,
    Show,
    Signal,
    TagRead,
    TamperChanged,
    Technology,
    Unreachable,
    UnreadableCause,
)
from drivers.secret import Secret
from edge.bindings.bindings import MAX_DETAIL, Bindings, CardScan
from edge.bindings.tokens import TokenMaker
from edge.cli.files import config_folder
from edge.cli.site_wiring import wiring_of
from edge.core.command import (
    HoldOpen,
    Indicate,
    Indication,
    OpenCompartment,
    Release,
    Relock,
)
from edge.core.credential import CredentialKind
from edge.core.event import EventKind
from edge.core.stimulus import (
    CompartmentChanged,
    CompartmentFailed,
    ContactChanged,
    DeviceChanged,
    ExitButtonChanged,
    FireInputChanged,
    Noted,
    ReadingBegan,
    Scan,
    Stimulus,
    Unreadable,
)
from edge.core.stimulus import OutputChanged as DoorOutputChanged
from edge.settings.site_file import load

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = TokenMaker(site_id="hz-demo", site_key=bytes(32), epoch_salt=bytes(16))
READER, SCANNER, BOARD = (
    "ports/kitchen-reader",
    "ports/living-room-scanner",
    "ports/board",
)


def bindings(folder: Path, *changes: tuple[str, str]) -> Bindings:
    """The demonstration site's bindings, its file changed in places."""
    text = (config_folder() / "demo.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return Bindings(wiring_of(load(path)), TOKENS)


def level(channel: int, *, is_closed: bool) -> InputChanged:
    return InputChanged(unit=1, channel=channel, is_active=is_closed)


def test_a_code_becomes_a_scan_at_its_access_point(tmp_path: Path) -> None:
    code = CodeRead(unit=0, payload=b"MS1:guest")
    found = bindings(tmp_path).translate(SCANNER, code, 12.5)
    assert found == Scan(
        access_point="living-room-front",
        credential=TOKENS.code(b"MS1:guest"),
        received_s=12.5,
    )
    assert "guest" not in repr(found)


def test_a_card_is_passed_on_with_its_secret_unopened(tmp_path: Path) -> None:
    secret = Secret(bytearray(b"990001195001010015"))
    found = bindings(tmp_path).translate(READER, CardRead(unit=0, secret=secret), 3.0)
    assert isinstance(found, CardScan)
    assert (found.access_point, found.received_s) == ("kitchen-front", 3.0)
    assert "9900" not in repr(found)
    assert secret.take() == b"990001195001010015"


@pytest.mark.parametrize(
    ("signal", "stimulus"),
    [
        (CardFound(unit=0), ReadingBegan(access_point="kitchen-front")),
        (
            CardUnreadable(unit=0, why=UnreadableCause.CARD_TYPE_UNKNOWN),
            Unreadable(access_point="kitchen-front", cause="CARD_TYPE_UNKNOWN"),
        ),
    ],
)
def test_what_a_reader_says_is_said_of_its_access_point(
    tmp_path: Path, signal: Signal, stimulus: Stimulus
) -> None:
    assert bindings(tmp_path).translate(READER, signal, 0.0) == stimulus


def test_a_reader_that_no_access_point_uses_is_not_heard(tmp_path: Path) -> None:
    spare = '[[device]]\nid = "spare"\ndriver = "qr_line"\nport = "ports/spare"\n'
    site = bindings(tmp_path, ("[fire]", f"{spare}\n[fire]"))
    heard: list[Signal] = [
        CardFound(unit=0),
        CardRead(unit=0, secret=Secret(bytearray(b"9"))),
        CardUnreadable(unit=0, why=UnreadableCause.TRY_AGAIN),
        CodeRead(unit=0, payload=b"MS1:guest"),
    ]
    said = [site.translate("ports/spare", signal, 0.0) for signal in heard]
    assert said == [None] * 4
    assert site.translate("ports/spare", Reachable(unit=0, detail=""), 0.0) is not None


def test_what_nobody_wired_is_nothing(tmp_path: Path) -> None:
    site = bindings(tmp_path)
    assert site.translate(BOARD, level(7, is_closed=True), 0.0) is None
    stranger = InputChanged(unit=2, channel=1, is_active=True)
    assert site.translate(BOARD, stranger, 0.0) is None
    assert site.translate("ports/none", CardFound(unit=0), 0.0) is None
    moved = OutputChanged(unit=1, channel=7, is_on=True)
    assert site.translate(BOARD, moved, 0.0) is None


def test_what_a_strikes_output_does_is_said_of_its_door(tmp_path: Path) -> None:
    moved = OutputChanged(unit=1, channel=2, is_on=True)
    told = bindings(tmp_path).translate(BOARD, moved, 0.0)
    assert told == DoorOutputChanged(door="living-room-door", is_on=True)


@pytest.mark.parametrize("active", ["closed", "open"])
@pytest.mark.parametrize("is_closed", [True, False])
def test_levels_mean_what_the_site_file_says(
    tmp_path: Path, active: str, *, is_closed: bool
) -> None:
    """``active`` is the level of a closed leaf, a pressed button, a fire."""
    site = bindings(
        tmp_path,
        ('active = "open"', f'active = "{active}"'),
        ("input = 1 }", f'input = 1, active = "{active}" }}'),
        ("input = 2 }", f'input = 2, active = "{active}" }}'),
    )
    is_yes = is_closed is (active == "closed")
    door = "kitchen-door"
    levels = [level(channel, is_closed=is_closed) for channel in (1, 2, 8)]
    assert [site.translate(BOARD, each, 0.0) for each in levels] == [
        ContactChanged(door=door, is_open=not is_yes),
        ExitButtonChanged(door=door, is_pressed=is_yes),
        FireInputChanged(is_active=is_yes),
    ]


def test_the_shipped_fire_loop_is_normally_closed(tmp_path: Path) -> None:
    """A cut wire must look like a fire, never like peace."""
    site = bindings(tmp_path)
    cut = site.translate(BOARD, level(8, is_closed=False), 0.0)
    assert cut == FireInputChanged(is_active=True)


def test_commands_become_orders_for_the_right_relay(tmp_path: Path) -> None:
    site = bindings(tmp_path)
    kitchen, living = "kitchen-door", "living-room-door"
    assert site.order(
        Release(door=living, duration_s=3.0, cause=7, is_egress=False)
    ) == (BOARD, Pulse(unit=1, channel=2, duration_s=3.0))
    assert site.order(Relock(door=kitchen)) == (
        BOARD,
        SetOutput(unit=1, channel=1, is_on=False),
    )
    assert site.order(HoldOpen(door=kitchen)) == (
        BOARD,
        SetOutput(unit=1, channel=1, is_on=True),
    )
    shown = Indicate(access_point="kitchen-front", indication=Indication.DENIED)
    assert site.shown(shown) == []  # its reader has neither lamp nor sound


def test_a_board_that_answers_again_without_having_been_away_is_no_news(
    tmp_path: Path,
) -> None:
    site = bindings(tmp_path)
    doors = ("kitchen-door", "living-room-door")
    first = site.translate(BOARD, Reachable(unit=1, detail="modes"), 0.0)
    again = site.translate(BOARD, Reachable(unit=1, detail=""), 1.0)
    assert first == DeviceChanged(
        device="board", is_online=True, is_news=True, detail="modes", doors=doors
    )
    assert again == DeviceChanged(
        device="board", is_online=True, is_news=False, detail="", doors=doors
    )
    assert site.online == {"board"}


def test_silence_is_told_once_until_the_device_is_back(tmp_path: Path) -> None:
    site = bindings(tmp_path)
    gone, back = Unreachable(unit=0, why="silent"), Reachable(unit=0, detail="")
    offline = DeviceChanged(device="kitchen-reader", is_online=False, detail="silent")
    # A device that never answered is news, too.
    assert site.translate(READER, gone, 0.0) == offline
    assert site.translate(READER, gone, 1.0) is None
    returned = site.translate(READER, back, 2.0)
    assert isinstance(returned, DeviceChanged)
    assert returned.is_news
    assert returned.doors == ()
    assert site.translate(READER, gone, 3.0) == offline
    assert site.online == frozenset()


@pytest.mark.parametrize(
    ("signal", "what"),
    [
        (Garbled(unit=1, raw=b"990001", why="w" * 99), "garbled"),
        (
            OrderFailed(
                unit=1,
                order=Pulse(unit=1, channel=1, duration_s=1.0),
                why="w" * 99,
            ),
            "order_failed",
        ),
    ],
)
def test_a_fault_of_a_device_is_noted_and_kept_short(
    tmp_path: Path, signal: Signal, what: str
) -> None:
    assert bindings(tmp_path).translate(BOARD, signal, 0.0) == Noted(
        kind=EventKind.DEVICE_FAULT,
        subject="board",
        facts=(("detail", "w" * MAX_DETAIL), ("what", what)),
    )


def test_the_wiring_names_boards_senses_and_devices(tmp_path: Path) -> None:
    second = (
        '[[device]]\nid = "strikes"\ndriver = "modbus_relay_board"\n'
        'port = "ports/board"\naddress = 2\n\n[fire]'
    )
    site = bindings(
        tmp_path,
        ("[fire]", second),
        (
            'strike = { device = "board", output = 2 }',
            'strike = { device = "strikes", output = 1 }',
        ),
    )
    assert site.wiring.boards() == {"board", "strikes"}
    assert site.wiring.sensed() == {"board"}
    assert site.wiring.doors_of("strikes") == ("living-room-door",)
    assert site.device_of(BOARD, 2) == "strikes"
    assert site.device_of(BOARD, 3) is None
    doors = {"kitchen-reader", "living-room-scanner", "board", "strikes"}
    lockers = {"locks", "locker-scanner", "medicine-scanner", "desk-reader"}
    assert site.devices == doors | lockers


def test_a_compartment_is_opened_felt_and_told_by_its_lock(tmp_path: Path) -> None:
    site = bindings(tmp_path)
    port, unit = site.wiring.places["locks"]
    wish = OpenCompartment(bank="lockers", number=7, cause=1, is_first_aid=False)
    assert site.order(wish) == (port, OpenLock(unit=unit, channel=7))
    closed = InputChanged(unit=unit, channel=7, is_active=True)
    assert site.translate(port, closed, 0.0) == CompartmentChanged(
        bank="lockers", number=7, is_open=False
    )
    failed = OrderFailed(
        unit=unit, order=OpenLock(unit=unit, channel=7), why="the lock did not open"
    )
    assert site.translate(port, failed, 0.0) == CompartmentFailed(
        bank="lockers", number=7, why="the lock did not open"
    )


SENSORS = """[[sensor]]
id = "case"
kind = "tamper"
device = "board"
input = 6
active = "open"

[[sensor]]
id = "mains"
kind = "supply"
device = "board"
input = 7

[fire]"""


def test_a_sensor_is_told_once_and_again_when_it_ends(tmp_path: Path) -> None:
    site = bindings(tmp_path, ("[fire]", SENSORS))
    quiet = [level(6, is_closed=True), level(7, is_closed=False)]
    alarms = [level(6, is_closed=False), level(7, is_closed=True)]
    told = [site.translate(BOARD, s, 0.0) for s in quiet + alarms + alarms + quiet]
    notes = [(n.kind, n.subject) if isinstance(n, Noted) else n for n in told]
    assert notes == [
        *(None, None),
        (EventKind.DEVICE_TAMPERED, "case"),
        (EventKind.SUPPLY_FAILED, "mains"),
        *(None, None),
        (EventKind.DEVICE_TAMPER_ENDED, "case"),
        (EventKind.SUPPLY_RESTORED, "mains"),
    ]


def test_a_tag_is_known_by_technology_length_and_number_together(
    tmp_path: Path,
) -> None:
    site = bindings(tmp_path)

    def token(technology: Technology, bits: int, number: bytes) -> bytes:
        read = TagRead(unit=0, technology=technology, bits=bits, number=number)
        found = site.translate(SCANNER, read, 1.0)
        assert isinstance(found, Scan)
        assert found.credential.kind is CredentialKind.CARD
        return found.credential.token

    four = b"\x04\xa1\xb2\xc3"
    keys = {
        token(Technology.ISO14443A, 32, four),
        token(Technology.ISO14443B, 32, four),
        token(Technology.WIEGAND, 26, four),
        token(Technology.ISO14443A, 56, four + bytes(3)),
    }
    assert len(keys) == 4
    assert token(Technology.ISO14443A, 32, four) in keys


def test_hands_on_a_reader_and_twins_on_a_line_are_told(tmp_path: Path) -> None:
    site = bindings(tmp_path)
    for signal, kind in (
        (
            TamperChanged(unit=0, is_tampered=True, why="cUID"),
            EventKind.DEVICE_TAMPERED,
        ),
        (
            TamperChanged(unit=0, is_tampered=False, why=""),
            EventKind.DEVICE_TAMPER_ENDED,
        ),
        (AddressConflict(unit=0, why="two answer"), EventKind.ADDRESS_CONFLICT),
    ):
        note = site.translate(SCANNER, signal, 0.0)
        assert isinstance(note, Noted)
        assert (note.kind, note.subject) == (kind, "living-room-scanner")


def test_who_can_show_a_verdict_is_told_it(tmp_path: Path) -> None:
    line = 'driver = "qr_line"\nport = "ports/living-room-scanner"\nbaud = 115200'
    reader = (
        'driver = "osdp"\nport = "ports/living-room-scanner"\naddress = 5\n'
        'options = { scbk = "9F3C51D2A8E47706BB10C96E5D24F83A" }'
    )
    text = (config_folder() / "demo.toml").read_text(encoding="utf-8")
    assert line in re.sub(r" *#.*", "", text)
    path = tmp_path / "site.toml"
    path.write_text(re.sub(r" *#.*", "", text).replace(line, reader), encoding="utf-8")
    site = Bindings(wiring_of(load(path)), TOKENS)
    wish = Indicate(
        access_point="living-room-front",
        indication=Indication.DENIED,
        reason="TOO_EARLY",
    )
    shown = Show(unit=5, cue=Cue.DENIED, text="COME 13:50")
    assert site.shown(wish, "COME 13:50") == [(SCANNER, shown)]
    # A reason of the rules is no word for the street.
    assert site.shown(wish) == [(SCANNER, Show(unit=5, cue=Cue.DENIED))]
