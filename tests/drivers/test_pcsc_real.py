# SPDX-License-Identifier: Apache-2.0
"""The PC/SC link against the real pcscd, with virtual readers and cards of ours."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drivers.device import (
    CardFound,
    Reachable,
    TagRead,
    Technology,
    Unreachable,
    UnreadableCause,
)
from drivers.pcsc.service import system_service
from tests.drivers.link_site import until
from tests.drivers.pcsc_site import CLASSIC, OK, SEVEN, PcscSite
from tests.drivers.pcscd_process import SLOTS, PcscdProcess
from tests.drivers.virtual_card import VirtualCard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST, SECOND = SLOTS
TYPE_B = bytes.fromhex("3B8880010000000000418100C9")
FOUR = bytes.fromhex("1234ABCD")

pytestmark = [
    pytest.mark.needs("pcscd", "vsmartcard-vpcd"),
    pytest.mark.filterwarnings("default::DeprecationWarning:smartcard"),
]


@pytest.fixture(scope="module")
def pcscd() -> Iterator[PcscdProcess]:
    if find_spec("smartcard") is None:
        assert os.environ.get("CI") != "true", "pyscard is not installed"
        pytest.skip("needs pyscard, see requirements-pcsc.lock")
    # A short path: a socket's name has 108 bytes at most.
    with tempfile.TemporaryDirectory(prefix="pcscd") as folder:
        process = PcscdProcess(Path(folder))
        process.start()
        try:
            yield process
        finally:
            process.stop()


@contextmanager
def card(
    pcscd: PcscdProcess,
    reader: str = FIRST,
    *,
    atr: bytes = CLASSIC,
    answer: bytes = SEVEN + OK,
    delay_s: float = 0.0,
    vanishes: bool = False,
) -> Iterator[VirtualCard]:
    found = VirtualCard(
        pcscd.connect(reader),
        atr=atr,
        answer=answer,
        delay_s=delay_s,
        vanishes=vanishes,
    )
    try:
        yield found
    finally:
        found.remove()
        wait_until_empty(reader)


def wait_until_empty(reader: str) -> None:
    """Wait until pcscd has seen that a card is gone, or the next would be the same."""
    service = system_service()
    service.open()
    until_s = time.monotonic() + 5.0
    while (state := service.wait(reader, 0, 0)) and state.is_card_present:
        assert time.monotonic() < until_s
        time.sleep(0.01)
    service.close()


async def test_a_card_is_read_once_and_again_when_it_comes_back(
    pcscd: PcscdProcess,
) -> None:
    site = PcscSite(f"pcsc:{FIRST}")
    async with site.running():
        await until(lambda: site.signals == [Reachable(unit=0, detail=FIRST)])
        with card(pcscd) as lying:
            await until(site.numbers)
            await asyncio.sleep(1.5)
            assert lying.heard == [bytes.fromhex("FFCA000000")]
        technology = Technology.ISO14443A
        read = TagRead(unit=0, technology=technology, bits=56, number=SEVEN)
        assert site.signals[1:] == [CardFound(unit=0), read]
        # The removal is seen after up to a second, and ends the presentation later.
        await asyncio.sleep(2.5)
        with card(pcscd):
            await until(lambda: site.numbers() == [SEVEN, SEVEN])
    assert site.signals[-1] == Unreachable(unit=0, why="the link was lost")


async def test_two_readers_are_two_links(pcscd: PcscdProcess) -> None:
    first, second = PcscSite(f"pcsc:{FIRST}"), PcscSite(f"pcsc:{SECOND}")
    both = PcscSite("pcsc:Virtual")
    async with first.running(), second.running(), both.running():
        await until(lambda: first.link.is_open and second.link.is_open)
        with (
            card(pcscd, FIRST),
            card(pcscd, SECOND, atr=TYPE_B, answer=FOUR + OK),
        ):
            await until(lambda: first.numbers() and second.numbers())
        assert first.numbers() == [SEVEN]
        assert second.numbers() == [FOUR]
        found = [signal for signal in second.signals if isinstance(signal, TagRead)]
        assert found[0].technology is Technology.ISO14443B
        why = f"more than one reader named 'Virtual': {FIRST}, {SECOND}"
        assert both.states == [(False, why)]


async def test_the_identity_card_is_refused(pcscd: PcscdProcess) -> None:
    site = PcscSite(f"pcsc:{FIRST}")
    async with site.running():
        with card(pcscd, atr=TYPE_B, answer=bytes(4) + OK):
            await until(site.refusals)
        assert site.refusals() == [UnreadableCause.CARD_TYPE_UNKNOWN]
        assert not site.numbers()


async def test_a_slow_card_does_not_hold_the_loop(pcscd: PcscdProcess) -> None:
    site = PcscSite(f"pcsc:{FIRST}")
    async with site.running():
        await until(lambda: site.link.is_open)
        with card(pcscd, delay_s=2.0) as slow:
            await until(lambda: slow.heard)
            asked_at, longest_s = time.monotonic(), 0.0
            while not site.numbers():
                before = time.monotonic()
                await asyncio.sleep(0.01)
                longest_s = max(longest_s, time.monotonic() - before)
        assert time.monotonic() - asked_at > 1.5
        assert longest_s < 0.5


async def test_a_card_that_vanishes_at_its_question_is_to_be_tried_again(
    pcscd: PcscdProcess,
) -> None:
    site = PcscSite(f"pcsc:{FIRST}")
    async with site.running():
        await until(lambda: site.link.is_open)
        with card(pcscd, vanishes=True):
            await until(site.refusals)
        assert site.refusals() == [UnreadableCause.TRY_AGAIN]
        with card(pcscd):
            await until(site.numbers)


async def test_a_failing_card_is_asked_three_times(pcscd: PcscdProcess) -> None:
    site = PcscSite(f"pcsc:{FIRST}")
    async with site.running():
        await until(lambda: site.link.is_open)
        with card(pcscd, answer=b"\x63\x00") as failing:
            await until(site.refusals)
            assert site.refusals() == [UnreadableCause.TRY_AGAIN]
            assert failing.heard == 3 * [bytes.fromhex("FFCA000000")]


@pytest.mark.parametrize("end", [PcscdProcess.stop, PcscdProcess.kill])
async def test_a_restarted_pcscd_heals(
    pcscd: PcscdProcess, end: Callable[[PcscdProcess], None]
) -> None:
    site = PcscSite(f"pcsc:{FIRST}")
    async with site.running():
        await until(lambda: site.link.is_open)
        end(pcscd)
        try:
            await until(lambda: not site.link.is_open)
            await until(lambda: site.states[-1] == (False, "pcscd does not run"))
        finally:
            pcscd.start()
        await until(lambda: site.link.is_open, within_s=10.0)
        with card(pcscd):
            await until(site.numbers)


async def test_another_program_that_holds_the_reader_is_named(
    pcscd: PcscdProcess,
) -> None:
    scard: Any = import_module("smartcard.scard")
    site = PcscSite(f"pcsc:{FIRST}")
    async with site.running():
        with card(pcscd):
            await until(site.numbers)
            _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
            code, holder, _ = scard.SCardConnect(
                context, FIRST, scard.SCARD_SHARE_EXCLUSIVE, protocols
            )
            assert code == 0
            await until(lambda: "sharing violation" in site.states[-1][1])
            scard.SCardDisconnect(holder, scard.SCARD_LEAVE_CARD)
            scard.SCardReleaseContext(context)
            await until(lambda: site.link.is_open)
            await asyncio.sleep(0.5)
        # The card that lay there all the time was read once.
        assert site.numbers() == [SEVEN]
