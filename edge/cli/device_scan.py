# SPDX-License-Identifier: Apache-2.0
"""``menshen device probe PORT --scan``: which addresses of a Modbus line answer.

The law of the module: :class:`drivers.modbus.scan.AddressScan` asks, and reads alone,
so that nothing moves; here it gets a port and the time. What is found is told at once,
since all addresses take 26 s.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import TYPE_CHECKING

from drivers.device import AddressConflict, Reachable
from drivers.errors import LocalError
from drivers.links.opening import opener
from drivers.modbus.scan import FIRST_ADDRESS, LAST_ADDRESS, AddressScan
from drivers.question import Outcome
from edge.cli.device_probe import ADVICE, read_more

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.device import Signal
    from drivers.links.link import OpenPort

#: What relay boards come with from their factories.
USUAL_BAUD = 9_600
ALL_ADDRESSES = range(FIRST_ADDRESS, LAST_ADDRESS + 1)


async def scan(
    port: str,
    *,
    baud: int,
    addresses: Sequence[int],
    on_found: Callable[[Signal], None],
) -> AddressScan:
    """Ask each address once, a garbled one again; PortError, LocalError."""
    search = AddressScan(addresses)
    line = await opener(port, baud).open()
    try:
        search.opened(time.monotonic())
        while not search.is_done:
            for signal in await _step(line, search):
                on_found(signal)
        search.closed(time.monotonic())
    finally:
        line.close()
    return search


async def _step(line: OpenPort, search: AddressScan) -> list[Signal]:
    """Write what is to be asked; wait for bytes, or until an answer is overdue."""
    if question := search.take_outgoing():
        os.write(line.descriptor, question)
    heard = bytearray()
    due = search.deadline() or 0.0
    await read_more(line, heard, max(0.0, due - time.monotonic()))
    signals = search.receive(bytes(heard), time.monotonic()) if heard else []
    # Noise without an end must not keep the next question waiting.
    return signals + search.tick(time.monotonic())


def tell_scan(
    port: str,
    *,
    baud: int | None = None,
    addresses: Sequence[int] = ALL_ADDRESSES,
    as_json: bool = False,
) -> int:
    """Search and print; exit code 1 unless boards answer, each alone; 2: a bad port."""
    speed = baud or USUAL_BAUD

    def tell(signal: Signal) -> None:
        if not as_json:
            print(words_of(signal), flush=True)

    try:
        found = asyncio.run(scan(port, baud=speed, addresses=addresses, on_found=tell))
    except (LocalError, OSError) as fault:
        print(json.dumps({"error": str(fault)}) if as_json else fault)
        return 2
    if as_json:
        print(json.dumps(_report(port, found)))
    else:
        print(f"{port}: {found.asked} addresses asked, {len(found.answering)} answer.")
        if not (found.answering or found.garbled):
            print(ADVICE[Outcome.SILENCE])
    return 0 if found.answering and not found.garbled else 1


def words_of(signal: Signal) -> str:
    """Say what stands at an address."""
    match signal:
        case Reachable(unit=address, detail=""):
            return f"address {address} answers"
        case Reachable(unit=address, detail=detail):
            return f"address {address} answers: {detail}"
        case AddressConflict(unit=address, why=why):
            return f"address {address}: {why}"
    return f"address {signal.unit}: {signal}"


def _report(port: str, found: AddressScan) -> dict[str, object]:
    return {
        "port": port,
        "asked": found.asked,
        "answering": found.answering,
        "garbled": found.garbled,
    }
