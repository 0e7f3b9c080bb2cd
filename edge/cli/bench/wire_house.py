# SPDX-License-Identifier: Apache-2.0
"""One gateway process with eight devices on pseudo-terminals, and hands before them.

The law of the module: a wait runs from the moment in which the device's last byte was
handed to the terminal to the read of the unlock frame's last byte. The devices live in
this process and their wire takes no time, so that what is left is the gateway's, and
this process's own scheduling with it.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from edge.cli.bench.process_figures import SiteError
from edge.cli.bench.scan import cpu_ms
from edge.cli.bench.wire_site import READERS, TAG_FORMAT
from edge.cli.children import Child
from edge.control.client import ControlError, ask
from firmware_sim.happening import What
from firmware_sim.relays.relay_board import RelayBoard, RelayBoardSettings
from firmware_sim.relays.relay_bus import RelayBus

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.cli.bench.wire_site import WireSite
    from firmware_sim.happening import Happening
    from firmware_sim.pseudo_terminal import PseudoTerminal
    from firmware_sim.pty_host import PtyHost

READY_WITHIN_S = 30.0
#: A scan without an unlock after this long is lost.
LOST_AFTER_S = 2.0
#: Longer than any driver's look at what was shown last.
BETWEEN_SCANS_S = 0.06
#: A card is found within a quarter of a second, and its going as well.
BETWEEN_CARDS_S = 0.6
CALM_S = 3.0
#: Flash-on of relay 1: function 5, address 0x0200.
_UNLOCK = b"\x05\x02\x00"


class Board:
    """The relay board on its own terminal; it notes when an unlock was read."""

    def __init__(self, terminal: PseudoTerminal) -> None:
        self._terminal = terminal
        self._bus = RelayBus([RelayBoard(RelayBoardSettings(address=1))])
        self._unlocked: asyncio.Future[float] | None = None

    def serve(self) -> None:
        """Answer from now on, in the running loop."""
        asyncio.get_running_loop().add_reader(self._terminal.master, self._readable)

    def close(self) -> None:
        """Answer no more."""
        asyncio.get_running_loop().remove_reader(self._terminal.master)
        self._terminal.close()

    async def unlock_after(self, act: Callable[[], object]) -> float | None:
        """Act; return when an unlock was read, None if none came."""
        self._unlocked = asyncio.get_running_loop().create_future()
        act()
        try:
            return await asyncio.wait_for(self._unlocked, LOST_AFTER_S)
        except TimeoutError:
            return None
        finally:
            self._unlocked = None

    def _readable(self) -> None:
        data = self._terminal.read()
        read_s = time.monotonic()
        self._bus.receive(data, read_s)
        if reply := self._bus.take_outgoing(read_s):
            self._terminal.write(reply)
        waits = self._unlocked is not None and not self._unlocked.done()
        if self._unlocked is not None and waits and _UNLOCK in data:
            self._unlocked.set_result(read_s)


class WireHouse:
    """The gateway, its devices and who comes."""

    def __init__(self, site: WireSite, host: PtyHost, board: Board) -> None:
        self._site = site
        self._host = host
        self._board = board
        #: When readers were done with what was held up, since the last wait began.
        self._said_s: list[float] = []
        folder = site.bench.folder
        words = ["edge.cli.run", "--site", str(site.bench.site), "--state", str(folder)]
        self._gateway = Child(name="gateway", words=words, logs=folder)
        self.lost = 0

    async def start(self) -> None:
        """Start the gateway and wait until it knows its people and its devices."""
        self._host.watch(self._watch)
        self._board.serve()
        await self._gateway.start()
        until_s = time.monotonic() + READY_WITHIN_S
        socket = self._site.bench.folder / "control.sock"
        while time.monotonic() < until_s:
            await asyncio.sleep(0.2)
            try:
                status = await asyncio.to_thread(ask, socket, "status")
            except ControlError:
                continue
            devices = status["devices"].values()
            if status["roster"]["credentials"] and all(d["online"] for d in devices):
                return
        tail = self._gateway.log_tail(5)
        raise SiteError(f"not ready within {READY_WITHIN_S:.0f} s: {tail}")

    async def end(self) -> None:
        """End the gateway; the board falls silent with it."""
        await self._gateway.end()
        self._board.close()

    async def idle_percent(self, for_s: float) -> float:
        """Return the gateway's share of a core while nobody comes."""
        process = self._gateway.process
        if process is None:
            raise SiteError("the gateway does not run")
        await asyncio.sleep(CALM_S)
        begun_s, before_ms = time.monotonic(), cpu_ms(process.pid)
        await asyncio.sleep(for_s)
        spent_s = (cpu_ms(process.pid) - before_ms) / 1000
        return round(100 * spent_s / (time.monotonic() - begun_s), 2)

    async def codes(self, port: str, which: slice) -> list[float]:
        """Hold codes up at a scanner, one after the other; return the waits in ms."""
        hand = self._host.hand
        waits = []
        for code in self._site.codes[which]:
            waits += await self._wait(partial(hand.show_code, port, code))
            await asyncio.sleep(BETWEEN_SCANS_S + 0.2)
        return waits

    async def tags(self, count: int) -> list[float]:
        """Hold cards up at the OSDP readers in turn."""
        hand = self._host.hand
        waits = []
        for index, tag in enumerate(self._site.tags[:count]):
            reader = f"tag-{READERS[index % len(READERS)]}"
            waits += await self._wait(partial(hand.swipe, reader, TAG_FORMAT, tag))
            # Not in step with the polls.
            await asyncio.sleep(BETWEEN_SCANS_S + 0.0037 * (index % 13))
        return waits

    async def cards(self) -> list[float]:
        """Lay identity cards on their reader, one after the other."""
        hand = self._host.hand
        waits = []
        for card in self._site.cards:
            waits += await self._wait(partial(hand.put_card, "card", card))
            self._host.act(partial(hand.take_card, "card"))
            await asyncio.sleep(BETWEEN_CARDS_S)
        return waits

    async def _wait(self, verb: Callable[[float], object]) -> list[float]:
        self._said_s.clear()
        read_s = await self._board.unlock_after(lambda: self._host.act(verb))
        if read_s is None or not self._said_s:
            self.lost += 1
            return []
        return [(read_s - self._said_s[-1]) * 1000]

    def _watch(self, happenings: tuple[Happening, ...]) -> None:
        for happening in happenings:
            if happening.what in (What.CARD_READ, What.CODE_READ):
                self._said_s.append(happening.at)
