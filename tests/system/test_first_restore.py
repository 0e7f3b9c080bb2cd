# SPDX-License-Identifier: Apache-2.0
"""An empty box and a backup with its keys: from a label's code to somebody's turn."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from edge.cli.backup.adopted import ADOPTED
from edge.cli.backup.finishing import result
from edge.cli.backup.making import make
from edge.cli.backup.manifest import KEPT_SITE
from edge.cli.children import free_port
from edge.cli.run import AGAIN
from edge.control.client import ControlError, ask
from tests.edge.panel_site import DESK, panel_site
from tests.edge.small_site import TEXT
from tests.edge.test_first_run import code_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

PIN, PHRASE = "274916", "seven quiet horses"
AT_MS = 1_795_329_120_000
WITHIN_S = 60.0


async def lived_in(folder: Path, port: int) -> Path:
    """Return a backup, with keys, of a place with a manager and a voice of its own."""
    async with panel_site(folder) as site:
        add = {"name": "李站长", "role": "MANAGER", "pin": PIN}
        await site.shell("account-add", **add)
        await site.until_told("SETTINGS_CHANGED")
    state = folder / "state"
    (state / "voice" / "yue").mkdir(parents=True)
    (state / "voice" / "yue" / "granted.wav").write_bytes(b"RIFF of Auntie Chen")
    text = (folder / "site.toml").read_text("utf-8")
    (state / KEPT_SITE).write_text(f"{text}\n[panel]\nport = {port}\n", "utf-8")
    out = folder / "taken-away.tar.gz"
    make(state, at_ms=AT_MS, version="0.1.0", out=out, passphrase=PHRASE)
    return out


@asynccontextmanager
async def process(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            started.terminate()
        await started.communicate()


async def said(*words: str) -> str:
    async with process(*words) as done:
        told, errors = await done.communicate()
    assert done.returncode == 0, errors.decode()
    return told.decode()


async def page_when(http: httpx.AsyncClient, url: str, word: str) -> str:
    """Look at a page until it says something, as one looks at a tablet."""
    page = ""
    with suppress(TimeoutError):
        async with asyncio.timeout(WITHIN_S):
            while word not in page:
                await asyncio.sleep(0.1)
                with suppress(httpx.TransportError):
                    page = (await http.get(url)).text
    assert word in page, page
    return page


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


async def pair(http: httpx.AsyncClient, code: str) -> None:
    page = await page_when(http, f"/pair?t={code}", 'name="code"')
    form = {"token": token_of(page), "code": code, "name": "前台平板"}
    answer = await http.post("/pair", data=form)
    assert answer.headers["location"] == "/first", answer.text


async def send(http: httpx.AsyncClient, content: bytes) -> str:
    page = await page_when(http, "/first/restore", 'type="file"')
    files = {"file": ("old.tar.gz", content, "application/gzip")}
    form = {"token": token_of(page)}
    answer = await http.post("/first/restore/file", data=form, files=files)
    return str(answer.headers["location"])


async def test_an_empty_box_is_restored_from_the_browser(tmp_path: Path) -> None:
    before, after = free_port(), free_port()
    backup = await lived_in(tmp_path / "old", after)
    site, state = tmp_path / "site.toml", tmp_path / "new"
    site.write_text(
        TEXT.replace("hall-7", "new-box") + DESK + f"\n[panel]\nport = {before}\n",
        "utf-8",
    )
    where = ("--site", str(site), "--state", str(state))
    label = await said("edge.cli.main", "init", *where)
    code = code_in(label)
    url = f"http://127.0.0.1:{before}"
    headers = {"Origin": url}
    async with (
        process("edge.cli.run", *where) as gateway,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http,
    ):
        await answers(state)
        async with process("edge.cli.main", "panel", *where) as panel:
            await pair(http, code)
            torn = await send(http, backup.read_bytes()[:-2_000])
            assert torn == "/first/restore"
            await page_when(http, torn, "这份底坏了")
            assert await send(http, backup.read_bytes()) == "/first/restore"
            page = await page_when(http, "/first/restore", 'name="passphrase"')
            assert "hall-7" in page
            assert page.index("/first/restore/cancel") < page.index("hall-7")
            form = {"token": token_of(page), "passphrase": "eight loud horses"}
            await http.post("/first/restore", data=form)
            page = await page_when(http, "/first/restore", "口令不对")
            assert not (state / "journal.db").exists(), "as empty as before"
            form = {"token": token_of(page), "passphrase": PHRASE}
            await http.post("/first/restore", data=form)
            async with asyncio.timeout(WITHIN_S):
                assert await gateway.wait() == AGAIN
            async with process("edge.cli.run", *where):
                await answers(state)
                async with asyncio.timeout(WITHIN_S):
                    assert await panel.wait() == AGAIN, "its words are others now"
                async with process("edge.cli.main", "panel", *where):
                    await works_as_before(http.cookies, after)
    assert (state / ADOPTED).read_text("utf-8").startswith(TEXT[:40])
    voice = state / "voice" / "yue" / "granted.wav"
    assert voice.read_bytes() == b"RIFF of Auntie Chen"
    assert result(state)["file"] == "menshen-hall-7-20261122-143200.tar.gz"
    shutil.rmtree(tmp_path / "old")


async def works_as_before(cookies: httpx.Cookies, port: int) -> None:
    """See that the tablet stays paired and the manager of before logs in."""
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(
        base_url=url, headers={"Origin": url}, timeout=30, cookies=dict(cookies)
    ) as http:
        await page_when(http, "/first/restore", "已经换回 2026-11-22 14:32")
        page = await page_when(http, "/login", "李站长")
        [account] = re.findall(r"/login/pin/(acc-\w+)", page)
        page = (await http.get(f"/login/pin/{account}")).text
        form = {"token": token_of(page), "account": account, "pin": PIN}
        answer = await http.post("/login/pin", data=form)
        assert answer.headers["location"] == "/", answer.text
        assert (await http.get("/backup")).status_code == 200
        assert (await http.get("/first/restore")).status_code == 200


async def answers(state: Path) -> None:
    """Wait until somebody answers at the control socket."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            with suppress(ControlError):
                await asyncio.to_thread(ask, state / "control.sock", "status")
                return
            await asyncio.sleep(0.05)
