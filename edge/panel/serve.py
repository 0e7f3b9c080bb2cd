# SPDX-License-Identifier: Apache-2.0
"""The panel as a process: listen, tell where, and stop within a second.

The law of the module: it answers on one address only, loopback unless plain HTTP is
allowed by name; at SIGTERM the streams are told first, then the server stops, since a
server that waits for open streams would wait for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
import uvicorn

from edge.panel.app import Panel, make_app
from edge.panel.gate import Gate
from edge.panel.gateway_link import GatewayLink
from edge.panel.hub import Hub
from edge.panel.pages import Pages
from edge.panel.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

#: Streams of MAX_STREAMS pages and as many requests beside them; more are sent away.
MAX_CONNECTIONS = 80
#: Longest request head: an address, and a browser's usual headers.
MAX_HEAD = 16_384
#: A stream whose reader sleeps is cut off after this, all others end at once.
GRACE_S = 1


class WrongHostError(Exception):
    """The panel may not answer on that address; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelOptions:
    """Where the gateway is, and where the panel listens; port 0 is any free one."""

    socket: Path
    host: str = "127.0.0.1"
    port: int = 0
    allow_plain_http: bool = False

    def check(self) -> None:
        """Raise WrongHostError for an address that would be wide open."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            raise WrongHostError("--host: give a number, as in 127.0.0.1") from None
        if address.is_unspecified or address.is_multicast:
            raise WrongHostError("--host: name one address of this box, not all")
        if not address.is_loopback and not self.allow_plain_http:
            raise WrongHostError(
                "--host: without encryption the panel answers on 127.0.0.1 alone; "
                "give --plain-http if this network is yours"
            )


class _Server(uvicorn.Server):
    """Leaves the signals to us and says when it listens."""

    def __init__(
        self, config: uvicorn.Config, on_listening: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._on_listening()


def run_panel(options: PanelOptions) -> None:
    """Serve until SIGTERM or SIGINT; raises WrongHostError, OSError if it cannot."""
    options.check()
    # Standard output carries the address alone.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with _listen(options.host, options.port) as listener:
        asyncio.run(_serve(options, listener))


async def _serve(options: PanelOptions, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    hub = Hub(loop.time)
    link = GatewayLink(options.socket, hub)
    words = Words()
    pages = Pages(words)
    panel = Panel(hub=hub, pages=pages, words=words, open_door=link.open_door)
    host, port = listener.getsockname()[:2]
    gate = Gate(make_app(panel, pages), _names(host, port), pages.error)
    server = _Server(_config(gate), lambda: _tell(f"http://{_netloc(host, port)}/"))

    def stop() -> None:
        hub.close()
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    background = [loop.create_task(link.run()), loop.create_task(hub.beat())]
    try:
        await server.serve([listener])
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


def _config(gate: Gate) -> uvicorn.Config:
    return uvicorn.Config(
        gate,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="error",  # whoever sends nonsense must not fill the log
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_graceful_shutdown=GRACE_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _names(host: str, port: int) -> frozenset[str]:
    """Return the only values of Host that are ours."""
    names = {_netloc(host, port)}
    if ipaddress.ip_address(host).is_loopback:
        names.add(f"localhost:{port}")
    if port == 80:
        names |= {name.removesuffix(":80") for name in names}
    return frozenset(names)


def _tell(url: str) -> None:
    sys.stdout.write(json.dumps({"panel_url": url}) + "\n")
    sys.stdout.flush()
