# SPDX-License-Identifier: Apache-2.0
"""The platform's commands on their way through the gateway, and word of each back.

The law of the module: it decides nothing; it finds out whose seals a command bears. A
command is offered to the rules when it came and once more when its record is on disk;
what the journal then tells of it is told on the wire too, early, and a feed that it
says was asked for is asked for. Once the wires close nothing is offered any more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import structlog

from cloud_sync.envelope import CommandResult
from cloud_sync.seals import Witnesses
from edge.core.event import EventKind
from edge.core.remote.command import STATES, Action, Rejection
from edge.core.stimulus import CommandReceived, CommandStored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge.core.event import Event
    from edge.core.remote.command import RemoteCommand
    from edge.gateway.gateway import Gateway
    from edge.settings.site import Settings


#: Why a person is not erased yet; the words are those of what keeps him.
KEPT = "KEPT"

log = structlog.get_logger()


class Upward(Protocol):
    """The way to the platform, as far as commands need it."""

    def tell(self, result: CommandResult) -> None:
        """Bring a result on its way up."""

    def refresh(self) -> None:
        """Ask for the feed at once."""


class RemoteCommands:
    """Between session and gateway; ``upward`` is asked for when it is needed.

    ``witnesses`` are the operators whose seals count here; None: nobody's do.
    """

    def __init__(
        self,
        gateway: Gateway,
        upward: Callable[[], Upward],
        witnesses: Witnesses | None = None,
    ) -> None:
        self._gateway = gateway
        self._upward = upward
        self._witnesses = witnesses
        self._is_closed = False

    def close(self) -> None:
        """Have nothing done any more; what is recorded is unknown at the next start."""
        self._is_closed = True

    def order(self, command: RemoteCommand) -> None:
        """Let the rules record a command."""
        if self._is_closed:
            return
        if command.seals and self._witnesses is not None:
            signed = self._witnesses.of(command.order_text, command.seals)
            command = replace(command, witnesses=signed)
        received = CommandReceived(command=command)
        self._gateway.do(lambda controller, now: controller.handle(received, now))

    def stored(self, batch: Iterable[Event]) -> None:
        """Take events that are on disk: what they record may act now."""
        for event in batch:
            result = result_of(event)
            if result is None:
                continue
            self._upward().tell(result)
            if _has_feed_refreshed(event):
                self._upward().refresh()
            is_due = event.kind is EventKind.COMMAND_RECEIVED
            if is_due and not self._is_closed:
                self._act(CommandStored(jti=result.jti))

    def _act(self, stored: CommandStored) -> None:
        self._gateway.do(lambda controller, now: controller.handle(stored, now))


def witnesses_of(settings: Settings) -> Witnesses | None:
    """Return the operators whom a site file names for a shelter."""
    site, gateway = settings.site.id, settings.gateway.id
    keys = settings.platform.operators()
    try:
        return Witnesses(keys, site=site, gateway=gateway) if keys else None
    except ValueError as flaw:
        log.warning("no shelter from afar: mend platform.shelter", why=str(flaw))
        return None


def _has_feed_refreshed(event: Event) -> bool:
    is_executed = event.kind is EventKind.COMMAND_EXECUTED
    return is_executed and event.fact("action") == Action.FEED_REFRESH


def result_of(event: Event) -> CommandResult | None:
    """Return what an event says of a command's way, None if it says nothing.

    Of a name that came twice nothing is said: its first coming has its own end.
    """
    state, jti = STATES.get(event.kind), event.fact("jti")
    reason = str(event.fact("reason") or "")
    if state is None or jti is None or reason == Rejection.REPLAY:
        return None
    if event.kind is EventKind.ERASURE_DEFERRED:
        reason = KEPT
    elif event.kind is not EventKind.COMMAND_REJECTED:
        reason = ""
    why = str(event.fact("why") or "")
    return CommandResult(
        jti=str(jti), state=state, reason=reason, why=why, seq=event.seq
    )
