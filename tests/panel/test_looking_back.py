# SPDX-License-Identifier: Apache-2.0
"""Today, log, export and devices: what they say, and what they never do."""

from __future__ import annotations

import asyncio
import copy
import re
import signal
import tracemalloc
import zipfile
from datetime import date
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.panel.bookbinder import binding
from edge.panel.charts import HIGH, WIDE, bars, steps, strip
from edge.panel.export_pages import Exports, Waiting
from edge.panel.gate import Gate
from edge.panel.health import health
from edge.panel.log_view import line_of, reasons
from edge.panel.records_report import read_rows, read_today
from edge.panel.report import read_status
from edge.panel.sheets import BOM, COLUMNS, cells_of, csv_text, heads
from edge.panel.standing import Standing, reported
from edge.panel.today import today_page
from edge.panel.view import Tone
from edge.panel.visitor import Keys, Visitor
from edge.panel.words import Words
from edge.panel.workbook import Workbook
from tests.panel.every_page import RECORD
from tests.panel.readings import MINUTE_MS, NOW_MS
from tests.panel.scripted_gateway import CALM, TABLET
from tests.panel.test_gated import app_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.panel.ground import Ground
    from tests.panel.scripted_gateway import ScriptedGateway

WORDS = Words()
MANAGER = {"tablet": TABLET, "session": "manager"}
HOURS = [0] * 8 + [3, 6, 9, 4, 2, 5, 8] + [0] * 9
TODAY: dict[str, Any] = {
    "now": 9,
    "today": {
        "came": 37,
        "by_hour": HOURS,
        "inside": [0] * 32 + [2, 5, 7, 9],
        "by_hand": 9,
        "refused": 0,
        "reasons": {"NO_BOOKING": 5, "<b>": 4},
    },
    "week": [{"day": "2026-11-21", "came": 20}, {"day": "2026-11-22", "came": 37}],
}
#: What a hand on the gateway's side might put beside what is shown.
ROW: dict[str, Any] = RECORD | {"holder": "h-secret", "name": "陈姨"}
#: What must not begin a cell, and what a hand at the platform might put into one.
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://x")')


@pytest.fixture
async def ground(gateway: ScriptedGateway) -> AsyncIterator[Ground]:
    """A panel's pages in this loop, watching the gateway."""
    app, ground = app_of(gateway)
    ground.app = Gate(app, frozenset({"h"}), ground.pages.error)  # type: ignore[attr-defined]
    watching = asyncio.create_task(ground.link.run())
    await ground.hub.wait(0)
    yield ground
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.fixture
async def manager(ground: Ground) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=ground.app)  # type: ignore[attr-defined]
    async with httpx.AsyncClient(
        base_url="http://h",
        headers={"Origin": "http://h"},
        cookies=MANAGER,
        transport=transport,
    ) as client:
        yield client


def standing(**changed: Any) -> Standing:
    status = copy.deepcopy(CALM) | changed
    report = read_status(status)
    assert report is not None
    return reported(Standing(), report, 100.0)


def line(**changed: Any) -> Any:
    report = standing().report
    assert report is not None
    [row] = read_rows({"rows": [ROW | changed]})
    return line_of(row, report, WORDS)


def test_today_is_a_sentence_before_it_is_a_chart() -> None:
    report = read_today(TODAY)
    assert report is not None
    page = today_page(report, WORDS, is_manager=True)
    assert [phrase.zh for phrase in page.sentences] == [
        "今天来了 37 人，现在里面 9 人。",
        "最忙是 10 点多，来了 9 人。",
        "人工放行 9 人，占 24%。",
    ]
    assert page.hint is not None
    assert [(words.zh, n) for words, n in page.reasons] == [
        ("没有预约，有空位", 5),
        ("其他", 4),
    ]
    assert [each.hour for each in page.hours] == list(range(8, 15))
    assert [day.zh for day, _ in page.week] == ["周六 11-21", "周日 11-22"]


def test_a_volunteer_gets_no_hint_and_no_heat() -> None:
    told = copy.deepcopy(TODAY)
    told["week"][0]["by_hour"] = HOURS
    report = read_today(told)
    assert report is not None
    page = today_page(report, WORDS, is_manager=False)
    assert (page.hint, page.heat, page.heat_hours) == (None, None, ())
    assert today_page(report, WORDS, is_manager=True).heat is not None


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"today": 1},
        {"today": {}},
        {"today": {"came": -1, "by_hour": "x", "inside": [None, True, 1 << 80]}},
        {"today": {"reasons": [1]}, "week": [None, {"day": 7}, {"day": "1-1-1"}]},
    ],
)
def test_a_gateway_that_talks_nonsense_draws_a_page_all_the_same(told: Any) -> None:
    report = read_today(told)
    if report is not None:
        page = today_page(report, WORDS, is_manager=True)
        assert page.sentences


