# SPDX-License-Identifier: Apache-2.0
"""Requests that no page of ours would send, byte by byte."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import httpx

from edge.panel.gate import MAX_BODY, Gate
from edge.panel.serve import MAX_HEAD
from tests.panel.conftest import VOLUNTEER

if TYPE_CHECKING:
    import pytest
    from starlette.types import Message, Receive, Scope, Send

    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

#: What a hostile hand types, here an identity number of no region: never echoed.
TYPED = "990101199003070017"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
BODY = f"token={TYPED}&door=kitchen-door"


@dataclass(frozen=True, slots=True)
class Row:
    """A request, with HOST and OURS for the panel's own, and its only answers."""

    name: str
    request: str
    status: int


def post(headers: str, body: str = BODY, length: int | None = None) -> str:
    size = len(body) if length is None else length
    head = f"POST /open HTTP/1.1\r\nHost: HOST\r\n{headers}Content-Length: {size}\r\n"
    return f"{head}\r\n{body}"


def get(path: str, headers: str = "Host: HOST\r\n") -> str:
    return f"GET {path} HTTP/1.1\r\n{headers}\r\n"


OURS = f"Origin: OURS\r\n{FORM}"
ROWS = (
    Row("our own page", post(OURS), 303),
    Row("a stranger's host", get("/", "Host: evil.example\r\n"), 400),
    Row("our name below a stranger", get("/", "Host: localhost.evil.example\r\n"), 400),
    Row("our name as a user", get("/", "Host: HOST@evil.example\r\n"), 400),
    Row("the right host, no port", get("/", "Host: 127.0.0.1\r\n"), 400),
    Row("the right host, other port", get("/", "Host: 127.0.0.1:1\r\n"), 400),
    Row("a trailing dot", get("/", "Host: localhost.:PORT\r\n"), 400),
    Row("the name in capitals", get("/", "Host: LOCALHOST:PORT\r\n"), 200),
    Row("an empty host", get("/", "Host: \r\n"), 400),
    Row("no host", get("/", ""), 400),
    Row("two hosts", get("/", "Host: HOST\r\nHost: evil.example\r\n"), 400),
    Row("a host in the address", get("http://evil.example/", "Host: HOST\r\n"), 404),
    Row("no origin", post(FORM), 403),
    Row("a stranger's origin", post(f"Origin: http://evil.example\r\n{FORM}"), 403),
    Row("an opaque origin", post(f"Origin: null\r\n{FORM}"), 403),
    Row("our origin over TLS", post(f"Origin: https://HOST\r\n{FORM}"), 403),
    Row("our origin as a prefix", post(f"Origin: OURS.evil.example\r\n{FORM}"), 403),
    Row("two origins", post(f"Origin: OURS\r\nOrigin: http://evil\r\n{FORM}"), 403),
    Row("sent by another site", post(f"Sec-Fetch-Site: cross-site\r\n{OURS}"), 403),
    Row("sent by a sibling", post(f"Sec-Fetch-Site: same-site\r\n{OURS}"), 403),
    Row("typed by hand", post(f"Sec-Fetch-Site: none\r\n{OURS}"), 403),
    Row("a body too long", post(OURS, f"token={TYPED * 200}&door=a"), 413),
    Row("a length beyond counting", post(OURS, BODY, 10**18), 413),
    Row("a negative length", post(OURS, BODY, -1), 400),
    Row("no length", f"POST /open HTTP/1.1\r\nHost: HOST\r\n{OURS}\r\n", 400),
    Row(
        "chunks without end",
        f"POST /open HTTP/1.1\r\nHost: HOST\r\n{OURS}"
        "Transfer-Encoding: chunked\r\n\r\nffffff\r\n",
        400,
    ),
    Row("JSON", post("Origin: OURS\r\nContent-Type: application/json\r\n"), 400),
    Row(
        "several parts",
        post("Origin: OURS\r\nContent-Type: multipart/form-data; boundary=a\r\n"),
        400,
    ),
    Row("no kind of body", post("Origin: OURS\r\n"), 400),
    Row("a form without a door", post(OURS, f"token={TYPED}"), 422),
    Row("an empty form", post(OURS, ""), 422),
    Row("a token too long", post(OURS, f"token={TYPED * 8}&door=a"), 422),
    Row("a surrogate in the form", post(OURS, "token=%ED%A0%80&door=%ED%A0%80"), 303),
    Row("bytes that are no text", post(OURS, "token=%FF%00&door=%FE%0d%0aX:1"), 303),
    Row("many fields", post(OURS, "&".join(["a=1"] * 400)), 422),
    Row("a surrogate in the path", get(f"/%ED%A0%80{TYPED}"), 404),
    Row("a surrogate in the query", get("/?told=%ED%A0%80"), 200),
    Row("a way out of the folder", get("/../../etc/passwd"), 404),
    Row("a hidden way out", get("/%2e%2e/%2e%2e/etc/passwd"), 404),
    Row("a file of ours", get("/locales/zh-CN.toml"), 404),
    Row("a zero byte", get("/%00"), 404),
    Row("opening by GET", get("/open?door=kitchen-door"), 405),
    Row("tracing", f"TRACE /{TYPED} HTTP/1.1\r\nHost: HOST\r\n\r\n", 405),
    Row("deleting", "DELETE / HTTP/1.1\r\nHost: HOST\r\n\r\n", 405),
    Row("options", "OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n", 405),
    Row("a method nobody knows", f"X{TYPED} / HTTP/1.1\r\nHost: HOST\r\n\r\n", 405),
    Row(
        "a head too long", get("/", f"Host: HOST\r\nX: {'a' * 20 * MAX_HEAD}\r\n"), 400
    ),
    Row("no HTTP at all", f"{TYPED}\r\n\r\n", 400),
    Row("an upgrade", get("/", "Host: HOST\r\nUpgrade: websocket\r\n"), 200),
)


