# SPDX-License-Identifier: Apache-2.0
"""Backups over HTTP: what is told of them, and what a press leads to."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from edge.panel.backup_view import date_of, read_backups, read_inside
from tests.panel.scripted_gateway import TABLET
from tests.panel.test_cupboard_pages import press

if TYPE_CHECKING:
    import httpx

    from tests.panel.scripted_gateway import ScriptedGateway

NAME = "menshen-kl-20261122-033000.tar.gz"
TICKET = "ab" * 16


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, {"files": 3}, {"files": [1]}])
def test_nothing_that_comes_in_breaks_the_view(odd: Any) -> None:
    value = odd if isinstance(odd, dict) else {"files": odd, "restored": odd}
    assert read_backups(value).files == ()
    found = read_inside(value | {"events": odd, "at_ms": "x", "offset_hours": odd})
    assert found.at == ""
    assert found.events in (None, odd)


def test_a_name_says_when_and_no_other_name_is_shown() -> None:
    assert date_of(NAME) == "2026-11-22 03:30"
    for odd in ("", "x.tar.gz", f"../{NAME}", f"{NAME}.new", NAME.replace("2", "二")):
        assert date_of(odd) == ""


async def test_the_list_says_what_there_is_and_what_goes_on(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.update({"tablet": TABLET, "session": "installer"})
    page = (await http.get("/backup")).text
    assert "2026-11-22 03:30" in page
    assert "1.2 MB" in page
    assert "passwd" not in page
    assert len(page) < 15_000
    gateway.readings["backups"] |= {
        "fault": "no room (12 MB are needed)",
        "is_ending": True,
        "waits": "DOOR",
        "restored": {"file": NAME},
    }
    page = (await http.get("/backup")).text
    words = ("没做成", "12 MB", "等门关好", "已经换回 2026-11-22 03:30", "不换了")
    for word in words:
        assert word in page, word
    gateway.readings["backups"] = {"restored": {"fault": "torn"}}
    page = (await http.get("/backup")).text
    assert "还没有留过底" in page
    assert "没换回去" in page


async def test_a_restore_shows_what_is_inside_and_going_back_comes_first(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.update({"tablet": TABLET, "session": "installer"})
    page = (await http.get(f"/backup/{NAME}")).text
    for word in ("4711", "31", "没有钥匙文件", "2026-11-22 14:32"):
        assert word in page, word
    assert 'action="/backup/take"' not in page, "an installer takes nothing away"
    sure = (await http.get(f"/backup/{NAME}/restore")).text
    back = sure.index(f'href="/backup/{NAME}"')
    assert back < sure.index("4711") < sure.index('action="/backup/restore"')
    assert gateway.orders == []
    gateway.answers["restore-ask"] = {"state": "begun"}
    form = {"name": NAME}
    where = await press(http, f"/backup/{NAME}/restore", "/backup/restore", **form)
    assert where == "/backup?told=backup.restoring"
    assert gateway.orders.pop()["name"] == NAME
    gateway.answers["backup-make"] = {"state": "begun"}
    where = await press(http, "/backup", "/backup/make")
    assert where == "/backup?told=backup.begun"
    assert (await http.get("/backup/menshen-x-20200101-000000.tar.gz")).status_code == (
        404
    )


async def test_a_manager_fetches_a_file_in_pieces_with_a_second_person(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.update({"tablet": TABLET, "session": "manager"})
    content = base64.b64encode(b"a whole backup").decode()
    gateway.answers["backup-take"] = {"state": "done", "ticket": TICKET}
    gateway.answers["backup-read"] = {"piece": content, "bytes": 14, "name": NAME}
    form = {"name": NAME, "second": "acc-1", "second_pin": "613950"}
    where = await press(http, f"/backup/{NAME}", "/backup/take", **form)
    assert where == f"/backup/file/{TICKET}"
    assert gateway.orders.pop()["second_account"] == "acc-1"
    fetched = await http.get(where)
    assert fetched.content == b"a whole backup"
    assert NAME in fetched.headers["content-disposition"]
    gateway.does_refuse = True
    where = await press(http, f"/backup/{NAME}", "/backup/take", **form)
    assert where == f"/backup/{NAME}?told=second"
    assert (await http.get(f"/backup/file/{TICKET}")).status_code == 404
