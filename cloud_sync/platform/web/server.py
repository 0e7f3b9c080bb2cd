# SPDX-License-Identifier: Apache-2.0
"""The HTTPS server of ``[web]``: uvicorn inside the platform's own loop.

The law of the module: TLS 1.2 and newer; a client's certificate is asked for and not
demanded, since a box that enrols has none yet; signals stay with whoever runs the
platform, and cancelling ends all within a second, whoever still waits for an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import stat
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from cloud_sync.platform.settings import SettingsError, read_listen
from cloud_sync.platform.web.app import make_app
from cloud_sync.platform.web.peer import PeerProtocol

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from cloud_sync.platform.settings import WebSettings
    from cloud_sync.platform.web.app import Lent

#: What is under way may end; then it is cancelled.
GRACE_S = 0.4
#: Connections at once, far more than gateways enrol or fetch a snapshot together.
MAX_CONNECTIONS = 512
MAX_HEAD = 16 * 1024
KEEP_ALIVE_S = 5
_log = structlog.get_logger("platform.web")


class _Server(uvicorn.Server):
    """Leaves the signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


async def serve(web: WebSettings, lent: Lent) -> None:
    """Serve until cancelled; SettingsError for what cannot be used or listened to."""
    server = _Server(_config(make_app(lent), tls_context(web, lent.folder)))
    host, port = read_listen(web.listen)
    loop = asyncio.get_running_loop()
    try:
        probe = await loop.getaddrinfo(host, port, type=1)
        listener = _listen(probe[0])
    except OSError as fault:
        raise SettingsError(f"web.listen {web.listen}: {fault.strerror}") from fault
    with listener:
        running = asyncio.create_task(server.serve([listener]))
        _log.info("listening", at=web.listen)
        try:
            await asyncio.shield(running)
        finally:
            server.should_exit = True
            await asyncio.wait({running}, timeout=2 * GRACE_S)
            for connection in list(server.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            await asyncio.wait({running}, timeout=GRACE_S)


def _listen(at: Any) -> Any:
    import socket  # noqa: PLC0415  here alone

    family, kind, _, _, address = at
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _config(app: Any, context: ssl.SSLContext) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=PeerProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",  # whoever sends nonsense must not fill the log
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,  # type: ignore[arg-type]
    )
    config.load()
    config.ssl = context
    return config


def tls_context(web: WebSettings, folder: Path) -> ssl.SSLContext:
    """Read the files of ``[web]``; SettingsError says which cannot be used."""
    key = folder / web.key
    try:
        if key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            what = f"{key}: others may read this secret; run: chmod 600 {key}"
            raise SettingsError(what)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(folder / web.certificate, key, password=lambda: b"")
        context.load_verify_locations(cafile=folder / web.ca)
    except (OSError, ValueError) as fault:
        raise SettingsError(
            f"web: the TLS files in {folder} cannot be used ({fault}); "
            "`menshen platform authority` makes them"
        ) from fault
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
