# SPDX-License-Identifier: Apache-2.0
"""The PC/SC link on a service in memory: come and go, heal, never hold the loop."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from drivers.device import (
    CardFound,
    Cue,
    OrderFailed,
    Pulse,
    Reachable,
    Show,
    TagRead,
    Unreachable,
    UnreadableCause,
)
from drivers.errors import LocalError
from drivers.pcsc import watch as pcsc_watch
from drivers.pcsc.apdu import BUZZER_OFF_ON_DETECT, CUES, GET_NUMBER
from drivers.pcsc.service import Code
from tests.drivers.fake_pcsc import FakeService
from tests.drivers.link_site import Recorder, until
from tests.drivers.pcsc_site import CLASSIC, OK, SEVEN, PcscSite

PLAIN = "Virtual PCD 00 00"
ACR122 = "ACS ACR122U PICC Interface 00 00"
FOUR = bytes.fromhex("1234ABCD")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc_watch, "FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(pcsc_watch, "WAIT_MS", 100)


@pytest.fixture
def service() -> FakeService:
    found = FakeService()
    found.plug(PLAIN)
    found.answers[GET_NUMBER] = SEVEN + OK
    return found


async def test_a_card_comes_through_and_is_read_once(service: FakeService) -> None:
    site = PcscSite("pcsc:", service)
    async with site.running():
        await until(lambda: site.link.is_open)
        assert site.states == [(True, "")]
        await until(lambda: site.signals == [Reachable(unit=0, detail=PLAIN)])
        service.lay(PLAIN, CLASSIC)
        await until(site.numbers)
        await asyncio.sleep(1.2)
        assert site.signals[1] == CardFound(unit=0)
        assert site.numbers() == [SEVEN]
        service.take(PLAIN)
        assert service.sent == [("card", GET_NUMBER)]
    assert site.signals[-1] == Unreachable(unit=0, why="the link was lost")


async def test_a_card_that_lies_there_at_the_start_is_read(
    service: FakeService,
) -> None:
    service.lay(PLAIN, CLASSIC)
    site = PcscSite("pcsc:Virtual", service)
    async with site.running():
        await until(site.numbers)


async def test_a_card_changed_between_two_looks_is_another(
    service: FakeService,
) -> None:
    service.lay(PLAIN, CLASSIC)
    site = PcscSite("pcsc:", service)
    async with site.running():
        await until(site.numbers)
        service.answers[GET_NUMBER] = FOUR + OK
        service.flash(PLAIN, CLASSIC)
        await until(lambda: site.numbers() == [SEVEN, FOUR])


async def test_a_tap_too_quick_to_be_seen_is_to_be_repeated(
    service: FakeService,
) -> None:
    site = PcscSite("pcsc:", service)
    async with site.running():
        await until(lambda: site.link.is_open)
        # Beyond the presentation that began with the first, empty look.
        await asyncio.sleep(0.1)
        service.flash(PLAIN, None)
        await until(lambda: site.refusals() == [UnreadableCause.TRY_AGAIN])


async def test_the_identity_card_is_refused(service: FakeService) -> None:
    service.answers[GET_NUMBER] = bytes(4) + OK
    site = PcscSite("pcsc:", service)
    async with site.running():
        service.lay(PLAIN, CLASSIC)
        await until(site.refusals)
        assert site.refusals() == [UnreadableCause.CARD_TYPE_UNKNOWN]
        assert not site.numbers()


@pytest.mark.parametrize(
    "fault", [Code.SHARING_VIOLATION, Code.REMOVED_CARD, Code.RESET_CARD, 0x80100016]
)
async def test_a_transmission_that_fails_three_times_is_told(
    service: FakeService, fault: int
) -> None:
    service.answers[GET_NUMBER] = fault
    site = PcscSite("pcsc:", service)
    async with site.running():
        service.lay(PLAIN, CLASSIC)
        await until(site.refusals)
        assert site.refusals() == [UnreadableCause.TRY_AGAIN]
        assert service.sent == 3 * [("card", GET_NUMBER)]
        assert site.link.is_open


async def test_no_reader_is_told_once_and_found_when_it_comes(
    service: FakeService,
) -> None:
    service.unplug(PLAIN)
    site = PcscSite("pcsc:Virtual", service)
    async with site.running():
        await until(lambda: site.states)
        await asyncio.sleep(0.1)
        assert site.states == [(False, "no reader named 'Virtual' is plugged in")]
        service.plug(ACR122)
        await asyncio.sleep(0.1)
        assert not site.link.is_open
        service.plug(PLAIN)
        await until(lambda: site.link.is_open)
        service.unplug(PLAIN)
        await until(lambda: (False, "the reader was unplugged") in site.states)
        assert Unreachable(unit=0, why="the link was lost") in site.signals
        service.plug(PLAIN)
        await until(lambda: site.link.is_open)


async def test_two_that_fit_are_none_but_the_one_we_have_is_kept(
    service: FakeService,
) -> None:
    other = "Virtual PCD 00 01"
    service.plug(other)
    site = PcscSite("pcsc:Virtual", service)
    async with site.running():
        await until(lambda: site.states)
        why = f"more than one reader named 'Virtual': {PLAIN}, {other}"
        assert site.states == [(False, why)]
        service.unplug(other)
        await until(lambda: site.link.is_open)
        service.plug(other)
        await asyncio.sleep(0.1)
        assert site.link.is_open


async def test_two_readers_have_two_links(service: FakeService) -> None:
    other = FakeService()
    other.plug(PLAIN)
    other.plug("Virtual PCD 00 01")
    other.answers[GET_NUMBER] = FOUR + OK
    first = PcscSite("pcsc:Virtual PCD 00 00", service)
    second = PcscSite("pcsc:Virtual PCD 00 01", other)
    async with first.running(), second.running():
        service.lay(PLAIN, CLASSIC)
        other.lay("Virtual PCD 00 01", CLASSIC)
        await until(lambda: first.numbers() and second.numbers())
        assert first.numbers() == [SEVEN]
        assert second.numbers() == [FOUR]


async def test_cues_go_through_the_card_or_to_the_reader(
    service: FakeService,
) -> None:
    service.unplug(PLAIN)
    service.plug(ACR122)
    site = PcscSite("pcsc:ACS ACR122", service)
    async with site.running():
        await until(lambda: ("reader", BUZZER_OFF_ON_DETECT) in service.sent)
        service.lay(ACR122, CLASSIC)
        await until(site.numbers)
        began_at = time.monotonic()
        site.link.order(Show(unit=0, cue=Cue.GRANTED))
        await until(lambda: service.sent[-1] == ("card", CUES[Cue.GRANTED]))
        assert time.monotonic() - began_at < 0.1
        service.take(ACR122)
        await asyncio.sleep(0.4)
        site.link.order(Show(unit=0, cue=Cue.DENIED))
        await until(lambda: service.sent[-1] == ("reader", CUES[Cue.DENIED]))


async def test_a_reader_that_refuses_its_cue_still_reads(
    service: FakeService,
) -> None:
    service.unplug(PLAIN)
    service.plug(ACR122)
    service.answers[BUZZER_OFF_ON_DETECT] = 0x8010001F
    service.answers[CUES[Cue.GRANTED]] = 0x80100016
    site = PcscSite("pcsc:", service)
    async with site.running():
        await until(lambda: site.link.is_open)
        site.link.order(Show(unit=0, cue=Cue.GRANTED))
        service.lay(ACR122, CLASSIC)
        await until(site.numbers)
        assert site.link.is_open


async def test_orders_need_a_running_link_and_outputs(service: FakeService) -> None:
    site = PcscSite("pcsc:", service)
    pulse = Pulse(unit=0, channel=1, duration_s=1.0)
    with pytest.raises(LocalError, match="does not run"):
        site.link.order(pulse)
    async with site.running():
        await until(lambda: site.link.is_open)
        with pytest.raises(LocalError, match="runs already"):
            await site.link.run()
        site.link.order(pulse)
        await until(lambda: site.signals and isinstance(site.signals[-1], OrderFailed))
    with pytest.raises(LocalError, match="does not run"):
        site.link.order(pulse)


async def test_nothing_is_told_after_the_stop(service: FakeService) -> None:
    site = PcscSite("pcsc:", service)
    async with site.running():
        await until(lambda: site.link.is_open)
        service.lay(PLAIN, CLASSIC)
    told = len(site.signals)
    await asyncio.sleep(0.1)
    assert len(site.signals) == told
    assert not any(isinstance(signal, TagRead) for signal in site.signals[-1:])


def test_a_port_of_another_kind_is_our_own_mistake(service: FakeService) -> None:
    with pytest.raises(LocalError, match="a PC/SC port is 'pcsc:'"):
        PcscSite("ACS ACR122U", service)


def test_a_driver_of_another_port_is_our_own_mistake(service: FakeService) -> None:
    with pytest.raises(LocalError, match="needs the driver pcsc_reader"):
        PcscSite("pcsc:", service, Recorder())


def test_a_missing_pyscard_is_said_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    with pytest.raises(LocalError, match="extra 'pcsc'"):
        PcscSite("pcsc:")
