# SPDX-License-Identifier: Apache-2.0
"""The nightly self-test finds what no longer does what it is for, before day comes.

The law of the module: nothing is moved. Inputs and outputs are read anew, as after a
stall, and compared with what the rules want; a reader is good if it answers and
nobody has tampered with it. A port whose door is being opened is left alone until the
door is at rest; in a fire release nothing is asked at all.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edge.bindings.bindings import MAX_DETAIL
from edge.cli.supervision import DeviceState, SelfTested
from edge.core.doors.door import RELEASED_PHASES, DoorMode, DoorPhase
from edge.core.event import EventKind
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.bindings.bindings import Bindings
    from edge.cli.supervision import Supervision
    from edge.core.controller import Controller
    from edge.core.moment import Moment

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
#: 03:30: nobody is there, and the night before a working day is long enough to mend.
NIGHT_MS = 3 * HOUR_MS + HOUR_MS // 2
#: A clock that is no surer than this cannot say when it is half past three.
KNOWN_WITHIN_MS = HOUR_MS
LOOK_EVERY_S = 30.0
#: Longer than any driver takes to call a device silent that answers no more (OSDP).
ANSWER_WITHIN_S = 10.0
#: A busy door may keep its port from being read anew; such a night tells nothing.
AT_REST_WITHIN_S = 60.0
#: Relays are read back once a second: what is wrong must stay so for three looks.
LOOKS = 3
LOOK_AGAIN_S = 2.0


def is_due(now: Moment, last_s: float, utc_offset_ms: int) -> bool:
    """Say whether half past three at night has passed since ``last_s`` (monotonic).

    Where the clock cannot tell, a day has to have passed. A self-test less than an
    hour before the hour counts as that night's, so that a moving bound of the clock
    does not make two of one.
    """
    elapsed_ms = int((now.monotonic_s - last_s) * 1000)
    if now.latest_ms - now.earliest_ms > KNOWN_WITHIN_MS:
        return elapsed_ms >= DAY_MS
    local_ms = now.earliest_ms + utc_offset_ms - NIGHT_MS
    return local_ms // DAY_MS > (local_ms - elapsed_ms + HOUR_MS) // DAY_MS


class SelfTest:
    """Asks all devices once a night, and when somebody orders it."""

    def __init__(
        self,
        bindings: Bindings,
        supervision: Supervision,
        controller: Controller,
        *,
        flush: Callable[[str], None],
        note: Callable[[Noted], None],
        now: Callable[[], Moment],
        utc_offset_ms: int,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._bindings = bindings
        self._supervision = supervision
        self._controller = controller
        self._flush = flush
        self._note = note
        self._now = now
        self._utc_offset_ms = utc_offset_ms
        self._answer_within_s = answer_within_s
        self._last_s = now().monotonic_s
        self._ordered = asyncio.Event()

    @property
    def is_running(self) -> bool:
        """Whether devices are being asked, or soon will be."""
        return self._ordered.is_set()

    def order(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Begin now (control verb ``self-test``); its results stand in the status."""
        if self._controller.emergency.is_fire:
            raise ValueError("nothing is tested during a fire release; end it first")
        if self.is_running:
            raise ValueError("a self-test runs already; look at the status in a minute")
        self._ordered.set()
        return {"devices": len(self._bindings.devices)}

    async def run(self) -> None:
        """Test whenever it is due or ordered; runs until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._ordered.wait()
            is_ordered, now = self.is_running, self._now()
            if is_ordered or is_due(now, self._last_s, self._utc_offset_ms):
                self._ordered.set()  # an order meanwhile would be a second one
                self._last_s = now.monotonic_s
                if not self._controller.emergency.is_fire:
                    await self._test_all("by_hand" if is_ordered else "nightly")
                self._ordered.clear()

    async def _test_all(self, asked: str) -> None:
        places = self._bindings.wiring.places
        ports = sorted({port for port, _ in places.values()})
        are_read = await asyncio.gather(*(self._read_anew(port) for port in ports))
        idle = {port for port, is_read in zip(ports, are_read, strict=True) if is_read}
        await asyncio.sleep(self._answer_within_s)
        tested = sorted(device for device, place in places.items() if place[0] in idle)
        wrong = await self._lasting(dict.fromkeys(tested, ""))
        for device in tested:
            self._tell(device, wrong.get(device, ""), asked)

    async def _read_anew(self, port: str) -> bool:
        """Have a port's levels read again; False if its doors were never at rest."""
        until_s = self._now().monotonic_s + AT_REST_WITHIN_S
        while not self._is_at_rest(port):
            if self._now().monotonic_s >= until_s:
                return False
            await asyncio.sleep(1.0)
        for device, place in self._bindings.wiring.places.items():
            if place[0] == port:
                self._supervision.forget_told(device)
        self._flush(port)
        return True

    def _is_at_rest(self, port: str) -> bool:
        wiring, doors = self._bindings.wiring, self._controller.doors.standing()
        return not any(
            wiring.places[device][0] == port and doors[door].phase in RELEASED_PHASES
            for door, (device, _) in wiring.strikes.items()
        )

    async def _lasting(self, wrong: dict[str, str]) -> dict[str, str]:
        """Return what is wrong at every look."""
        for look in range(LOOKS):
            if look:
                await asyncio.sleep(LOOK_AGAIN_S)
            found = {device: next(self._wrong(device), "") for device in wrong}
            wrong = {device: why for device, why in found.items() if why}
            if not wrong:
                break
        return wrong

    def _wrong(self, device: str) -> Iterator[str]:
        """Yield what speaks against a device, the gravest first."""
        standing = self._supervision.of(device)
        if standing.state is not DeviceState.ONLINE:
            yield standing.fault.why if standing.fault else "it has not answered yet"
        wiring = self._bindings.wiring
        wires = (*wiring.inputs, *wiring.locks.values())
        wanted = {channel for board, channel in wires if board == device}
        for channel in sorted(wanted - self._supervision.told(device)):
            yield f"input {channel} was not told when it was asked for"
        read = self._supervision.outputs(device)
        for door, (board, channel) in wiring.strikes.items():
            should = self._should_be_on(door) if board == device else None
            is_on = read.get(channel, False)
            if should is not None and is_on is not should:
                words = ("on", "off") if is_on else ("off", "on")
                yield f"output {channel} is {words[0]} and should be {words[1]}"

    def _should_be_on(self, door: str) -> bool | None:
        """Return how a strike's output should stand; None where it may be either."""
        standing = self._controller.doors.standing()[door]
        match standing.mode:
            case DoorMode.LOCKED_OPEN:
                return True
            case DoorMode.UNLOCKED:
                return None  # held by pulses that follow each other
            case _:
                return False if standing.phase is DoorPhase.SECURE else None

    def _tell(self, device: str, why: str, asked: str) -> None:
        at_s = self._now().monotonic_s
        self._supervision.tested(device, SelfTested(why=why, at_s=at_s))
        facts: tuple[tuple[str, int | str], ...] = (
            ("asked", asked),
            ("passed", int(not why)),
        )
        if why:
            facts += (("why", why[:MAX_DETAIL]),)
        self._note(Noted(kind=EventKind.SELF_TEST, subject=device, facts=facts))
