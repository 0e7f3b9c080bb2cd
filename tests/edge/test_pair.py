# SPDX-License-Identifier: Apache-2.0
"""Pairing at the bench: the key works, is shown once, and never by mistake."""

from __future__ import annotations

import asyncio
import tomllib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from drivers.device import Cue, Reachable, Show, Unreachable
from drivers.errors import LocalError
from drivers.links.serial_port import SerialPort
from drivers.osdp.secure_channel import DEFAULT_KEY
from edge.cli.device_stage import Stage, with_device
from edge.cli.pair import (
    BEFORE_THE_KEY,
    MAYBE,
    MOST_DRAWS,
    WARNING,
    Attempt,
    fresh_key,
    tell_pair,
)
from edge.cli.pair import _tell as tell
from edge.settings.site import Device
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from drivers.links.link import Link

KEY = bytes.fromhex("9B1F02C7D45E8A6630F17A2C5D88E413")


@asynccontextmanager
async def bench(folder: Path, *addresses: int, **knobs: Any) -> AsyncIterator[Path]:
    """Let readers in install mode live on one line; yields its port."""
    readers = {f"r{a}": {"address": a, "base_key": None} | knobs for a in addresses}
    site = Site.from_mapping(
        {"ports": {"osdp": {"kind": "osdp_bus", "readers": readers}}}
    )
    async with PtyHost(World(site), folder):
        yield folder / "osdp"


class Installer:
    """Who stands at the bench: what was said, and what was shown to be pasted."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[str] = []

    async def pair(self, port: Path, **wishes: Any) -> int:
        return await asyncio.to_thread(
            tell_pair,
            str(port),
            **({"address": 5, "window_s": 20.0} | wishes),
            say=self.said.append,
            show=self.shown.append,
        )

    def tell(self, attempt: Attempt) -> int:
        return tell(attempt, self.said.append, self.shown.append)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


async def test_the_lines_that_are_shown_open_the_reader(tmp_path: Path) -> None:
    installer = Installer()
    async with bench(tmp_path, 5) as port:
        assert await installer.pair(port) == 0
        [pasted] = installer.shown
        [table] = tomllib.loads(pasted)["device"]
        assert table["options"]["cuid"] == "BEBA0100AFBEADDE"
        assert table["options"]["scbk"] not in installer.text
        assert installer.said[-1] == WARNING

        async def wait(stage: Stage, link: Link) -> int:
            def answers() -> bool:
                return any(isinstance(one, Reachable) for one in stage.signals)

            assert await stage.until(answers, 5.0)
            link.order(Show(unit=5, cue=Cue.GRANTED))
            return 0

        told: list[str] = []
        assert await with_device(Device(**table), tmp_path, told.append, wait) == 0
        await asyncio.sleep(0.1)  # its last answer is late for a port just closed
        # Its install mode is over: nobody takes it over with the default key.
        assert await installer.pair(port) == 1
        assert len(installer.shown) == 1
    assert "Not paired: install mode: " in installer.text


async def test_a_second_reader_on_the_line_costs_no_key(tmp_path: Path) -> None:
    installer = Installer()
    async with bench(tmp_path, 5, 0) as port:
        assert await installer.pair(port) == 1
    why = "another reader is on the line, address 0"
    assert f"Not paired: {why}." in installer.said
    assert installer.shown == []


async def test_a_port_that_somebody_holds_is_told_in_words(tmp_path: Path) -> None:
    installer = Installer()
    async with bench(tmp_path, 5) as port:
        held = await SerialPort(str(port), 9600).open()
        try:
            assert await installer.pair(port) == 2
        finally:
            held.close()
    assert "has it open" in installer.said[-2]
    assert installer.said[-1] == "If that is the gateway, stop it while you pair."
    assert installer.shown == []


async def test_a_port_that_is_missing_is_told_in_words(tmp_path: Path) -> None:
    installer = Installer()
    assert await installer.pair(tmp_path / "osdp") == 2
    assert "No such file or directory" in installer.said[-1]
    assert installer.shown == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"address": 127}, "address must be 0 to 126"),
        ({"window_s": 5.0}, "window_s must be 10.0 to 60.0"),
        ({"baud": 1234}, "no serial port runs at 1234 baud"),
    ],
)
async def test_what_cannot_be_is_wrong_use(
    tmp_path: Path, wish: dict[str, Any], words: str
) -> None:
    installer = Installer()
    assert await installer.pair(tmp_path / "osdp", **wish) == 2
    assert words in installer.said[-1]
    assert installer.shown == []


def attempt(why: str, *, was_open: bool = True) -> Attempt:
    made = Attempt(port="p", address=5, baud=9600, window_s=30.0, key=KEY)
    if was_open:
        made.take_state(True, "")  # noqa: FBT003
    made.take([Unreachable(unit=5, why=why)])
    return made


@pytest.mark.parametrize("why", BEFORE_THE_KEY)
def test_a_key_that_never_left_is_not_shown(why: str) -> None:
    installer = Installer()
    assert installer.tell(attempt(f"{why}: no answer")) == 1
    assert installer.shown == []


@pytest.mark.parametrize(
    "why",
    [
        "setting the key: no answer",
        "proving the new key: the reader holds another key",
        "the link was lost",
        "the process stood still",
    ],
)
def test_a_key_that_a_reader_may_hold_is_shown_with_what_to_do(why: str) -> None:
    installer = Installer()
    assert installer.tell(attempt(why)) == 1
    [pasted] = installer.shown
    assert KEY.hex().upper() in pasted
    assert "cuid" not in pasted
    assert installer.said == [f"Not paired: {why}.", WARNING, MAYBE]


def test_nothing_but_the_stanza_repeats_the_key() -> None:
    assert KEY.hex() not in repr(attempt("the link was lost")).lower()
    assert repr(KEY) not in repr(attempt("the link was lost"))


def test_weak_keys_are_drawn_again_and_a_broken_source_is_refused() -> None:
    draws = [bytes(16), DEFAULT_KEY, KEY]
    assert fresh_key(lambda _: draws.pop(0)) == KEY
    drawn: list[int] = []

    def zeros(count: int) -> bytes:
        drawn.append(count)
        return bytes(count)

    with pytest.raises(LocalError, match="repeats itself"):
        fresh_key(zeros)
    assert drawn == [16] * MOST_DRAWS
    assert fresh_key() != fresh_key()
