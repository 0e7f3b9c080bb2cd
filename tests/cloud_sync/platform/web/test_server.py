# SPDX-License-Identifier: Apache-2.0
"""The platform's web server: who is let in, what it never says, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from cloud_sync.platform.settings import SettingsError
from cloud_sync.platform.web import app as web_app
from cloud_sync.platform.web import peer
from cloud_sync.platform.web.app import Caller  # noqa: TC001  FastAPI reads it
from cloud_sync.platform.web.server import serve
from tests.cloud_sync.platform.desk import NOW_MS
from tests.cloud_sync.platform.web.conftest import serving
from tests.cloud_sync.scripted_platform import GATEWAY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cloud_sync.platform.web.conftest import Web

PLANTED = "44010619900101123X"


class Typed(BaseModel):
    number: int


@pytest.fixture(autouse=True)
def routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Routes as a slice would add them."""
    anybody, gateways = APIRouter(), APIRouter()

    @gateways.get("/who")
    async def who(gateway: Caller) -> dict[str, str]:
        return {"gateway": gateway}

    @anybody.post("/typed")
    async def typed(body: Typed) -> dict[str, int]:
        return {"number": body.number}

    @anybody.get("/broken")
    async def broken() -> None:
        raise RuntimeError(PLANTED)

    @anybody.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(web_app, "_routers", lambda _: ([anybody], [gateways]))


async def test_only_a_registered_gateway_with_a_good_certificate_is_let_in(
    web: Web,
) -> None:
    ours, other = web.authority.issue(GATEWAY), web.authority.issue("gw-unknown-1")
    async with web.client() as nobody:
        assert (await nobody.get("/healthz")).json() == {"ok": True}
        answer = await nobody.get("/who")
        assert (answer.status_code, answer.json()["error"]) == (401, "NO_CERTIFICATE")
    async with web.client(other) as stranger:
        assert (await stranger.get("/who")).status_code == 403
    async with web.client(ours) as gateway:
        assert (await gateway.get("/who")).json() == {"gateway": GATEWAY}
        async with web.lent.database.writing() as work:
            await work.execute(
                "INSERT INTO certificate (serial, gateway, issued_ms, ends_ms, "
                "revoked_ms) VALUES (?1, ?2, 1, 2, ?3)",
                f"{ours.serial:x}",
                GATEWAY,
                NOW_MS,
            )
        answer = await gateway.get("/who")  # on the connection that was good before
        assert answer.json()["error"] == "CERTIFICATE_REFUSED"


async def test_a_certificate_of_another_authority_does_not_get_through_tls(
    web: Web, tmp_path: Path
) -> None:
    from tests.certificates import Authority

    folder = tmp_path / "other"
    folder.mkdir()
    forged = Authority(folder).issue(GATEWAY)
    async with web.client(forged) as client:
        with pytest.raises(httpx.TransportError):
            await client.get("/who")


async def test_nothing_that_was_sent_comes_back(
    web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    async with web.client() as client:
        for answer in (
            await client.post("/typed", json={"number": PLANTED}),
            await client.post("/typed", content=b'{"number":"\\ud800"}'),
            await client.post("/typed", content=PLANTED.encode() * 8000),
            await client.get(f"/{PLANTED}"),
            await client.get("/broken"),
            await client.get("/docs"),
            await client.get("/openapi.json"),
            await client.post("/healthz"),
        ):
            assert 400 <= answer.status_code <= 500
            assert set(answer.json()) == {"error", "what"}
            assert PLANTED not in answer.text
            assert "Traceback" not in answer.text
            assert "server" not in answer.headers
    told = capsys.readouterr()
    assert PLANTED not in told.out + told.err


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ",
        b"POST /typed HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
    ],
)
async def test_who_brings_no_whole_request_is_hung_up_on(
    web: Web, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(peer, "PATIENCE_S", 0.2)
    context = ssl.create_default_context(cafile=web.authority.ca)
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port, ssl=context)
    writer.write(begun)
    async with asyncio.timeout(3):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()
    async with web.client() as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_it_ends_within_a_second_whoever_waits(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with serving(tmp_path) as web, web.client() as client:
        asking = asyncio.create_task(client.get("/slow"))
        _, idle = await asyncio.open_connection("127.0.0.1", web.port)
        await asyncio.sleep(0.2)
        begun_s = loop.time()
    assert loop.time() - begun_s < 1.5
    with pytest.raises(httpx.TransportError):
        await asking
    idle.close()


async def test_a_port_that_is_taken_and_a_key_that_is_open_are_told(web: Web) -> None:
    settings, folder = web.lent.settings.web, web.lent.folder
    assert settings is not None
    with pytest.raises(SettingsError, match="in use"):
        await serve(settings, web.lent)
    (folder / "web.key").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        await serve(settings, web.lent)


def test_a_platform_without_it_does_not_carry_it() -> None:
    words = (
        "import sys; import cloud_sync.platform.application; "
        "print({'fastapi', 'uvicorn'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", words], check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "set()"
