# SPDX-License-Identifier: Apache-2.0
"""Shards are held by one worker at a time, and are free once he is dead."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from cloud_sync.platform.application import WorkerError, leases_of, work
from edge.cli.platform.verbs import app
from edge.cli.platform.workers import read_shards
from edge.cli.system_clock import wall_ms
from tests.cloud_sync.scripted_platform import GATEWAY, SHARD

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.settings import Settings

#: Holds a shard until it is killed, and says when it does.
HOLDER = """
import asyncio, sys
from pathlib import Path
from cloud_sync.platform.application import leases_of
from cloud_sync.platform.settings import Settings

async def hold():
    settings = Settings.model_validate_json(sys.argv[1])
    async with leases_of(settings, Path(sys.argv[2]), "somebody:1") as leases:
        print(await leases.take("03"), flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


async def test_a_shard_is_held_once_and_free_after_its_holder_was_killed(
    settings: Settings, tmp_path: Path
) -> None:
    words = (HOLDER, settings.model_dump_json(), str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"True\n"
    async with leases_of(settings, tmp_path, "us:2") as ours:
        assert await ours.take("04")
        assert not await ours.take("03")
        assert await ours.holders() == {"03": "somebody:1", "04": "us:2"}
        assert await ours.workers() == 2
        process.kill()
        await process.wait()
        async with asyncio.timeout(5):
            while not await ours.take("03"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await ours.give("04")
        assert await ours.holders() == {"03": "us:2"}
    async with leases_of(settings, tmp_path, "", is_worker=False) as looking:
        async with asyncio.timeout(5):
            while await looking.holders():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("text", "shards"),
    [("00-07", 8), ("00-15", 16), ("03", 1), ("00, 03,08-11", 6)],
)
def test_spans_of_shards_are_read(text: str, shards: int) -> None:
    assert len(read_shards(text)) == shards


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no shard"),
        ("0-7", "two digits each"),
        ("07-00", "is no shard"),
        ("00-16", "00 to 15"),
        ("00-07,05", "05 is named twice"),
    ],
)
def test_what_is_no_shard_is_refused_with_what_to_write(text: str, why: str) -> None:
    with pytest.raises(WorkerError, match=why):
        read_shards(text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert typed("init").exit_code == 0
    assert typed("gateway", "add", GATEWAY, "--shard", SHARD).exit_code == 0
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


async def test_gateways_without_a_worker_are_trouble(folder: Path) -> None:
    answer = await asyncio.to_thread(typed, "shards")
    assert answer.exit_code == 1
    assert f"gateways without a worker: shards {SHARD}" in answer.output
    async with leases_of(_settings(folder), folder, "us:2") as leases:
        await leases.take(SHARD)
        answer = await asyncio.to_thread(typed, "shards", "--json")
    assert answer.exit_code == 0
    assert '{"shard": "07", "gateways": 1, "worker": "us:2"}' in answer.output


async def test_two_workers_of_one_shard_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_sync.platform.application.PATIENCE_S", 1)
    settings, asked = _settings(folder), frozenset({"04", "05"})
    async with leases_of(settings, folder, "us:2") as leases:
        await leases.take("05")
        with pytest.raises(WorkerError, match="another worker already: 05 by us:2"):
            await work(settings, folder, wall_ms, name="us:3", shards=asked)


@pytest.mark.usefixtures("own_process")
def test_a_worker_says_what_its_settings_lack(folder: Path) -> None:
    answer = typed("worker")
    assert answer.exit_code == 2
    assert "--shards 00-07" in answer.output
    text = (folder / "platform.toml").read_text("utf-8")
    nats = '\n[nats]\nservers = ["nats://127.0.0.1:4222"]\n'
    (folder / "platform.toml").write_text(text + nats, "utf-8")
    answer = typed("worker")
    assert answer.exit_code == 2
    assert "need store.postgresql" in answer.output


def _settings(folder: Path) -> Settings:
    from cloud_sync.platform.settings import read_settings

    return read_settings(folder / "platform.toml")
