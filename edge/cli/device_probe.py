# SPDX-License-Identifier: Apache-2.0
"""``menshen device probe PORT``: which device stands at the end of a wire, if any.

The law of the module: it asks harmless questions alone (:mod:`drivers.questions`), so
that no relay and no lock moves whatever answers. It tells apart an answer, our own
echo, garbage and silence, and says what each of them most often means. Bytes that a
device says by itself are counted, never shown: a code among them opens doors.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.links.link import LinkKind, PortError
from drivers.links.opening import opener
from drivers.links.port_text import is_path
from drivers.question import MAX_HEARD_BYTES, Outcome, outcome
from drivers.registry import DRIVERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.links.link import OpenPort
    from drivers.question import Question
    from drivers.registry import DriverSpec

#: How long the line is only listened to: a device that talks unasked, or a bad line.
LISTEN_S = 0.5
#: Between two questions, so that a late answer is not taken for the next one's.
GAP_S = 0.05
READ_BYTES = 4096
#: What installers find set when it is not the factory's speed.
OTHER_BAUDS = (9_600, 19_200, 115_200, 38_400, 57_600, 4_800)
#: A line of so many printable characters is what scanners send.
MIN_LINE_BYTES = 8

ADVICE = {
    Outcome.ECHO: (
        "The adapter hears itself and nobody else. The device has no power, has "
        "another address or speed, or its wires A and B are exchanged."
    ),
    Outcome.GARBAGE: (
        "Somebody talks, but not so that it can be understood. Most often the speed is "
        "another one (try --baud 9600, 19200, 38400, 115200) or the wires A and B are "
        "exchanged; else it is a device that no driver here knows."
    ),
    Outcome.SILENCE: (
        "Nothing answers. Look at the device's power lamp, then at the wires (exchange "
        "A and B once; of RX and TX too), then at its address (--address) and speed "
        "(--baud)."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question at one speed, and what became of it; ``heard`` counts bytes."""

    driver: str
    baud: int
    what: str
    outcome: Outcome
    answer: str
    heard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a port let us know; ``unasked`` counts bytes that came by themselves."""

    port: str
    asked: tuple[Asked, ...]
    unasked: int
    is_line: bool

    @property
    def answers(self) -> tuple[Asked, ...]:
        """What was understood."""
        return tuple(a for a in self.asked if a.outcome is Outcome.ANSWERED)

    @property
    def worst(self) -> Outcome:
        """What to advise on where nothing was understood."""
        outcomes = {asked.outcome for asked in self.asked}
        if Outcome.GARBAGE in outcomes or self.unasked:
            return Outcome.GARBAGE
        return Outcome.ECHO if Outcome.ECHO in outcomes else Outcome.SILENCE


def askable() -> tuple[DriverSpec, ...]:
    """Return the drivers that have harmless questions on a stream of bytes."""
    found = []
    for name in DRIVERS:
        # A package of somebody else's that can't be loaded asks nothing.
        with suppress(LocalError):
            spec = DRIVERS[name]
            if spec.questions is not None and spec.link is LinkKind.SERIAL:
                found.append(spec)
    return tuple(found)


async def probe(
    port: str, *, baud: int | None, address: int, listen_s: float = LISTEN_S
) -> Report:
    """Ask at each driver's own speed, then at the others; PortError, LocalError."""
    asked: list[Asked] = []
    unasked = b""
    for speed, specs in _rounds(port, baud):
        line = await opener(port, speed).open()
        try:
            unasked += await listen(line, listen_s)
            for spec in specs:
                asked += await ask_all(line, spec, speed, address)
        finally:
            line.close()
        if any(a.outcome is Outcome.ANSWERED for a in asked) or _is_line(unasked):
            break
    return Report(
        port=port,
        asked=tuple(asked),
        unasked=len(unasked),
        is_line=_is_line(unasked),
    )


async def ask_all(
    line: OpenPort, spec: DriverSpec, baud: int, address: int
) -> list[Asked]:
    """Ask a driver's questions; a device that missed the first misses the others."""
    asked: list[Asked] = []
    for question in questions_of(spec, address):
        heard = await _ask(line, question)
        result, words = outcome(question, heard)
        if result is Outcome.GARBAGE:  # once may be noise, and not a wrong speed
            heard = await _ask(line, question)
            result, words = outcome(question, heard)
        asked.append(
            Asked(
                driver=spec.name,
                baud=baud,
                what=question.what,
                outcome=result,
                answer=words,
                heard=len(heard),
            )
        )
        if result is not Outcome.ANSWERED:
            break
    return asked


