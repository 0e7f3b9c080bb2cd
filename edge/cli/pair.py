# SPDX-License-Identifier: Apache-2.0
"""``menshen device pair PORT --address N``: an OSDP reader gets a key of its own.

The law of the module: the key is made here from the system's randomness, sent once,
printed once and kept nowhere. If the attempt ends after the key may have left, it is
printed all the same, since a reader may hold it that nobody else can open any more.
Words go to standard error and the site file's lines to standard output, so that those
can be led into a file that nobody looks at.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.device import Reachable, Unreachable
from drivers.errors import LocalError
from drivers.links.opening import opener
from drivers.links.stream_link import StreamLink
from drivers.osdp.pairing import OsdpPairing
from drivers.osdp.secure_channel import KEY_BYTES, weakness
from drivers.registry import DRIVERS
from edge.cli.supervision import Trouble, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drivers.device import Signal

#: Random keys are weak about once in 10**12; more than this is a broken source.
MOST_DRAWS = 8
#: How attempts end in which no key has left (drivers.osdp.pairing).
BEFORE_THE_KEY = (
    "another reader is on the line",
    "something else answers",
    "searching for other readers",
    "install mode",
)
BEGIN = (
    "One reader alone on the line, in install mode (its manual says how; most often a "
    "jumper, or a key combination within a minute of power-up), by a short cable that "
    "nobody listens to: the key is set under a key that everybody knows."
)
WARNING = (
    "SECRET: scbk is this reader's key. It is shown this once and kept nowhere. "
    "Whoever has it can play the reader: send it to nobody, photograph it never, and "
    "let the site file be read by the gateway's user alone (chmod 600)."
)
MAYBE = (
    "The reader may hold this key all the same. Try it: put the lines into the site "
    "file and run `menshen device test`. If it does not answer, set the reader back "
    "to install mode and pair it anew."
)


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One pairing: what it needs, and how it ended."""

    port: str
    address: int
    baud: int
    window_s: float
    key: bytes = field(repr=False)
    was_open: bool = False
    cuid: str = ""
    why_not: str = ""
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, signals: list[Signal]) -> None:
        """Take the end of the attempt; there is one."""
        for signal in signals:
            match signal:
                case Reachable(detail=detail):
                    self.cuid = detail.rpartition(" ")[2]
                    self._over.set()
                case Unreachable(why=why) if not self.cuid and not self.why_not:
                    self.why_not = why
                    self._over.set()
                case _:
                    pass

    def take_state(self, is_open: bool, why: str) -> None:  # noqa: FBT001
        """Take a port that does not open, or was lost."""
        self.was_open |= is_open
        if not is_open:
            self.why_not = self.why_not or why
            self._over.set()

    @property
    def may_hold_key(self) -> bool:
        """Whether the key may have reached a reader."""
        if not self.was_open:
            return False
        return bool(self.cuid) or not self.why_not.startswith(BEFORE_THE_KEY)

    async def run(self) -> None:
        """Work until it is over; LocalError for what cannot be asked for."""
        device = OsdpPairing(
            address=self.address,
            key=self.key,
            window_s=self.window_s,
            random_bytes=os.urandom,
        )
        link = StreamLink(
            opener(self.port, self.baud),
            device,
            self.take,
            now=time.monotonic,
            on_state=self.take_state,
        )
        running = asyncio.create_task(link.run())
        try:
            await self._over.wait()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def fresh_key(random_bytes: Callable[[int], bytes] = os.urandom) -> bytes:
    """Return a key that no attacker tries first; LocalError from a broken source."""
    for _ in range(MOST_DRAWS):
        key = random_bytes(KEY_BYTES)
        if not weakness(key):
            return key
    raise LocalError("this box's source of random bytes repeats itself; do not use it")


def tell_pair(
    port: str,
    *,
    address: int,
    baud: int | None = None,
    window_s: float = 30.0,
    say: Callable[[str], None] | None = None,
    show: Callable[[str], None] = print,
) -> int:
    """Pair and print; exit code 0 paired, 1 not, 2 for wrong use or a port in use."""
    say = say or _say
    try:
        attempt = Attempt(
            port=port,
            address=address,
            baud=baud or DRIVERS["osdp"].default_baud,
            window_s=window_s,
            key=fresh_key(),
        )
        say(BEGIN)
        say(f"Looking for other readers first; the window is {window_s:g} seconds …")
        with suppress(KeyboardInterrupt):  # what the reader may hold is told below
            asyncio.run(attempt.run())
    except LocalError as fault:
        say(str(fault))
        return 2
    return _tell(attempt, say, show)


def _tell(
    attempt: Attempt, say: Callable[[str], None], show: Callable[[str], None]
) -> int:
    if not attempt.cuid:
        say(f"Not paired: {attempt.why_not or 'it was broken off'}.")
        if not attempt.was_open:
            if kind_of(attempt.why_not) is Trouble.PORT_HELD:
                say("If that is the gateway, stop it while you pair.")
            return 2
    if attempt.may_hold_key:
        show("\n".join(stanza(attempt)))
        say(WARNING)
        if not attempt.cuid:
            say(MAYBE)
    return 0 if attempt.cuid else 1


def stanza(attempt: Attempt) -> Iterator[str]:
    """Yield the reader's lines of the site file."""
    yield "[[device]]"
    yield f'id = "reader-{attempt.address}"'
    yield 'driver = "osdp"'
    yield f'port = "{attempt.port}"'
    yield f"baud = {attempt.baud}"
    yield f"address = {attempt.address}"
    yield "[device.options]"
    yield f'scbk = "{attempt.key.hex().upper()}"'
    if attempt.cuid:
        yield f'cuid = "{attempt.cuid}"'


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
