# SPDX-License-Identifier: Apache-2.0
"""All wires of a running gateway, and the way of a command to its own.

The law of the module: nothing old moves a relay: what finds its wire away is let go,
and the device is set right when it comes back. A compartment that cannot open is told.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from drivers.device import Cue, Show
from edge.core.command import HoldOpen, Indicate, OpenCompartment, Relock
from edge.core.stimulus import OpenRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from drivers.device import Order
    from drivers.links.link import Link
    from edge.bindings.bindings import Bindings
    from edge.core.command import Command


class Wires:
    """The links by port; none before :meth:`open`.

    ``keep_emergency()`` has the emergency file written before what it tells of moves.
    """

    def __init__(self, keep_emergency: Callable[[], None]) -> None:
        self._keep_emergency = keep_emergency
        self._links: dict[str, Link] = {}
        self._bindings: Bindings

    def open(
        self,
        bindings: Bindings,
        links: dict[str, Link],
        arrive: Callable[[OpenRefused], None],
        indicate: Callable[[Indicate], None],
    ) -> None:
        """Take the links, which :meth:`running` begins to work.

        ``arrive(told)`` takes what a wire had to refuse, ``indicate(wish)`` what is
        to be told to people.
        """
        self._bindings, self._links, self._arrive = bindings, links, arrive
        self._indicate = indicate

    def running(self) -> list[Coroutine[Any, Any, None]]:
        """Return what each link does until it is cancelled."""
        return [link.run() for link in self._links.values()]

    def flush(self) -> None:
        """Forget what lies in the wires unread."""
        for link in self._links.values():
            link.flush_input()

    def carry_out(self, command: Command) -> None:
        """Let a command reach its wire."""
        if isinstance(command, Indicate):
            self._indicate(command)
            return
        if isinstance(command, HoldOpen | Relock):
            self._keep_emergency()
        port, wish = self._bindings.order(command)
        link = self._links[port]
        if link.is_open:
            link.order(wish)
        elif isinstance(command, OpenCompartment):
            asyncio.get_running_loop().call_soon(self._refuse, command)

    def send(self, port: str, order: Order) -> None:
        """Send what people see; what finds its wire away is let go."""
        if self._links[port].is_open:
            self._links[port].order(order)

    def beep(self, device: str) -> bool:
        """Have a device make itself heard, as well as it can; False: its port is shut.

        It is the cue for "please again": two tones where there is a sounder.
        """
        port, unit = self._bindings.wiring.places[device]
        link = self._links[port]
        if link.is_open:
            link.order(Show(unit=unit, cue=Cue.TRY_AGAIN))
        return link.is_open

    def _refuse(self, wish: OpenCompartment) -> None:
        """Keep a compartment whose board is away for its holder's next scan."""
        self._arrive(OpenRefused(bank=wish.bank, number=wish.number, cause=wish.cause))
