# SPDX-License-Identifier: Apache-2.0
"""Whoever knows no claim costs the platform a look, and keeps no writer waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cloud_sync.platform.web.conftest import Web

HEX = "ab" * 32
REQUEST = {
    **dict.fromkeys(("box", "seal", "promise", "ticket"), HEX),
    "claim": "A" * 20,
    "gateway": "gw-kitchen-01",
    "site": "kitchen",
    "csr": "-",
    "signature": HEX * 2,
}


@pytest.mark.parametrize(
    ("path", "body"),
    [("enrol", REQUEST), ("enrol/reveal", {"ticket": HEX, "nonce": "ab" * 16})],
)
async def test_a_stranger_waits_for_no_writer(
    web: Web, path: str, body: dict[str, Any]
) -> None:
    async with web.lent.database.writing(), web.client() as client:
        answer = await client.post(f"/v1/{path}", json=body, timeout=2)
    assert (answer.status_code, answer.json()["error"]) == (404, "CLAIM_UNKNOWN")
