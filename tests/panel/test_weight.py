# SPDX-License-Identifier: Apache-2.0
"""What the panel's process weighs on a small board, with all that people open.

The figure is the kernel's: the most that was ever resident, libraries that others use
too included. A development environment weighs a little more than a site's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx

from edge.cli.bench.process_figures import peak_mib
from edge.panel.look import COOKIE, Look
from edge.panel.words import LANGUAGES
from tests.panel.every_page import WALKERS, every_page, populate
from tests.panel.test_looking_back import ROW, order_export

if TYPE_CHECKING:
    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

#: A day's use stays below 60 (``menshen bench panel``); here each page is read in each
#: language and a workbook written on top, which nobody does.
MAX_MIB = 61.0
TABLETS = 10
#: What the panel does without: pictures of a terminal, a second pydantic, and what is
#: needed for one page or by a process of its own.
NOT_AT_START = ("rich", "structlog", "pydantic.v1", "segno", "xlsxwriter")
MODULES = """import json, sys
import edge.panel.__main__
print(json.dumps([name for name, module in sys.modules.items() if module]))"""


def test_nothing_is_loaded_that_no_page_needs_at_the_start() -> None:
    command = [sys.executable, "-c", MODULES]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    assert set(json.loads(printed)).isdisjoint(NOT_AT_START)


async def test_every_page_in_every_language_and_ten_streams_fit_into_61_mb(
    gateway: ScriptedGateway, panel: PanelProcess
) -> None:
    populate(gateway)
    days = ["2026-11-16", "2026-11-22"]
    gateway.answers["export"] = {"export": "word", "days": days}
    gateway.answers["export-rows"] = {"rows": [ROW] * 50, "next": 0}
    manager = WALKERS["manager"][1]
    headers = {"Origin": panel.url.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=panel.url, headers=headers, cookies=manager)
        )
        for _ in range(TABLETS):
            await stack.enter_async_context(client.stream("GET", "/live"))
        pages = await every_page(panel)
        for language in LANGUAGES:
            client.cookies.set(COOKIE, Look(language=language).text())
            for found in pages:
                if found.walker == "manager":
                    assert (await client.get(found.address)).status_code == 200
        await order_export(client, "xlsx")
        workbook = await client.get("/export/file")
        assert workbook.content.startswith(b"PK")
        peak = peak_mib(panel.process.pid)
    print(f"{len(pages)} pages, {TABLETS} streams: at most {peak} MiB")
    assert peak < MAX_MIB
