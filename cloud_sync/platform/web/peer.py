# SPDX-License-Identifier: Apache-2.0
"""Who is at the other end of a TLS connection, as its certificate says.

The law of the module: whoever does not bring a whole request soon is hung up on, since
anybody may connect; a name counts only where the authority of ``[web]`` signed it,
which TLS has checked before a byte of HTTP is read; whether that certificate is still
good, and whether its name is a gateway's, the registry says at each request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

_SCOPE = "menshen.peer"
#: For a whole request, its body too; a box on a bad line sends 8 KiB in a second.
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A client certificate's common name, and its serial number in lower hex."""

    name: str
    serial: str


class PeerProtocol(H11Protocol):
    """HTTP whose requests know the certificate of their connection."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep what TLS has checked for all requests of this connection."""
        super().connection_made(transport)
        shown = transport.get_extra_info("peercert")
        peer, app = _peer(shown) if shown else None, self.app

        async def knowing(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, _SCOPE: peer}, receive, send)

        self.app = knowing
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and wait on while they are no whole request."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.more_body:
            self._stop()
        else:
            self._wait()

    def on_response_complete(self) -> None:
        """Leave an idle connection to the server's own patience."""
        self._stop()
        super().on_response_complete()

    def _wait(self) -> None:
        if self._waiting is None and not self.transport.is_closing():
            self._waiting = self.loop.call_later(PATIENCE_S, self.transport.abort)

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def peer_of(scope: Mapping[str, Any]) -> Peer | None:
    """Return who asks; None without a certificate."""
    peer = scope.get(_SCOPE)
    return peer if isinstance(peer, Peer) else None


def _peer(shown: Mapping[str, Any]) -> Peer | None:
    parts = [part for names in shown.get("subject", ()) for part in names]
    names = [value for kind, value in parts if kind == "commonName"]
    if len(names) != 1:
        return None
    serial = f"{int(str(shown['serialNumber']), 16):x}"
    return Peer(name=names[0], serial=serial)
