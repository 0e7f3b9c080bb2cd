# SPDX-License-Identifier: Apache-2.0
"""How each device stands: what is wrong, in the words of whoever noticed it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from drivers.device import (
    AddressConflict,
    Garbled,
    InputChanged,
    OpenLock,
    OrderFailed,
    OutputChanged,
    Reachable,
    TamperChanged,
    Unreachable,
)
from drivers.gpio.chips import _in_words
from drivers.links.port_faults import why_not
from edge.bindings.bindings import Bindings
from edge.bindings.tokens import TokenMaker
from edge.bindings.wiring import Wiring
from edge.cli.status import _standing, steady_part
from edge.cli.status_view import lines
from edge.cli.supervision import (
    CONFLICT_LASTS_S,
    GARBLED_BEFORE_S,
    DeviceState,
    SelfTested,
    Standing,
    Supervision,
    Trouble,
    kind_of,
)
from edge.core.moment import Moment
from edge.panel.words import Words
from tests.edge.test_device_lines import GOOD

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.device import Signal

BUS, DESK = "ports/bus", "ports/desk"
NOW_MS = 1_795_330_800_000
ORDER = OpenLock(unit=1, channel=1)


class Site:
    """Two readers on one line and one on another, and a clock."""

    def __init__(self) -> None:
        places = {"front": (BUS, 1), "back": (BUS, 2), "desk": (DESK, 0)}
        wiring = Wiring(places=places, access_points={}, inputs={}, strikes={})
        tokens = TokenMaker(site_id="s", site_key=bytes(32), epoch_salt=bytes(16))
        self.now_s = 1_000.0
        self.bindings = Bindings(wiring, tokens)
        self.heard: list[tuple[Any, ...]] = []
        self.supervision = Supervision(
            self.bindings,
            on_signals=self._signals,
            on_state=lambda *state: self.heard.append(state),
            now=lambda: self.now_s,
        )

    def _signals(self, port: str, signals: list[Signal]) -> None:
        self.heard.append((port, signals))
        for signal in signals:
            self.bindings.translate(port, signal, self.now_s)

    def say(self, *signals: Signal, port: str = BUS) -> None:
        self.supervision.signals(port, list(signals))

    def line(self, port: str, why: str) -> None:
        """Let a port be lost, or open where there is no reason why not."""
        for name, (its_port, unit) in self.bindings.wiring.places.items():
            if why and its_port == port and name in self.bindings.online:
                self.say(Unreachable(unit=unit, why="the link was lost"), port=port)
        self.supervision.line(port, not why, why)

    def of(self, device: str) -> Standing:
        return self.supervision.of(device)

    def shown(self, device: str) -> str:
        """Return what ``menshen status`` says of a device."""
        now = Moment(
            monotonic_s=self.now_s, earliest_ms=NOW_MS, latest_ms=NOW_MS, boot="b"
        )
        table = {"online": device in self.bindings.online}
        table |= _standing(self.of(device), now)
        status = GOOD | {"devices": {device: table}}
        status["clock"] = {"known": True, "earliest_ms": NOW_MS}
        told = list(lines(status))
        begin = next(i for i, line in enumerate(told) if line.startswith("device"))
        end = next(i for i, line in enumerate(told) if line.startswith("events"))
        return "\n".join(line[13:] for line in told[begin:end])


def test_a_device_of_which_nothing_was_heard_is_offline_without_a_reason() -> None:
    site = Site()
    assert site.of("desk") == Standing(
        state=DeviceState.OFFLINE,
        since_s=None,
        fault=None,
        last=None,
        detail="",
        tested=None,
    )
    assert site.shown("desk") == "desk: DOES NOT ANSWER"


def test_a_device_answers_since_when_and_with_what_detail() -> None:
    site = Site()
    site.say(Reachable(unit=1, detail="module 7"))
    site.now_s += 185
    assert site.of("front").state is DeviceState.ONLINE
    assert site.of("front").since_s == 1_000.0
    assert site.shown("front") == "front: answers for 3 min (module 7)"


def test_a_silent_device_is_told_and_later_remembered() -> None:
    site = Site()
    site.say(Reachable(unit=1, detail=""))
    site.say(Unreachable(unit=1, why="no answer"))
    fault = site.of("front").fault
    assert fault is not None
    assert (fault.kind, fault.why) == (Trouble.SILENT, "no answer")
    assert site.shown("front") == "front: DOES NOT ANSWER for 0 s\nno answer"
    assert site.of("back").fault is None
    site.now_s += 7_200
    site.say(Reachable(unit=1, detail=""))
    assert site.of("front").fault is None
    assert site.of("front").last == fault
    assert site.shown("front") == (
        "front: answers for 0 s\nlast fault 2 h ago: no answer"
    )


def test_what_the_port_says_outweighs_what_its_driver_says() -> None:
    site = Site()
    site.say(Reachable(unit=1, detail=""), Reachable(unit=2, detail=""))
    site.say(Reachable(unit=0, detail=""), port=DESK)
    why = "/dev/x: No such file or directory: plug it in; plugged in are a, b"
    site.line(BUS, why)
    site.say(Unreachable(unit=2, why="no answer"))
    for device in ("front", "back"):
        fault = site.of(device).fault
        assert fault is not None
        assert (fault.kind, fault.why) == (Trouble.PORT_MISSING, why)
    assert site.of("desk").state is DeviceState.ONLINE
    assert site.shown("back").endswith(f"\n{why}")


def test_an_open_port_is_no_excuse_any_more() -> None:
    site = Site()
    site.line(BUS, "/dev/x: permission denied: user u is not in group dialout")
    site.line(BUS, "")
    fault = site.of("front").fault
    assert fault is not None
    assert (fault.kind, fault.why) == (
        Trouble.SILENT,
        "its port is open, it has not answered yet",
    )
    site.say(Unreachable(unit=1, why="no answer"))
    fault = site.of("front").fault
    assert fault is not None
    assert fault.why == "no answer"
    assert site.of("desk").fault is None


def test_an_opened_port_alone_is_no_trouble() -> None:
    site = Site()
    site.line(BUS, "")
    assert site.of("front").fault is None
    assert site.heard == [(BUS, True, "")]


def test_garbage_before_a_silence_is_its_reason_but_not_for_long() -> None:
    site = Site()
    garbled = Garbled(unit=1, raw=b"\xff", why="checksum")
    site.say(garbled, Unreachable(unit=1, why="no answer"))
    fault = site.of("front").fault
    assert fault is not None
    assert fault.kind is Trouble.GARBLED
    assert fault.why == "what it says makes no sense: checksum"
    site.say(Reachable(unit=1, detail=""), garbled)
    last = site.of("front").last
    assert last is not None
    assert (last.kind, last.why) == (Trouble.GARBLED, "checksum")
    site.say(Reachable(unit=1, detail=""), Unreachable(unit=1, why="no answer"))
    fault = site.of("front").fault
    assert fault is not None
    assert fault.kind is Trouble.SILENT
    site.say(Reachable(unit=1, detail=""), garbled)
    site.now_s += GARBLED_BEFORE_S + 1
    site.say(Unreachable(unit=1, why="no answer"))
    fault = site.of("front").fault
    assert fault is not None
    assert fault.kind is Trouble.SILENT


def test_tampering_stays_until_the_device_says_that_it_is_over() -> None:
    site = Site()
    site.say(Reachable(unit=1, detail=""))
    site.now_s = 1_060.0
    site.say(TamperChanged(unit=1, is_tampered=True, why="the lid is open"))
    site.now_s = 1_180.0
    site.say(TamperChanged(unit=1, is_tampered=True, why="another reader answers"))
    site.say(Unreachable(unit=1, why="no answer"))
    standing = site.of("front")
    assert (standing.state, standing.since_s) == (DeviceState.TAMPERED, 1_060.0)
    assert site.shown("front") == (
        "front: TAMPERED WITH for 2 min, DOES NOT ANSWER\nanother reader answers"
    )
    site.say(Reachable(unit=1, detail=""))
    site.say(TamperChanged(unit=1, is_tampered=False, why=""))
    assert site.of("front").state is DeviceState.ONLINE


def test_a_conflict_that_is_not_told_again_is_over() -> None:
    site = Site()
    site.say(Reachable(unit=2, detail=""))
    site.say(AddressConflict(unit=2, why="two different answers"))
    assert site.of("back").state is DeviceState.CONFLICT
    assert site.shown("back") == (
        "back: TWO DEVICES HAVE ITS ADDRESS for 0 s, answers\ntwo different answers"
    )
    site.now_s += CONFLICT_LASTS_S
    assert site.of("back").state is DeviceState.CONFLICT
    site.now_s += 1
    assert site.of("back").state is DeviceState.ONLINE
    last = site.of("back").last
    assert last is not None
    assert last.kind is Trouble.CONFLICT


def test_an_order_that_failed_is_remembered_of_a_device_that_answers() -> None:
    site = Site()
    failed = OrderFailed(unit=1, order=ORDER, why="the lock did not move")
    site.say(failed)
    assert site.of("front").last is None
    site.say(Reachable(unit=1, detail=""), failed)
    assert site.of("front").state is DeviceState.ONLINE
    last = site.of("front").last
    assert last is not None
    assert last.kind is Trouble.ORDER_FAILED


def test_levels_are_listened_to() -> None:
    site = Site()
    site.say(InputChanged(unit=1, channel=3, is_active=True))
    site.say(OutputChanged(unit=1, channel=2, is_on=True))
    site.say(InputChanged(unit=9, channel=1, is_active=True))
    assert site.supervision.told("front") == {3}
    assert site.supervision.outputs("front") == {2: True}
    site.supervision.forget_told("front")
    assert site.supervision.told("front") == frozenset()


def test_a_self_test_stands_on_the_list() -> None:
    site = Site()
    site.say(Reachable(unit=1, detail=""))
    site.supervision.tested("front", SelfTested(why="", at_s=site.now_s))
    site.now_s += 300
    assert "self-test passed 5 min ago" in site.shown("front")
    why = "output 1 is on and should be off"
    site.supervision.tested("front", SelfTested(why=why, at_s=site.now_s))
    assert f"self-test FAILED 0 s ago: {why}" in site.shown("front")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, Trouble.PORT_MISSING),
        (errno.EACCES, Trouble.PORT_DENIED),
        (errno.EPERM, Trouble.PORT_DENIED),
        (errno.EAGAIN, Trouble.PORT_HELD),
        (errno.EBUSY, Trouble.PORT_HELD),
        (errno.EIO, Trouble.PORT_MISSING),
        (errno.ENODEV, Trouble.PORT_MISSING),
        (errno.ENOTTY, Trouble.PORT_LOST),
        (errno.EINVAL, Trouble.PORT_LOST),
    ],
    ids=str,
)
def test_the_words_of_a_port_are_understood(
    number: int, kind: Trouble, tmp_path: Path
) -> None:
    port = tmp_path / "port"
    if number != errno.ENOENT:
        port.write_text("")
    assert kind_of(why_not(str(port), number, os.strerror(number), tmp_path)) is kind


def test_a_port_held_by_this_very_test_is_understood(tmp_path: Path) -> None:
    port = tmp_path / "port"
    with port.open("w"):
        why = why_not(str(port), errno.EAGAIN, "", tmp_path)
    assert kind_of(why) is Trouble.PORT_HELD


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.EBUSY, Trouble.PORT_HELD), (errno.EACCES, Trouble.PORT_DENIED)],
)
def test_the_words_of_pins_are_understood(number: int, kind: Trouble) -> None:
    assert kind_of(str(_in_words("gpiochip0", OSError(number, "")))) is kind


@pytest.mark.parametrize(
    ("why", "kind"),
    [
        ("no contactless reader is plugged in", Trouble.PORT_MISSING),
        ("another program has the reader for itself", Trouble.PORT_HELD),
        ("udp: port 6 is taken by another program; end it", Trouble.PORT_HELD),
        ("read failed: Input/output error", Trouble.PORT_LOST),
        ("pcscd does not run", Trouble.NOT_SET_UP),
        (
            "the package gpiod is missing; install menshen with the extra gpio",
            Trouble.NOT_SET_UP,
        ),
    ],
)
def test_the_words_of_other_links_are_understood(why: str, kind: Trouble) -> None:
    assert kind_of(why) is kind


def test_the_panel_has_words_for_every_reason_of_a_silence() -> None:
    words = Words()
    never_a_silence = {Trouble.ORDER_FAILED, Trouble.CONFLICT, Trouble.TAMPERED}
    for trouble in set(Trouble) - never_a_silence:
        assert f"why.{trouble}" in words
    for state in (DeviceState.CONFLICT, DeviceState.TAMPERED):
        assert f"trouble.{state.lower()}" in words


def test_watchers_hear_of_a_new_reason_but_not_of_passing_time() -> None:
    site = Site()
    site.line(BUS, "read failed: Input/output error")

    def steady() -> dict[str, Any]:
        now = Moment(
            monotonic_s=site.now_s, earliest_ms=NOW_MS, latest_ms=NOW_MS, boot="b"
        )
        device = {"online": False} | _standing(site.of("front"), now)
        platform, clock = {"last_ack_age_s": 1.0}, {"known": True}
        shown = {"devices": {"front": device}, "roster": {"age_s": 1}, "parts": {}}
        return steady_part(shown | {"platform": platform, "clock": clock})

    before = steady()
    site.now_s += 60
    assert steady() == before
    site.line(BUS, "/dev/x: No such file or directory: plug it in")
    assert steady() != before