def test_charts_stay_within_their_picture() -> None:
    for values in ([], [0], [0] * 24, HOURS, [1, 100_000, 3]):
        for chart in (bars(values), strip(values)):
            for box in chart.boxes:
                assert 0 <= box.x < box.x + box.wide <= WIDE
                assert 0 <= box.y < box.y + box.high <= HIGH
        for number in re.findall(r"V(\d+)", steps(values, 96).path):
            assert 0 <= int(number) <= HIGH
    assert steps([1, 1, 2], 96).path == "M0 90H10V30H15"


def test_a_refusal_is_told_with_its_reason_in_plain_words() -> None:
    shown = line()
    assert (shown.time, shown.place) == ("14:32", "厨房门")
    assert shown.what.zh == "没进成"
    assert shown.why.zh == "预约的是城市客厅"
    assert (shown.way.zh, shown.tail) == ("二维码", "0042")
    assert "h-secret" not in repr(shown)
    assert "陈姨" not in repr(shown)


def test_what_a_newer_gateway_tells_is_told_in_general_words() -> None:
    assert line(k="NEW_KIND").what.zh == "别的事"
    assert line(reason="NEW_RULE").why.zh == "需要值班员帮忙看看"
    assert line(k="MANUAL_ENTRY", reason="<script>").why.zh == "其他"
    assert line(at="nowhere").place == ""
    assert reasons(WORDS)["TOO_LATE"].zh == "预约的时间过了"


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_of_an_export_becomes_a_formula(cell: str, tmp_path: Path) -> None:
    text = csv_text([[cell, "x"]])
    assert text.lstrip('"').startswith("'"), text
    path = tmp_path / "log.xlsx"
    book = Workbook(path)
    book.add([[cell] * len(COLUMNS)])
    book.close()
    with zipfile.ZipFile(path) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet.lower().replace("=hyperlink(", "")


def test_columns_are_those_that_were_promised() -> None:
    assert " ".join(heads(WORDS)) == "时间 门 方式 结果 原因 人数 值班员 预约尾号"
    cells = cells_of(line(persons=2, by="李*"))
    assert cells == (
        *("14:32", "厨房门", "二维码", "没进成", "预约的是城市客厅"),
        *("2", "李*", "0042"),
    )


def test_a_workbook_of_many_rows_needs_no_room_for_them(tmp_path: Path) -> None:
    rows = [
        ["2026-11-22 14:32", "厨房门", "卡", "可以进", "", "1", "李*", "0042"]
    ] * 200
    book = Workbook(tmp_path / "log.xlsx")
    book.add(rows)
    tracemalloc.start()
    for _ in range(10):
        book.add(rows)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    book.close()
    assert most < 200_000, "2,000 rows of 400 bytes were kept"


async def order_export(http: httpx.AsyncClient, form: str) -> str:
    """Have an export written down; return where that leads."""
    page = (await http.get("/export")).text
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    data = {"token": found.group(1), "form": form, "first": "2026-11-16"}
    answer = await http.post("/export", data=data)
    return str(answer.headers["location"])


async def test_nothing_is_fetched_that_was_not_written_down_first(
    gateway: ScriptedGateway, manager: httpx.AsyncClient
) -> None:
    answer = await manager.get("/export/file")
    assert answer.headers["location"] == "/export?told=export.gone"
    assert gateway.orders == []
    gateway.answers["export"] = {"ok": False, "error": "last: at most 366 days"}
    assert await order_export(manager, "csv") == "/export?told=export.days"
    assert (await manager.get("/export/file")).status_code == 303
    [order] = gateway.orders
    assert (order["verb"], order["first"]) == ("export", "2026-11-16")


async def test_a_file_is_sent_with_its_days_in_its_name(
    gateway: ScriptedGateway, manager: httpx.AsyncClient
) -> None:
    days = ["2026-11-16", "2026-11-22"]
    gateway.answers["export"] = {"export": "word", "days": days}
    gateway.answers["export-rows"] = {"rows": [ROW], "next": 0}
    assert await order_export(manager, "csv") == "/export?told=export.ready"
    answer = await manager.get("/export/file")
    name = 'attachment; filename="menshen-2026-11-16-2026-11-22.csv"'
    assert answer.headers["content-disposition"] == name
    assert answer.text.startswith(BOM + "时间,门")
    assert "11-22 14:32,厨房门,二维码,没进成" in answer.text