async def ask(panel: PanelProcess, request: str) -> bytes:
    host = f"127.0.0.1:{panel.port}"
    ours = {"OURS": f"http://{host}", "HOST": host, "PORT": str(panel.port)}
    request = re.sub(r"\b(OURS|HOST|PORT)\b", lambda found: ours[found[0]], request)
    cookies = "; ".join(f"{name}={value}" for name, value in VOLUNTEER.items())
    request = request.replace(" HTTP/1.1\r\n", f" HTTP/1.1\r\nCookie: {cookies}\r\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", panel.port)
    try:
        writer.write(request.encode())
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b"\r\n\r\n")
            while len(answer) < 20_000 and (more := await _more(reader)):
                answer += more
        return answer
    finally:
        writer.close()


async def _more(reader: asyncio.StreamReader) -> bytes:
    """Read on until the panel hangs up or has said all it has to say."""
    try:
        async with asyncio.timeout(0.15):
            return await reader.read(4096)
    except (TimeoutError, ConnectionError):
        return b""


async def test_every_row_gets_its_answer_and_no_echo(
    panel: PanelProcess, gateway: ScriptedGateway
) -> None:
    for row in ROWS:
        answer = await ask(panel, row.request)
        status = int(answer.split(b" ", 2)[1])
        assert status == row.status, f"{row.name}: {answer[:300]!r}"
        for leak in (TYPED.encode(), b"Traceback", b"evil", b'"input"', b"passwd"):
            assert leak not in answer, f"{row.name}: {leak!r} came back"
    assert gateway.orders == []


async def test_a_body_of_the_full_size_passes(
    panel: PanelProcess, gateway: ScriptedGateway
) -> None:
    door = "d" * 200
    body = f"token=x&door={door}&rest="
    body += "r" * (MAX_BODY - len(body))
    assert b" 303 " in await ask(panel, post(OURS, body))
    assert b" 413 " in await ask(panel, post(OURS, body + "r"))
    assert gateway.orders == []


async def _failing(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError(f"{scope['path']} {TYPED}")


async def _failing_late(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError(TYPED)


async def _through(app: object, scope: dict[str, object]) -> list[Message]:
    """Send one request through a gate whose only host is ``h``."""
    gate = Gate(app, frozenset({"h"}), lambda status: f"page {status}")  # type: ignore[arg-type]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing may be read of this body")

    whole = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"h")]}
    await gate(whole | scope, receive, send)
    return sent


async def test_a_page_that_fails_shows_fixed_words_and_logs_none_of_what_came(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    start, body = await _through(_failing, {"path": f"/\ud800{TYPED}"})
    assert start["status"] == 500
    assert body["body"] == b"page 500"
    assert "RuntimeError" in caplog.text
    assert TYPED not in caplog.text
    assert TYPED not in "".join(capsys.readouterr())


async def test_a_page_that_fails_late_is_cut_off_and_never_answered_twice() -> None:
    sent = await _through(_failing_late, {})
    assert [message["type"] for message in sent] == ["http.response.start"]


async def test_what_is_no_request_is_left_alone() -> None:
    assert await _through(_failing, {"type": "websocket"}) == []


async def test_the_name_localhost_is_ours_too(panel: PanelProcess) -> None:
    headers = {"Host": f"localhost:{panel.port}"}
    async with httpx.AsyncClient() as client:
        assert (await client.get(panel.url, headers=headers)).status_code == 200


HOSTS = ("h", "H", "evil.example", "h.", "h:1", "h@evil.example", "")
ORIGINS = ("http://h", "https://h", "http://h.evil.example", "http://H", "null", "")
SITES = ("same-origin", "same-site", "cross-site", "none", "")


async def test_of_all_hosts_origins_and_sites_only_our_own_pages_post() -> None:
    through = []
    for host, origin, site in product(HOSTS, ORIGINS, SITES):
        told = {"host": host, "origin": origin, "sec-fetch-site": site}
        headers = [
            *((name.encode(), value.encode()) for name, value in told.items() if value),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", b"0"),
        ]
        start, *_ = await _through(_welcoming, {"method": "POST", "headers": headers})
        if start["status"] == 200:
            through.append((host, origin, site))
        else:
            assert start["status"] in (400, 403), told
    assert through == [
        (host, "http://h", site) for host in ("h", "H") for site in (SITES[0], "")
    ]


async def _welcoming(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