def questions_of(spec: DriverSpec, address: int) -> tuple[Question, ...]:
    """Return what may be asked at an address; nothing where it can have none such."""
    if spec.questions is None:
        return ()
    try:
        return tuple(spec.questions(address))
    except LocalError:
        return ()


def _rounds(port: str, baud: int | None) -> Iterator[tuple[int, list[DriverSpec]]]:
    """Yield each speed with the drivers to try there, the likeliest first."""
    specs = list(askable())
    if baud is not None or not is_path(LinkKind.SERIAL, port):
        yield baud or 0, specs  # a serial server has its speed from its own settings
        return
    usual = sorted({spec.default_baud for spec in specs})
    for speed in usual:
        yield speed, [spec for spec in specs if spec.default_baud == speed]
    for speed in OTHER_BAUDS:
        yield speed, [spec for spec in specs if spec.default_baud != speed]


async def listen(line: OpenPort, for_s: float) -> bytes:
    """Return what comes by itself."""
    heard = bytearray()
    until = time.monotonic() + for_s
    while (left := until - time.monotonic()) > 0:
        await read_more(line, heard, left)
    return bytes(heard)


async def _ask(line: OpenPort, question: Question) -> bytes:
    """Write a question and return what came within its time, or until understood."""
    await listen(line, GAP_S)
    os.write(line.descriptor, question.frame)
    heard = bytearray()
    until = time.monotonic() + question.within_s
    while (left := until - time.monotonic()) > 0:
        await read_more(line, heard, left)
        if question.understand(bytes(heard)) is not None:
            break
    return bytes(heard)


async def read_more(line: OpenPort, heard: bytearray, within_s: float) -> None:
    """Wait for bytes at most so long and add them; PortError with a lost port."""
    loop = asyncio.get_running_loop()
    is_readable = asyncio.Event()
    loop.add_reader(line.descriptor, is_readable.set)
    try:
        async with asyncio.timeout(within_s):
            await is_readable.wait()
        data = os.read(line.descriptor, READ_BYTES)
    except (TimeoutError, BlockingIOError):
        return
    except OSError as fault:
        raise PortError(
            f"the port was lost while it was asked: {fault.strerror}"
        ) from None
    finally:
        loop.remove_reader(line.descriptor)
    if not data:
        raise PortError("the port hung up while it was asked")
    heard += data[: MAX_HEARD_BYTES - len(heard)]


def _is_line(unasked: bytes) -> bool:
    text = unasked.strip(b"\r\n")
    return len(text) >= MIN_LINE_BYTES and all(0x20 <= byte < 0x7F for byte in text)


def tell_probe(
    port: str,
    *,
    baud: int | None = None,
    address: int = 1,
    listen_s: float = LISTEN_S,
    as_json: bool = False,
) -> int:
    """Probe and print; exit code 1 if nothing was understood, 2 for a bad port."""
    try:
        report = asyncio.run(probe(port, baud=baud, address=address, listen_s=listen_s))
    except (LocalError, OSError) as fault:
        print(json.dumps({"error": str(fault)}) if as_json else fault)
        return 2
    if as_json:
        print(json.dumps(asdict(report), ensure_ascii=False))
    else:
        print("\n".join(words(report)))
    return 0 if report.answers or report.is_line else 1


def words(report: Report) -> Iterator[str]:
    """Yield the report's lines for a person."""
    for answer in report.answers:
        speed = f" at {answer.baud} baud" if answer.baud else ""
        yield f"{answer.driver} answers{speed}: {answer.answer}"
    if report.is_line:
        yield "A line of text came by itself: a code scanner (driver qr_line)."
    if not report.answers and not report.is_line:
        tried = ", ".join(dict.fromkeys(a.driver for a in report.asked))
        yield f"{report.port}: nobody answers (asked for {tried})."
        yield ADVICE[report.worst]
        yield (
            "A code scanner cannot be asked: add --listen 10 and hold a code up "
            "meanwhile."
        )
