# SPDX-License-Identifier: Apache-2.0
"""The doorstep of a simulated box: the product's own, on simulated time.

The law of the module: a standstill is told to it instead of being felt ten times a
second, and an identity card takes the time of its scrypt, two at a time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edge.cli.doorstep import Doorstep
from edge.cli.intake import CARDS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.bindings.bindings import Bindings, CardScan
    from edge.bindings.tokens import TokenMaker
    from edge.cli.simulate.clockwork import BootTime
    from edge.core.command import Command
    from edge.gateway.gateway import Gateway

#: One scrypt on a small board, and a worker each for two of them.
SCRYPT_S = 0.2


class SimulatedDoorstep(Doorstep):
    """Takes every line's signals."""

    def __init__(
        self,
        bindings: Bindings,
        tokens: TokenMaker,
        gateway: Gateway,
        boot: BootTime,
        *,
        carry_out: Callable[[Command], None],
        flush: Callable[[], None],
    ) -> None:
        super().__init__(bindings, gateway, boot, carry_out=carry_out, flush=flush)
        self._tokens = tokens
        self._boot = boot

    def use(self, tokens: TokenMaker) -> None:
        """Derive tokens by these site keys from now on."""
        self._tokens = tokens
        self._bindings.use(tokens)

    def _stood_still_s(self) -> float:
        gap_s, self._boot.stood_still_s = self._boot.stood_still_s, 0.0
        return gap_s

    def _derive(self, card: CardScan) -> None:
        turns = 1 + (self._cards - 1) // CARDS_AT_ONCE
        self._boot.call_later(SCRYPT_S * turns, partial(self._finish, card))

    def _finish(self, card: CardScan) -> None:
        self._derived(card, self._tokens.id_card(card.secret.take()))
