# SPDX-License-Identifier: Apache-2.0
"""Sealed keys are put into a feed one after the other, whoever delivers them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cloud_sync.platform import feeds
from cloud_sync.platform.application import open_database
from cloud_sync.platform.enrolment import keyring
from tests.cloud_sync.platform.desk import NOW_MS, Desk
from tests.cloud_sync.scripted_platform import GATEWAY

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.settings import Settings

SITE = "hall-7"
VAULT = keyring.Vault(b"v" * 32)


async def test_the_later_delivery_reads_what_the_earlier_one_left(
    desk: Desk, settings: Settings, tmp_path: Path
) -> None:
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    async with desk.database.writing() as work:
        await work.execute(
            "INSERT INTO box (gateway, site, box, seal, enrolled_ms)"
            " VALUES (?1, ?2, ?3, ?4, ?5)",
            *(GATEWAY, SITE, "b1", public.hex(), NOW_MS),
        )
        assert not await keyring.deliver(work, VAULT, "gw-nobody", NOW_MS)
        assert not await keyring.deliver(work, VAULT, GATEWAY, NOW_MS), "no feed yet"
        put = {("holder", "h-1"): "{}"}
        await feeds.change(work, GATEWAY, feeds.Change(put=put), NOW_MS)
        await keyring.ensure_site_key(work, VAULT, SITE)
    async with open_database(settings, tmp_path) as other:

        async def late() -> bool:
            async with other.writing() as work:
                return await keyring.deliver(work, VAULT, GATEWAY, NOW_MS)

        async with desk.database.writing() as work:
            assert await keyring.deliver(work, VAULT, GATEWAY, NOW_MS)
            waiting = asyncio.ensure_future(late())
            await asyncio.wait([waiting], timeout=0.3)
            keys = {"site_key": "ab" * 32, "epoch_salt": "cd" * 16}
            assert await keyring.put(work, VAULT, SITE, "site", keys) == 2
        assert await waiting
        async with other.reading() as work:
            found = await feeds.rows(work, GATEWAY)
    [body] = [json.loads(body) for kind, _, _, body in found if kind == "key"]
    assert body["n"] == 2, "not the keys that were there when it began"
