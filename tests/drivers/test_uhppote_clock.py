# SPDX-License-Identifier: Apache-2.0
"""A controller's clock is set to the site's local time, once that is known."""

from __future__ import annotations

from datetime import datetime

from drivers.registry import Unit, build
from drivers.uhppote.unit import CLOCK_UNKNOWN_S
from firmware_sim.uhppote.controller import UhppoteController

HOST = ("127.0.0.1", 40_000)
SHOWN = datetime(2026, 11, 22, 18, 30)  # noqa: DTZ001  local, as devices show it


def live(told: list[datetime | None], until_s: float) -> datetime:
    """Let driver and controller talk; return what the controller's clock shows.

    ``told`` is what the roof says at each asking; its last word stays.
    """
    controller = UhppoteController()
    driver = build(
        "uhppote",
        [Unit(address=0)],
        wall_clock=lambda: told.pop(0) if len(told) > 1 else told[0],
    )
    now = 0.0
    driver.opened(now)
    while now < until_s:
        while packet := driver.take_outgoing():
            controller.receive(packet, HOST, now)
            for reply in controller.take_outgoing(now):
                driver.receive(reply.data, now)
        now += 0.25
        driver.tick(now)
    return controller.board.clock.read(now).replace(second=0, microsecond=0)


def test_the_clock_is_set_to_the_sites_time() -> None:
    assert live([SHOWN], 5.0) == SHOWN


def test_a_time_that_is_not_known_is_not_told() -> None:
    assert live([None], 5.0) == datetime(2026, 1, 5, 8)  # noqa: DTZ001  as it came


def test_a_time_that_becomes_known_is_told_within_a_minute() -> None:
    assert live([None, SHOWN], CLOCK_UNKNOWN_S + 5.0) == SHOWN
