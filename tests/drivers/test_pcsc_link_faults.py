# SPDX-License-Identifier: Apache-2.0
"""The PC/SC link when things break: services, stalls, drivers, other programs."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from drivers.device import (
    Unreachable,
)
from drivers.pcsc import link as pcsc_link
from drivers.pcsc import watch as pcsc_watch
from drivers.pcsc.apdu import GET_NUMBER
from drivers.pcsc.reader import PcscOptions, PcscReader
from tests.drivers.fake_pcsc import FakeService
from tests.drivers.link_site import until
from tests.drivers.pcsc_site import CLASSIC, OK, SEVEN, PcscSite

if TYPE_CHECKING:
    from drivers.device import Signal

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


async def test_another_program_that_holds_the_reader_is_named(
    service: FakeService,
) -> None:
    site = PcscSite("pcsc:", service)
    async with site.running():
        await until(lambda: site.link.is_open)
        service.hold(PLAIN, is_held=True)
        await until(lambda: not site.link.is_open)
        await until(lambda: "sharing violation" in site.states[-1][1])
        service.hold(PLAIN, is_held=False)
        await until(lambda: site.link.is_open)
        service.lay(PLAIN, CLASSIC)
        await until(site.numbers)


async def test_a_service_that_dies_heals(service: FakeService) -> None:
    site = PcscSite("pcsc:", service)
    service.run_daemon(is_running=False)
    async with site.running():
        await until(lambda: site.states == [(False, "pcscd does not run")])
        for _ in range(3):
            service.run_daemon(is_running=True)
            await until(lambda: site.link.is_open)
            service.run_daemon(is_running=False)
            await until(lambda: not site.link.is_open)
        assert (False, "pcscd was restarted") in site.states
        service.run_daemon(is_running=True)
        await until(lambda: site.link.is_open)
        service.lay(PLAIN, CLASSIC)
        await until(site.numbers)


async def test_a_card_forgotten_on_the_reader_is_no_news_after_a_restart(
    service: FakeService,
) -> None:
    site = PcscSite("pcsc:", service)
    service.lay(PLAIN, CLASSIC)
    async with site.running():
        await until(site.numbers)
        service.run_daemon(is_running=False)
        await until(lambda: not site.link.is_open)
        service.run_daemon(is_running=True)
        await until(lambda: len(service.sent) == 2)
        await asyncio.sleep(0.1)
        assert site.numbers() == [SEVEN]


async def test_the_waits_between_two_beginnings_grow(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcsc_watch, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(pcsc_watch, "LAST_RETRY_S", 0.2)
    service.run_daemon(is_running=False)
    began: list[float] = []

    def refuse() -> None:
        began.append(time.monotonic())
        raise RuntimeError("opened")

    monkeypatch.setattr(service, "open", refuse)
    site = PcscSite("pcsc:", service)
    async with site.running():
        await until(lambda: len(began) == 5)
    waits = [after - before for before, after in pairwise(began)]
    for wait_s, planned_s in zip(waits, (0.05, 0.1, 0.2, 0.2), strict=True):
        assert planned_s <= wait_s < planned_s + 0.15
    [(is_open, why)] = site.states
    assert not is_open
    assert why.startswith("link fault: RuntimeError at test_pcsc_link_faults.py:")


async def test_what_was_asked_before_a_flush_is_answered_to_nobody(
    service: FakeService,
) -> None:
    service.answers[GET_NUMBER] = FOUR + OK
    service.transmitting.clear()
    site = PcscSite("pcsc:", service)
    site.link.flush_input()
    async with site.running():
        service.lay(PLAIN, CLASSIC)
        await until(lambda: service.sent)
        site.link.flush_input()
        service.answers[GET_NUMBER] = SEVEN + OK
        service.transmitting.set()
        await until(site.numbers)
        assert site.numbers() == [SEVEN]
        assert service.sent == 2 * [("card", GET_NUMBER)]


async def test_an_answer_that_lay_about_during_a_stall_is_none(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcsc_link, "STALE_S", 0.2)
    service.transmitting.clear()
    site = PcscSite("pcsc:", service)
    async with site.running():
        service.lay(PLAIN, CLASSIC)
        await until(lambda: service.sent)
        service.transmitting.set()
        time.sleep(0.4)  # noqa: ASYNC251 - the loop stands still, the thread does not
        await asyncio.sleep(0)
        assert not site.numbers()
        await until(site.numbers)
        assert service.sent == 2 * [("card", GET_NUMBER)]


async def test_requests_that_nobody_takes_are_bounded(service: FakeService) -> None:
    service.transmitting.clear()
    site = PcscSite("pcsc:", service)
    async with site.running():
        service.lay(PLAIN, CLASSIC)
        await until(lambda: service.sent)
        for _ in range(2 * pcsc_watch.MAX_REQUESTS):
            site.link.flush_input()
        assert site.states[-1] == (False, "pcscd takes no more requests")
        service.transmitting.set()
        await until(lambda: site.link.is_open)


async def test_a_service_that_hangs_costs_its_reader_and_heals(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcsc_link, "LIFE_CHECK_S", 0.2)
    site = PcscSite("pcsc:", service)
    async with site.running():
        await until(lambda: site.link.is_open)
        service.answering.clear()
        service.take(PLAIN)
        await until(lambda: (False, "pcscd does not answer") in site.states)
        assert Unreachable(unit=0, why="the link was lost") in site.signals
        service.answering.set()
        await until(lambda: site.link.is_open)
        service.lay(PLAIN, CLASSIC)
        await until(site.numbers)


async def test_a_stop_does_not_wait_for_a_service_that_hangs(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcsc_link, "STOP_WITHIN_S", 0.2)
    site = PcscSite("pcsc:", service)
    task = asyncio.create_task(site.link.run())
    await until(lambda: site.link.is_open)
    service.answering.clear()
    began_at = time.monotonic()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert time.monotonic() - began_at < 0.5
    service.answering.set()
    async with site.running():
        await until(lambda: site.link.is_open)


class Faulty(PcscReader):
    """A driver with a fault of its own."""

    def __init__(self) -> None:
        super().__init__(options=PcscOptions())
        self.is_faulty = True

    def receive(self, data: bytes, now: float) -> list[Signal]:
        if self.is_faulty:
            self.is_faulty = False
            raise ValueError("04A1B2C3D4E5F6")
        return super().receive(data, now)


async def test_a_fault_of_a_driver_costs_its_port_and_shows_no_number(
    service: FakeService,
) -> None:
    site = PcscSite("pcsc:", service, Faulty())
    service.lay(PLAIN, CLASSIC)
    async with site.running():
        await until(lambda: len(site.states) >= 2)
        _, why = site.states[1]
        assert why.startswith("driver fault: ValueError at test_pcsc_link_faults.py:")
        assert "04A1" not in why
        await until(lambda: site.link.is_open)
        service.flash(PLAIN, CLASSIC)
        await until(site.numbers)


@pytest.mark.parametrize("seed", range(3))
async def test_chance_in_the_world_breaks_nothing(
    service: FakeService, seed: int
) -> None:
    chance = random.Random(seed)
    site = PcscSite("pcsc:Virtual", service)
    async with site.running():
        for _ in range(150):
            match chance.randrange(7):
                case 0 if service.plugged:
                    service.unplug(PLAIN)
                case 0 | 1 if not service.plugged:
                    service.plug(PLAIN)
                case 2:
                    service.run_daemon(is_running=chance.random() < 0.5)
                case 3:
                    site.link.flush_input()
                case 4 if service.plugged:
                    service.hold(PLAIN, is_held=chance.random() < 0.3)
                case 5 if service.plugged:
                    service.take(PLAIN)
                case _ if service.plugged:
                    service.lay(PLAIN, CLASSIC)
            await asyncio.sleep(chance.choice((0.0, 0.001, 0.03)))
        service.run_daemon(is_running=True)
        service.plugged.clear()
        service.plug(PLAIN)
        service.answers[GET_NUMBER] = FOUR + OK
        await until(lambda: site.link.is_open, within_s=15.0)
        service.lay(PLAIN, CLASSIC)
        await until(lambda: FOUR in site.numbers())
