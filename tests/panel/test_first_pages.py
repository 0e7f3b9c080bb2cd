# SPDX-License-Identifier: Apache-2.0
"""The pages of an empty box: a file sent, looked into, restored, or taken back."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.panel.backup_view import FAULTS, STEPS, read_first
from edge.panel.upload import PIECE, UPLOADS
from edge.panel.words import Words
from tests.panel.scripted_gateway import TABLET
from tests.panel.test_cupboard_pages import press

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

PHRASE = "seven quiet horses"
HERE, FILE = "/first/restore", "/first/restore/file"
WORDS = Words()


@pytest.fixture
async def first(
    panel: PanelProcess, gateway: ScriptedGateway
) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of the tablet that the label's code paired."""
    gateway.turns["first"] = {"is_first": True, "has_manager": False}
    gateway.answers["first-restore-begin"] = {"state": "begun", "ticket": "t1"}
    gateway.answers["first-restore-piece"] = {"state": "taken"}
    async with httpx.AsyncClient(
        base_url=panel.url,
        headers={"Origin": panel.url.rstrip("/")},
        cookies={"tablet": TABLET, "session": "first"},
    ) as client:
        yield client


def say(gateway: ScriptedGateway, **told: Any) -> None:
    gateway.readings["first-restore"] |= told


async def token(first: httpx.AsyncClient) -> str:
    found = re.search(r'name="token" value="([^"]+)"', (await first.get(HERE)).text)
    assert found is not None
    return found.group(1)


async def send(first: httpx.AsyncClient, content: bytes, **more: Any) -> str:
    form = {"token": await token(first)} | more
    files = {"file": ("../../etc/passwd", content, "text/html")}
    answer = await first.post(FILE, data=form, files=files)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, {"at_ms": "x"}])
def test_nothing_that_comes_in_breaks_the_view(odd: Any) -> None:
    known = read_first({"step": odd, "inside": odd, "fault": odd, "waits": odd})
    assert (known.step, known.waits, known.at) == ("away", "", "")
    assert known.fault in ("", "other")


def test_every_step_and_every_fault_has_words() -> None:
    for step in ("looking", "staging", "ending", "away"):
        assert f"first_step.{step}" in WORDS
    assert {"empty", "held", "done"} < STEPS
    for fault in FAULTS:
        assert f"first_fault.{fault}" in WORDS


async def test_a_file_goes_to_the_gateway_in_pieces_and_nothing_beside_it(
    gateway: ScriptedGateway, first: httpx.AsyncClient
) -> None:
    say(gateway, step="empty")
    content = bytes(range(256)) * 500
    assert await send(first, content) == HERE
    begun, *pieces = gateway.orders
    assert begun["verb"] == "first-restore-begin"
    assert len(content) < begun["bytes"] <= max(UPLOADS.values())
    assert [each["offset"] for each in pieces] == [0, PIECE, 2 * PIECE]
    assert [each["is_last"] for each in pieces] == [False, False, True]
    assert all(len(each["piece"]) < 65_000 for each in pieces)
    sent = b"".join(base64.b64decode(each["piece"]) for each in pieces)
    assert sent == content
    assert "passwd" not in str(gateway.orders)


@pytest.mark.parametrize(
    ("verb", "word"),
    [
        ("begin", "busy"),
        ("begin", "room"),
        ("begin", "size"),
        ("piece", "piece"),
        ("piece", "room"),
    ],
)
async def test_what_hinders_it_is_told_and_the_rest_is_read_away(
    gateway: ScriptedGateway, first: httpx.AsyncClient, verb: str, word: str
) -> None:
    say(gateway, step="empty")
    gateway.answers[f"first-restore-{verb}"] = {"state": word}
    assert await send(first, bytes(300_000)) == f"{HERE}?told=first.{word}"
    assert len(gateway.orders) <= 2
    assert (
        WORDS.say(f"told_first.{word}").zh
        in (await first.get(f"{HERE}?told=first.{word}")).text
    )


