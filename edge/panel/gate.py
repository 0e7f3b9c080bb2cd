# SPDX-License-Identifier: Apache-2.0
"""What every request passes before the pages, and every answer on its way out.

The law of the module: whoever is not certainly our own page is refused, with a page of
fixed words: nothing that came in is ever echoed or logged. A request is judged by its
headers alone, before a byte of its body is read.
Source: OWASP ASVS 5.0 3.4 and 3.5 (headers, origins); DNS rebinding is answered by the
list of hosts.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge.panel.upload import UPLOADS

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: A form of this panel has a handful of short fields …
MAX_BODY = 2_048
FORM = b"application/x-www-form-urlencoded"
#: … but for the one address that takes a file.
FILE_FORM = b"multipart/form-data"

_CONTENT_POLICY = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    b"media-src 'self'; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = (
    (b"content-security-policy", _CONTENT_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # With "no-referrer" browsers would send "Origin: null" with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)

log = logging.getLogger(__name__)


class Gate:
    """Wraps the pages; ``hosts`` are the only names under which they answer."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str],
        error_page: Callable[[int], str],
        *,
        scheme: str = "http",
    ) -> None:
        self._app = app
        self._hosts = {host.encode() for host in hosts}
        self._origins = {f"{scheme}://".encode() + host for host in self._hosts}
        self._error_page = error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge, pass on, and seal the answer."""
        if scope["type"] != "http":
            return
        has_begun = False

        async def sealed(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                sealing = {name for name, _ in SECURITY_HEADERS}
                own = [h for h in message["headers"] if h[0].lower() not in sealing]
                message = {**message, "headers": [*own, *SECURITY_HEADERS]}
            await send(message)

        status = self._refusal(scope)
        if status is not None:
            await self._refuse(sealed, status)
            return
        try:
            await self._app(scope, receive, sealed)
        except Exception as error:  # noqa: BLE001  the last page before a bare socket
            # No trace: its frames hold what was typed.
            log.warning("page_failed error=%s", type(error).__name__)
            if not has_begun:
                await self._refuse(sealed, 500)

    def _refusal(self, scope: Scope) -> int | None:
        """Return the status to refuse with; None to let the request pass."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        host = _only(headers, b"host")
        if host is None or host.lower() not in self._hosts:
            return 400
        match scope["method"]:
            case "GET" | "HEAD":
                return None
            case "POST":
                most = UPLOADS.get(scope.get("path", ""), 0)
                return self._post_refusal(headers, most)
            case _:
                return 405

    def _post_refusal(
        self, headers: list[tuple[bytes, bytes]], most: int
    ) -> int | None:
        if _only(headers, b"origin") not in self._origins:
            return 403
        site = _only(headers, b"sec-fetch-site", b"same-origin")
        if site != b"same-origin":
            return 403
        kind = _only(headers, b"content-type") or b""
        if kind.partition(b";")[0].strip().lower() != (FILE_FORM if most else FORM):
            return 400
        length = _only(headers, b"content-length") or b""
        if not length.isdigit():
            return 400
        return 413 if len(length) > 9 or int(length) > (most or MAX_BODY) else None

    async def _refuse(self, send: Send, status: int) -> None:
        body = self._error_page(status).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", b"text/html; charset=utf-8"),
                    (b"content-length", str(len(body)).encode()),
                    # What was not read of this request must not become the next.
                    (b"connection", b"close"),
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})


def _only(
    headers: list[tuple[bytes, bytes]], name: bytes, default: bytes | None = None
) -> bytes | None:
    """Return the header that stands there once; twice is as good as wrong."""
    values = [value for key, value in headers if key.lower() == name]
    if len(values) > 1:
        return None
    return values[0] if values else default
