# SPDX-License-Identifier: Apache-2.0
"""The panel as a process: listen, tell where, and stop within a second.

The law of the module: it answers on one address only, loopback unless plain HTTP is
allowed by name; at SIGTERM the streams are told first, then the server stops, since a
server that waits for open streams would wait for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ipaddress
import json
import logging
import signal
import socket
import ssl
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from edge.panel.app import make_app
from edge.panel.gate import Gate
from edge.panel.gateway_link import GatewayLink
from edge.panel.ground import Address, Ground
from edge.panel.hub import Hub
from edge.panel.pages import Pages
from edge.panel.patience import PatientProtocol
from edge.panel.signpost import Signpost
from edge.panel.words import FIRST, Words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator
    from pathlib import Path

#: Streams of MAX_STREAMS pages and as many requests beside them; more are sent away.
MAX_CONNECTIONS = 80
#: Longest request head: an address, and a browser's usual headers.
MAX_HEAD = 16_384
#: A stream whose reader sleeps is cut off after this, all others end at once.
GRACE_S = 1
#: Ended to be started again (EX_TEMPFAIL), and how soon it is seen that it should be.
AGAIN = 75
LOOK_EVERY_S = 5.0
#: An idle connection is hung up on after so long.
KEEP_ALIVE_S = 20
#: What stands in the folder that ``menshen init`` fills for the panel.
CERTIFICATE, KEY, AUTHORITY = "panel.pem", "panel.key", "ca.pem"
#: A line of the log, as the gateway's is read: when, how bad, what and its fields.
LOG_LINE = "%(asctime)s [%(levelname)s] %(message)s"


class WrongHostError(Exception):
    """The panel may not answer on that address; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelOptions:
    """Where the gateway is, and where the panel listens; port 0 is any free one."""

    socket: Path
    host: str = "127.0.0.1"
    port: int = 0
    allow_plain_http: bool = False
    #: Under which other names tablets call it.
    names: tuple[str, ...] = ()
    #: The folder of certificate, key and authority; None: no TLS.
    tls: Path | None = None
    language: str = FIRST
    help_phone: str = ""
    #: Where plain HTTP says where the panel is, on the same address; 0: nowhere.
    signpost: int = 0
    #: The file that says how the panel is to be started; None: nobody changes that.
    words: Path | None = None

    def check(self) -> None:
        """Raise WrongHostError for an address that would be wide open."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            raise WrongHostError("--host: give a number, as in 127.0.0.1") from None
        if address.is_unspecified or address.is_multicast:
            raise WrongHostError("--host: name one address of this box, not all")
        if not (address.is_loopback or self.tls or self.allow_plain_http):
            raise WrongHostError(
                "--host: without encryption the panel answers on 127.0.0.1 alone; "
                "give --tls FOLDER, or --plain-http if this network is yours"
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


def run_panel(options: PanelOptions) -> bool:
    """Serve until SIGTERM or SIGINT; raises WrongHostError, OSError if it cannot.

    True: it ended because it is to be started in another way.
    """
    options.check()
    # To standard error: standard output carries the address alone.
    logging.basicConfig(format=LOG_LINE)
    with _listen(options.host, options.port) as listener:
        return asyncio.run(_serve(options, listener))


async def _serve(options: PanelOptions, listener: socket.socket) -> bool:
    loop = asyncio.get_running_loop()
    hub = Hub(loop.time)
    link = GatewayLink(options.socket, hub)
    words = Words(options.language)
    pages = Pages(words, help_phone=options.help_phone)
    host, port = listener.getsockname()[:2]
    address = _address(options.tls, _netloc(host, port))
    ground = Ground(hub=hub, pages=pages, link=link, address=address)
    names = _names(host, port, options.names, is_secure=address.is_secure)
    scheme = "https" if address.is_secure else "http"
    gate = Gate(make_app(ground), names, pages.error, scheme=scheme)
    server = _Server(_config(gate, options.tls), lambda: _tell(address.url))

    def stop() -> None:
        hub.close()
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    other = loop.create_task(_until_other(options, stop))
    background = [loop.create_task(link.run()), loop.create_task(hub.beat()), other]
    try:
        async with _signpost(options, pages.signpost(address.url)):
            await server.serve([listener])
        return other.done()
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


async def _until_other(options: PanelOptions, stop: Callable[[], None]) -> None:
    """Stop once the gateway has left other words or another certificate.

    What stands there is compared with what stood there at the start: a panel that was
    started in a way of its own is not ended for that.
    """
    paths = [options.words] if options.words else []
    paths += [options.tls / CERTIFICATE] if options.tls and paths else []
    before = await asyncio.to_thread(_texts, paths)
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        now = await asyncio.to_thread(_texts, paths)
        pairs = zip(now, before, strict=True)
        if any(text and was and text != was for text, was in pairs):
            stop()
            return


def _texts(paths: list[Path]) -> list[bytes]:
    """Return what stands in files, nothing for one that cannot be read."""
    found = []
    for path in paths:
        try:
            found.append(path.read_bytes())
        except OSError:
            found.append(b"")
    return found


@contextlib.asynccontextmanager
async def _signpost(options: PanelOptions, page: str) -> AsyncIterator[None]:
    """Answer over plain HTTP where that is wanted; the panel serves without it, too."""
    async with contextlib.AsyncExitStack() as stack:
        if options.signpost:
            post = Signpost(page).standing(options.host, options.signpost)
            try:
                await stack.enter_async_context(post)
            except OSError as fault:
                why = f"no signpost at port {options.signpost}: {fault.strerror}"
                sys.stderr.write(f"{why}; the panel itself answers\n")
        yield


def _address(tls: Path | None, netloc: str) -> Address:
    """Return how tablets reach us, and what they are to trust."""
    if tls is None:
        return Address(url=f"http://{netloc}/", is_secure=False)
    authority = (tls / AUTHORITY).read_text(encoding="ascii")
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority)).hexdigest()
    return Address(
        url=f"https://{netloc}/",
        is_secure=True,
        authority=authority,
        fingerprint=digest.upper(),
    )


def _config(gate: Gate, tls: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        gate,
        http=PatientProtocol,
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
        timeout_keep_alive=KEEP_ALIVE_S,
        ssl_certfile=None if tls is None else tls / CERTIFICATE,
        ssl_keyfile=None if tls is None else tls / KEY,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # Each connection inherits it. Without it a page's head and body, two writes, wait
    # 40 ms for one another on a connection that was used before.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _names(
    host: str, port: int, others: tuple[str, ...] = (), *, is_secure: bool = False
) -> frozenset[str]:
    """Return the only values of Host that are ours."""
    names = {_netloc(host, port), *(f"{name}:{port}" for name in others)}
    if ipaddress.ip_address(host).is_loopback:
        names.add(f"localhost:{port}")
    usual = 443 if is_secure else 80
    if port == usual:
        names |= {name.removesuffix(f":{usual}") for name in names}
    return frozenset(names)


def _tell(url: str) -> None:
    sys.stdout.write(json.dumps({"panel_url": url}) + "\n")
    sys.stdout.flush()