async def test_only_the_token_of_a_page_lets_a_file_in_and_only_once(
    gateway: ScriptedGateway, first: httpx.AsyncClient
) -> None:
    say(gateway, step="empty")
    used = await token(first)
    await send(first, b"well", token=used)
    gateway.orders.clear()
    for bad in (used, "guess", "x" * 900):
        assert await send(first, b"well", token=bad) == f"{HERE}?told=first.again"
    swapped = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
        b'--B\r\nContent-Disposition: form-data; name="token"\r\n\r\n'
        + (await token(first)).encode()
        + b"\r\n--B--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    long = b'--B\r\nContent-Disposition: form-data; name="' + b"x" * 9_000
    bodies = (
        long,
        swapped,
        swapped[:40],
        b"",
        b"no form",
        b"--B\r\n" * 900,
        b"--B--\r\n",
    )
    for body in bodies:
        answer = await first.post(FILE, content=body, headers=kind)
        assert answer.headers["location"].startswith(f"{HERE}?told=first."), body[:40]
    bare = {"Content-Type": "multipart/form-data"}
    answer = await first.post(FILE, content=b"x", headers=bare)
    assert answer.headers["location"] == f"{HERE}?told=first.again"
    assert gateway.orders == []


async def test_a_form_of_the_wrong_kind_or_size_is_refused_before_it_is_read(
    first: httpx.AsyncClient, panel: PanelProcess
) -> None:
    answer = await first.post(FILE, data={"token": "x"})
    assert answer.status_code == 400
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    assert (await first.post("/first", content=b"x", headers=kind)).status_code == 400
    reader, writer = await asyncio.open_connection("127.0.0.1", panel.port)
    head = (
        f"POST {FILE} HTTP/1.1\r\nHost: 127.0.0.1:{panel.port}\r\n"
        f"Origin: {panel.url.rstrip('/')}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\n"
        f"Content-Length: {(512 << 20) + 9_999}\r\n\r\n"
    )
    writer.write(head.encode())
    assert b" 413 " in await reader.readline()
    writer.close()


async def test_what_is_inside_is_shown_and_going_back_comes_first(
    gateway: ScriptedGateway, first: httpx.AsyncClient
) -> None:
    page = (await first.get(HERE)).text
    for word in ("4711", "31", "录音和语言 12 个文件", "2026-11-22 14:32"):
        assert word in page, word
    back = page.index('action="/first/restore/cancel"')
    assert back < page.index("4711") < page.index('action="/first/restore"')
    assert len(page) < 15_000
    gateway.answers["first-restore-go"] = {"state": "begun"}
    where = await press(first, HERE, HERE, passphrase=PHRASE)
    assert where == HERE
    assert gateway.orders.pop()["passphrase"] == PHRASE
    gateway.answers["first-restore-cancel"] = {"state": "done"}
    assert await press(first, HERE, "/first/restore/cancel") == HERE
    gateway.does_refuse = True
    told = await press(first, HERE, HERE)
    assert told == f"{HERE}?told=first.busy"


@pytest.mark.parametrize("step", ["looking", "staging", "ending"])
async def test_how_far_it_is_stands_on_the_page(
    gateway: ScriptedGateway, first: httpx.AsyncClient, step: str
) -> None:
    say(gateway, step=step, fault="", waits="DOOR" if step == "ending" else "")
    page = (await first.get(HERE)).text
    assert WORDS.say(f"first_step.{step}").zh in page
    assert ("等门关好" in page) is (step == "ending")
    assert 'name="passphrase"' not in page


async def test_a_fault_is_told_with_what_to_do(
    gateway: ScriptedGateway, first: httpx.AsyncClient
) -> None:
    say(gateway, fault="passphrase", detail="that is not the passphrase of its keys")
    page = (await first.get(HERE)).text
    assert "口令不对" in page
    assert 'name="passphrase"' in page, "and it may be tried again"
    say(gateway, step="empty", fault="site", detail="site.toml:9 door: <b>")
    page = (await first.get(HERE)).text
    assert "&lt;b&gt;" in page
    assert 'type="file"' in page


async def test_nobody_else_has_these_pages_and_a_box_without_keys_has_no_other(
    gateway: ScriptedGateway, first: httpx.AsyncClient
) -> None:
    assert HERE in (await first.get("/first")).text
    gateway.turns["first"]["is_empty"] = True
    assert (await first.get("/first")).headers["location"] == HERE
    gateway.turns["first"] |= {"has_manager": True, "is_first": False}
    assert (await first.get(HERE)).status_code == 404
    answer = await first.post(FILE, data={"token": "x"}, files={"file": b"x"})
    assert answer.headers["location"] == "/"
    assert gateway.orders == []
    say(gateway, step="done", file="menshen-kl-20261122-033000.tar.gz")
    page = (await first.get(HERE)).text
    assert "已经换回 2026-11-22 03:30" in page
