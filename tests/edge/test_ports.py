# SPDX-License-Identifier: Apache-2.0
"""What is plugged in, found in a folder that looks like /dev; and by pulling a plug."""

from __future__ import annotations

import fcntl
import json
import sys
import types
from typing import TYPE_CHECKING

import pytest

from edge.cli import ports
from edge.cli.ports import Found, chip_info, identify, look, tell_identified, tell_ports

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _without_card_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """Two USB adapters, one of them without a serial number, and a scanner."""
    for folder in ("serial/by-id", "serial/by-path", "input/by-id"):
        (tmp_path / folder).mkdir(parents=True)
    for tty, names in (
        ("ttyUSB0", ("by-path/pci-usb-0:1.1", "by-id/usb-1a86")),
        ("ttyUSB1", ("by-path/pci-usb-0:1.2",)),
        ("ttyAMA0", ()),
    ):
        (tmp_path / tty).touch()
        for name in names:
            (tmp_path / "serial" / name).symlink_to(tmp_path / tty)
    (tmp_path / "event3").touch()
    (tmp_path / "input/by-id/usb-Scan-event-kbd").symlink_to(tmp_path / "event3")
    (tmp_path / "input/by-id/usb-Scan-mouse").symlink_to(tmp_path / "event3")
    return tmp_path


def test_each_device_is_listed_once_by_the_name_that_stays(dev: Path) -> None:
    found = {one.port: one for one in look(dev)}
    assert list(found) == [
        str(dev / "ttyAMA0"),
        str(dev / "serial/by-path/pci-usb-0:1.1"),
        str(dev / "serial/by-path/pci-usb-0:1.2"),
        str(dev / "input/by-id/usb-Scan-event-kbd"),
    ]
    first = found[str(dev / "serial/by-path/pci-usb-0:1.1")]
    assert first.other_names == (
        str(dev / "serial/by-id/usb-1a86"),
        str(dev / "ttyUSB0"),
    )
    kinds = [one.kind for one in found.values()]
    assert kinds == ["serial", "serial", "serial", "keyboard"]


def test_who_holds_a_port_is_told(dev: Path) -> None:
    with (dev / "ttyUSB1").open():
        found = {one.port: one.detail for one in look(dev)}
    detail = found[str(dev / "serial/by-path/pci-usb-0:1.2")]
    assert detail.startswith("open in ")
    assert "(pid " in detail


def test_chips_are_named_by_their_label(
    dev: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dev / "gpiochip4").touch()

    def answer(_fd: int, request: int, blank: bytes) -> bytes:
        assert (request, len(blank)) == (0x8044B401, 68)
        label = b"pinctrl-rp1".ljust(32, b"\0")
        return b"gpiochip4".ljust(32, b"\0") + label + (54).to_bytes(4, "little")

    monkeypatch.setattr(fcntl, "ioctl", answer)
    assert chip_info(dev / "gpiochip4") == ("pinctrl-rp1", 54)
    [chip] = [one for one in look(dev) if one.kind == "gpio"]
    assert (chip.port, chip.detail) == ("gpio://pinctrl-rp1", "54 lines")
    assert chip.other_names == (str(dev / "gpiochip4"),)


def test_what_is_no_chip_is_told_and_ends_nothing(dev: Path) -> None:
    (dev / "gpiochip0").touch()
    [chip] = [one for one in look(dev) if one.kind == "gpio"]
    assert chip.detail == "Inappropriate ioctl for device"


@pytest.mark.parametrize(
    ("failed", "names", "ports_found"),
    [
        (0, ["ACS ACR122U 00 00"], ["pcsc:ACS ACR122U 00 00"]),
        (0, None, []),
        (0x8010001D, [], ["pcsc:"]),
    ],
)
def test_card_readers_are_listed_where_their_package_is(
    dev: Path,
    monkeypatch: pytest.MonkeyPatch,
    failed: int,
    names: list[str] | None,
    ports_found: list[str],
) -> None:
    released: list[int] = []
    scard = types.SimpleNamespace(
        SCARD_SCOPE_USER=0,
        SCardEstablishContext=lambda _: (failed, 7),
        SCardListReaders=lambda _context, _groups: (0, names),
        SCardReleaseContext=released.append,
    )
    monkeypatch.setitem(sys.modules, "smartcard.scard", scard)
    found = [one for one in look(dev) if one.kind == "card reader"]
    assert [one.port for one in found] == ports_found
    assert released == ([] if failed else [7])
    assert all("pcscd" in one.detail for one in found if failed)


def test_nothing_plugged_in_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_ports(as_json=False, dev=tmp_path) == 1
    assert "Nothing is plugged in" in capsys.readouterr().out
    assert tell_ports(as_json=True, dev=tmp_path) == 1
    assert json.loads(capsys.readouterr().out) == {"ports": []}


def test_the_list_can_be_pasted_into_a_site_file(
    dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_ports(as_json=False, dev=dev) == 0
    text = capsys.readouterr().out
    assert f'port = "{dev}/serial/by-path/pci-usb-0:1.2"' in text
    assert tell_ports(as_json=True, dev=dev) == 0
    told = json.loads(capsys.readouterr().out)["ports"]
    assert [one["kind"] for one in told].count("serial") == 3


class Plug:
    """A hand that pulls and plugs while somebody watches, on a clock of its own."""

    def __init__(self, script: dict[float, set[str]]) -> None:
        self.script = script
        self.at = 0.0
        self.looks = 0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def look(self) -> list[Found]:
        self.looks += 1
        present = [names for at, names in self.script.items() if at <= self.at][-1]
        return [Found(kind="serial", port=name) for name in sorted(present)]

    def identify(self) -> list[str]:
        found = identify(self.look, within_s=60, now=self.now, sleep=self.sleep)
        return [one.port for one in found]


def test_a_plug_that_is_pulled_and_comes_back_is_named() -> None:
    plug = Plug({0: {"a", "b"}, 3: {"a"}, 6: {"a", "b"}})
    assert plug.identify() == ["b"]
    assert 6 <= plug.at < 8


def test_a_plug_that_comes_is_named_with_all_that_it_brings() -> None:
    plug = Plug({0: {"a"}, 3: {"a", "c"}, 3.4: {"a", "c", "c-keyboard"}})
    assert plug.identify() == ["c", "c-keyboard"]


def test_without_a_hand_the_watch_ends() -> None:
    plug = Plug({0: {"a"}})
    assert plug.identify() == []
    assert 60 <= plug.at < 61


def test_a_plug_that_stays_out_is_not_named() -> None:
    plug = Plug({0: {"a", "b"}, 3: {"a"}})
    assert plug.identify() == []


def test_the_dialogue_says_what_to_do(
    dev: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scanner = Found(kind="keyboard", port="/dev/input/by-id/x")
    monkeypatch.setattr(ports, "identify", lambda _look: [scanner])
    assert tell_identified(as_json=False, dev=dev) == 0
    text = capsys.readouterr().out
    assert text.startswith("Unplug the device and plug it in again")
    assert 'port = "/dev/input/by-id/x"' in text
    monkeypatch.setattr(ports, "identify", lambda _look: [])
    assert tell_identified(as_json=False, dev=dev) == 1
    assert "Try another cable" in capsys.readouterr().out
    assert tell_identified(as_json=True, dev=dev) == 1
    assert json.loads(capsys.readouterr().out) == {"ports": []}
