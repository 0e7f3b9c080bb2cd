# SPDX-License-Identifier: Apache-2.0
"""The OSDP driver against a reader that libosdp plays, over a pseudo-terminal."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

from drivers.device import (
    Cue,
    Garbled,
    PinEntered,
    Reachable,
    Show,
    TagRead,
    TamperChanged,
    Technology,
    Unreachable,
)
from drivers.osdp.bus import OsdpReaders
from drivers.osdp.options import OsdpReaderOptions
from tests.drivers.link_site import Site, until
from tests.drivers.osdp_peer.environment import osdp_environment, peers
from tests.drivers.pty_port import PtyPort

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.drivers.osdp_peer.environment import Peer

    StartPeer = Callable[..., Peer]

__all__ = ["osdp_environment", "peers"]

UNIT = 5
KEY = bytes.fromhex("9B1F02C7D45E8A6630F17A2C5D88E413")
OTHER_KEY = bytes.fromhex("40D1B7E2096F3C85AA1471EE5B62F908")
#: 24 bits 123456 with even parity in front and odd parity behind.
CARD = "card 26 091A2B00"
#: The same of 123455; shown while the panel does not ask yet.
OLD_CARD = "card 26 091A2A80"
#: A reader that comes back must serve the next person at the door.
USABLE_AGAIN_S = 1.5
RED, GREEN = 1, 2

T = TypeVar("T")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    port = PtyPort(tmp_path / "osdp")
    port.plug()
    yield port
    port.unplug()


async def started(start: StartPeer, port: PtyPort, *, key: bytes | None = KEY) -> Peer:
    """Start libosdp's reader without holding up the driver's loop."""
    return await asyncio.to_thread(start, port._master, address=UNIT, key=key)


@asynccontextmanager
async def driven(port: PtyPort) -> AsyncIterator[Site]:
    options = OsdpReaderOptions(scbk=KEY.hex())
    device = OsdpReaders(readers={UNIT: options}, random_bytes=os.urandom)
    site = Site(port, device)
    async with site.running():
        yield site


def told(site: Site, kind: type[T]) -> list[T]:
    return [signal for signal in site.signals if isinstance(signal, kind)]


async def test_a_card_comes_through_the_secure_channel(
    peers: StartPeer, port: PtyPort
) -> None:
    peer = await started(peers, port)
    async with driven(port) as site:
        await until(lambda: peer.all("SECURE"))
        await until(lambda: told(site, Reachable))
        peer.say(CARD)
        await until(lambda: told(site, TagRead))
    tag = TagRead(
        unit=UNIT,
        technology=Technology.WIEGAND,
        bits=26,
        number=bytes.fromhex("091A2B00"),
    )
    assert told(site, TagRead) == [tag]


async def test_digits_come_as_one_secret(peers: StartPeer, port: PtyPort) -> None:
    peer = await started(peers, port)
    async with driven(port) as site:
        await until(lambda: told(site, Reachable))
        peer.say("keys 1234#")
        await until(lambda: told(site, PinEntered))
    (pin,) = told(site, PinEntered)
    assert bytes(pin.secret.take()) == b"1234"


@pytest.mark.parametrize(("cue", "colour"), [(Cue.GRANTED, GREEN), (Cue.DENIED, RED)])
async def test_a_cue_is_a_lamp_of_its_colour_and_a_sound(
    peers: StartPeer, port: PtyPort, cue: Cue, colour: int
) -> None:
    peer = await started(peers, port)
    async with driven(port) as site:
        await until(lambda: told(site, Reachable))
        site.link.order(Show(unit=UNIT, cue=cue))
        await until(lambda: peer.all("LED") and peer.all("BUZ"))
    (lamp,) = peer.all("LED")
    assert (lamp["temporary"], lamp["on_color"]) == (True, colour)


async def test_the_tamper_switch_is_told(peers: StartPeer, port: PtyPort) -> None:
    peer = await started(peers, port)
    async with driven(port) as site:
        await until(lambda: told(site, Reachable))
        peer.say("tamper 1")
        await until(lambda: any(one.is_tampered for one in told(site, TamperChanged)))


@pytest.mark.parametrize("key", [OTHER_KEY, None], ids=["other", "default"])
async def test_a_reader_with_another_key_is_not_heard(
    peers: StartPeer, port: PtyPort, key: bytes | None
) -> None:
    peer = await started(peers, port, key=key)
    async with driven(port) as site:
        await asyncio.sleep(1.0)
        peer.say(CARD)
        await asyncio.sleep(1.0)
    assert peer.all("TAKEN"), "the peer itself was willing"
    assert not peer.all("SECURE")
    assert not told(site, Reachable)
    assert not told(site, TagRead)


@pytest.mark.alone
async def test_a_reader_that_died_is_usable_soon_after_its_return(
    peers: StartPeer, port: PtyPort
) -> None:
    peer = await started(peers, port)
    async with driven(port) as site:
        await until(lambda: told(site, Reachable))
        await asyncio.to_thread(peer.kill)
        await until(lambda: told(site, Unreachable), within_s=15.0)
        again = await started(peers, port)
        back_at = time.monotonic()
        again.say(OLD_CARD)
        await until(lambda: len(told(site, Reachable)) == 2, within_s=10.0)
        await until(lambda: told(site, Garbled))
        # A poll that brings nothing comes behind it.
        await asyncio.sleep(0.2)
        again.say(CARD)
        await until(lambda: told(site, TagRead), within_s=10.0)
        took_s = time.monotonic() - back_at
    assert took_s < USABLE_AGAIN_S
    assert [tag.number.hex().upper() for tag in told(site, TagRead)] == [CARD[-8:]]
    assert [one.why for one in told(site, Garbled)] == ["shown while nobody asked"]
