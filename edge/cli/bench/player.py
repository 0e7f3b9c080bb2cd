# SPDX-License-Identifier: Apache-2.0
"""The hand of the scan bench: shows codes at a steady rate and watches the relay.

The law of the module: a blocking loop of its own, so that what it measures is not its
own scheduling; the clock runs from before the code's bytes are written to after the
unlock frame's last byte was read. One code at a time: a late unlock delays the next.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.relays.relay_board import RelayBoard, RelayBoardSettings
from firmware_sim.relays.relay_bus import RelayBus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_sim.pseudo_terminal import PseudoTerminal

#: A scan without an unlock after this long is lost.
LOST_AFTER_S = 2.0
#: Flash-on of relay 1: function 5, address 0x0200.
_UNLOCK = b"\x05\x02\x00"


@dataclass(slots=True, kw_only=True)
class Bench:
    """Scanners and a board on pseudo-terminals; ``waits_ms`` is what was measured."""

    scanners: Sequence[PseudoTerminal]
    board: PseudoTerminal
    bus: RelayBus
    lost: int = 0
    #: The other side's board, which must not fall silent while this side is measured.
    beside: Bench | None = None

    def serve_until(self, until_s: float, *, is_awaited: bool) -> float | None:
        """Let the boards answer; return when an unlock came, if one is awaited."""
        sides = [self] if self.beside is None else [self, self.beside]
        masters = {side.board.master: side for side in sides}
        while (now_s := time.monotonic()) < until_s:
            ready, _, _ = select.select(list(masters), [], [], until_s - now_s)
            for master in ready:
                unlocked_s = masters[master].answer()
                if unlocked_s is not None and is_awaited and masters[master] is self:
                    return unlocked_s
        return None

    def answer(self) -> float | None:
        """Let the board answer what came; return when it was read, if an unlock."""
        data = self.board.read()
        read_s = time.monotonic()
        self.bus.receive(data, read_s)
        reply = self.bus.take_outgoing(read_s)
        if reply:
            self.board.write(reply)
        return read_s if _UNLOCK in data else None

    def play(self, codes: Sequence[bytes], rate: float) -> list[float]:
        """Show the codes at ``rate`` a second; return each wait in milliseconds."""
        waits_ms = []
        due_s = time.monotonic()
        for index, code in enumerate(codes):
            self.serve_until(due_s, is_awaited=False)
            begun_s = time.monotonic()
            self.scanners[index % len(self.scanners)].write(code + b"\r")
            read_s = self.serve_until(begun_s + LOST_AFTER_S, is_awaited=True)
            if read_s is None:
                self.lost += 1
            else:
                waits_ms.append((read_s - begun_s) * 1000)
            due_s = max(due_s + 1 / rate, time.monotonic())
        return waits_ms


def make_bench(scanners: Sequence[PseudoTerminal], board: PseudoTerminal) -> Bench:
    """Put a board of eight relays, one instant in answering, behind its port."""
    one = RelayBoard(RelayBoardSettings(address=1))
    return Bench(scanners=scanners, board=board, bus=RelayBus([one]))
