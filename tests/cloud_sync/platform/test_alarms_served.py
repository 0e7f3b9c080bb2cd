# SPDX-License-Identifier: Apache-2.0
"""The platform as it runs: a bell over the broker, and a program that is called."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.alarms import call_list
from cloud_sync.platform.alarms.call_list import Contact
from cloud_sync.platform.application import open_database, run
from cloud_sync.platform.settings import AlarmSettings, BrokerSettings, Settings
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.platform.desk import registered
from tests.cloud_sync.platform.test_alarms import MINUTE_MS, NINE_MS, RANG
from tests.cloud_sync.platform.test_reports import told
from tests.cloud_sync.scripted_platform import GATEWAY, KID, SEED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.brokers import BrokerProcess


@pytest.mark.needs("mosquitto")
async def test_a_bell_that_nobody_hears_runs_the_program(
    mosquitto: BrokerProcess, tmp_path: Path
) -> None:
    key, out = tmp_path / "platform.key", tmp_path / "called"
    key.write_text(f'{{"kid":"{KID}","seed":"{SEED.hex()}"}}', "ascii")
    key.chmod(0o600)
    settings = Settings.model_validate(
        {
            "broker": BrokerSettings(host="127.0.0.1", port=mosquitto.port),
            "store": {"sqlite": "platform.db"},
            "alarms": AlarmSettings(command=("sh", "-c", f"cat >> {out}")),
        }
    )
    async with open_database(settings, tmp_path) as database:
        await registered(database)
        async with database.writing() as work:
            contact = Contact(round=1, who="chen", reach="tel:1", hours="")
            await call_list.keep(work, GATEWAY, [contact])
    now_ms = [NINE_MS]
    serving = asyncio.create_task(run(settings, tmp_path, lambda: now_ms[0]))
    try:
        site = Site(mosquitto, told(RANG))
        async with site.running():
            await until(lambda: site.client.status.waiting == 0)
        await asyncio.sleep(0)
        assert not out.exists()
        now_ms[0] += 2 * MINUTE_MS
        await until(lambda: out.exists() and out.stat().st_size > 0, 10.0)
    finally:
        serving.cancel()
        await asyncio.wait({serving})
    [call] = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert (call["who"], call["what"], call["kind"]) == ("chen", "CALL", "CALL_RAISED")
