# SPDX-License-Identifier: Apache-2.0
"""The doorstep of a machine: it feels its own standstills, and derives beside its loop.

The law of the module: an identity card's number becomes a token in a worker thread,
two at a time, and is wiped wherever it ends; a beat notices what no clock tells, that
the process stood still.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog

from drivers.secret import wipe
from edge.cli.doorstep import Doorstep

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.bindings.bindings import Bindings, CardScan
    from edge.bindings.tokens import TokenMaker
    from edge.core.command import Command
    from edge.core.credential import Credential
    from edge.gateway.gateway import Gateway

log = structlog.get_logger()

#: scrypt takes 16 MiB each and a whole core of a small board.
CARDS_AT_ONCE = 2
BEAT_S = 0.1


class Intake(Doorstep):
    """Takes every link's signals; owns the worker threads."""

    def __init__(
        self,
        bindings: Bindings,
        tokens: TokenMaker,
        gateway: Gateway,
        *,
        carry_out: Callable[[Command], None],
        flush: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        super().__init__(
            bindings, gateway, self._loop, carry_out=carry_out, flush=flush
        )
        self._tokens = tokens
        self._workers = ThreadPoolExecutor(CARDS_AT_ONCE, "scrypt")
        self._deriving: set[asyncio.Task[None]] = set()
        self._beat_s = self._loop.time()

    def use(self, tokens: TokenMaker) -> None:
        """Derive tokens by these site keys from now on; a card on its way by before."""
        self._tokens = tokens
        self._bindings.use(tokens)

    def close(self) -> None:
        """Take nothing any more, and end the worker threads."""
        super().close()
        for task in self._deriving:
            task.cancel()
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def beat(self) -> None:
        """Notice that the process stood still; runs until cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            self.check_stall()

    def line(self, port: str, is_open: bool, why: str) -> None:  # noqa: FBT001
        """Take a port's state, and log one that is lost."""
        if not is_open and not self._is_closed:
            log.warning("line", port=port, why=why)
        super().line(port, is_open, why)

    def _stood_still_s(self) -> float:
        now_s = self._loop.time()
        gap_s, self._beat_s = now_s - self._beat_s, now_s
        return gap_s

    def _derive(self, card: CardScan) -> None:
        task = self._loop.create_task(self._token_of(card))
        self._deriving.add(task)
        task.add_done_callback(self._deriving.discard)

    async def _token_of(self, card: CardScan) -> None:
        number = card.secret.take()
        credential: Credential | None = None
        try:
            credential = await self._loop.run_in_executor(
                self._workers, self._tokens.id_card, number
            )
        except (OSError, ValueError, MemoryError) as fault:
            log.warning("no token", why=type(fault).__name__)  # no 16 MiB
        finally:
            wipe(number)  # the worker does, unless it never came to it
        self._derived(card, credential)