async def test_half_a_file_never_looks_like_all_of_it(
    gateway: ScriptedGateway, ground: Ground
) -> None:
    visitor = Visitor(keys=Keys(**MANAGER))
    day = date(2026, 11, 22)
    for form in ("csv", "xlsx"):
        waiting = Waiting(name="word", form=form, first=day, last=day)
        gateway.answers["export-rows"] = {"rows": [ROW], "next": 0}
        whole = [part async for part in Exports(ground).file(visitor, waiting)]
        assert whole
        gateway.answers["export-rows"] = {"ok": False, "error": "gone meanwhile"}
        with pytest.raises(ConnectionError):
            [part async for part in Exports(ground).file(visitor, waiting)]


async def test_a_workbook_whose_writer_fails_is_no_workbook(tmp_path: Path) -> None:
    async with binding(tmp_path / "missing" / "log.xlsx") as book:
        await book.add([heads(WORDS)])
        with pytest.raises(ConnectionError):
            await book.finish()


async def test_a_workbook_that_nobody_finishes_leaves_no_writer(tmp_path: Path) -> None:
    async with binding(tmp_path / "log.xlsx") as book:
        await book.add([heads(WORDS)])
        writer = book._writer
    assert writer.returncode == -signal.SIGKILL


async def test_the_log_keeps_what_is_asked_and_echoes_nothing_else(
    gateway: ScriptedGateway, manager: httpx.AsyncClient
) -> None:
    gateway.answers["records"] = {"rows": [ROW] * 50, "before": 850}
    page = await manager.get("/log?group=refused&find=0042&day=week&reason=TOO_EARLY")
    assert len(page.content) <= 15_000
    older = "/log?day=week&amp;group=refused&amp;find=0042&amp;reason=TOO_EARLY"
    assert f'{older}&amp;before=850"' in page.text
    odd = await manager.get('/log?group="><b>&find=<b>&day=<b>&reason=<b>&told=<b>')
    assert odd.status_code == 200
    assert "<b>" not in odd.text.replace("<br>", "")
    assert (await manager.get("/log?before=x")).status_code == 422


def test_the_worst_stands_first_and_what_is_well_is_folded() -> None:
    devices = copy.deepcopy(CALM["devices"])
    devices["board"] |= {
        "online": False,
        "state": "OFFLINE",
        "good_ms": NOW_MS - 5 * MINUTE_MS,
        "since_ms": NOW_MS - MINUTE_MS,
    }
    devices["kitchen-reader"] |= {"shows": True}
    away = {"connected": False}
    doors = copy.deepcopy(CALM["doors"])
    doors["kitchen-door"]["phase"] = "OPEN_TOO_LONG"
    known = standing(devices=devices, platform=away, doors=doors)
    page = health(known, WORDS, 100.0 + 130)
    assert [notice.tone for notice in page.notices] == [Tone.BAD, Tone.WARN, Tone.WARN]
    titles = [notice.title.zh for notice in page.notices]
    assert titles == [
        "门锁控制板 7 分钟没有回应",
        "厨房门开着 2 分钟了",
        "网络断了 2 分钟，照常用",
    ]
    note = page.notices[0].note
    assert note is not None
    assert note.zh == "上次正常 14:27"
    assert page.fine == (("kitchen-reader", "厨房门读卡器"),)
    assert page.heard == {"kitchen-reader": "厨房门读卡器"}
    assert page.title.zh == "有 3 样要看一看"


def test_a_box_that_has_just_started_or_is_silent_is_not_red() -> None:
    devices = copy.deepcopy(CALM["devices"])
    for device in devices.values():
        device["online"] = False
    young = health(standing(devices=devices, uptime_s=4.0), WORDS, 100.0)
    assert young.title.zh == "刚开机，还在检查"
    assert [notice.tone for notice in young.notices] == [Tone.INFO]
    silent = health(Standing(), WORDS, 100.0)
    assert silent.title.zh == "盒子还没有回应，现在不知道"
    assert (silent.notices, silent.fine) == ((), ())
    assert health(standing(), WORDS, 100.0).title.zh == "都正常"


async def test_the_devices_page_says_what_became_of_a_press(
    gateway: ScriptedGateway, ground: Ground, manager: httpx.AsyncClient
) -> None:
    gateway.status["devices"]["kitchen-reader"]["shows"] = True
    gateway.show()
    gateway.answers["beep"] = {"state": "away"}
    gateway.answers["box"] = {"disk_mb": 31_000, "secret": "x-secret", "wires": 1}
    await ground.hub.wait(ground.hub.version)
    page = (await manager.get("/devices")).text
    assert re.search(r"让它叫一声 <span.*?</span><span.*?>厨房门读卡器<", page)
    assert "31000" in page
    assert "x-secret" not in page
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    data = {"token": found.group(1), "device": "kitchen-reader"}
    answer = await manager.post("/devices/beep", data=data)
    assert answer.headers["location"] == "/devices?told=devices.away"
    assert "叫不响" in (await manager.get(answer.headers["location"])).text
