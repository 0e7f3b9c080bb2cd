# SPDX-License-Identifier: Apache-2.0
"""HTTP with an end to its patience: who begins a request finishes it soon.

The law of the module: a connection that has not brought a whole request is closed
after ``PATIENCE_S``, however slowly it goes on; a request that was read whole may be
served as long as it takes (a stream for hours). A file may take longer to come, as
long as it goes on and its page has not answered.
Source: uvicorn bounds what is idle between requests, not what dawdles within one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.panel.upload import UPLOADS

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

#: A tablet at the far end of a weak Wi-Fi sends a form in a second.
PATIENCE_S = 10.0


class PatientProtocol(H11Protocol):
    """One connection."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and wait on while they are no whole request."""
        super().data_received(data)
        cycle = self.cycle
        is_whole = cycle is not None and not cycle.more_body
        if is_whole:
            self._stop()
        else:
            if cycle is not None and self._is_upload(cycle):
                self._stop()
            self._wait()

    @staticmethod
    def _is_upload(cycle: RequestResponseCycle) -> bool:
        return cycle.scope["path"] in UPLOADS and not cycle.response_started

    def on_response_complete(self) -> None:
        """Leave an idle connection to the server's own patience."""
        self._stop()
        super().on_response_complete()

    def _wait(self) -> None:
        if self._waiting is None and not self.transport.is_closing():
            self._waiting = self.loop.call_later(PATIENCE_S, self._lose)

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _lose(self) -> None:
        self._waiting = None
        self.transport.abort()
