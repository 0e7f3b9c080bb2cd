# SPDX-License-Identifier: Apache-2.0
"""Claims and the keyring on both databases: from a printed code to a certificate."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync import enrolling
from cloud_sync.platform import registry
from cloud_sync.platform.enrolment import authority, certificates, claims, keyring
from cloud_sync.platform.enrolment.claims import EnrolmentRefusal, RefusalName
from cloud_sync.sealing import SealedKeys, unseal
from edge.cli.keys.pending import new_key
from tests.cloud_sync.platform.desk import NOW_MS
from tests.cloud_sync.scripted_platform import GATEWAY
from tests.cloud_sync.test_sealing import BOX, public_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cloud_sync.platform.desk import Desk

SITE, NONCE = "kitchen", "cd" * 16
SIGNER = Ed25519PrivateKey.from_private_bytes(b"*" * 32)


def request(code: str, **changes: str) -> tuple[dict[str, str], str]:
    _, csr = new_key(GATEWAY)
    asked = {
        "claim": code,
        "gateway": GATEWAY,
        "site": SITE,
        "csr": csr,
        "box": SIGNER.public_key().public_bytes_raw().hex(),
        "seal": public_of(BOX).hex(),
        "promise": enrolling.promise_of(NONCE),
        "ticket": "ab" * 32,
    } | changes
    signed = SIGNER.sign(enrolling.signed_part(enrolling.transcript(asked)))
    return asked, signed.hex()


async def test_from_a_claim_to_a_certificate_and_sealed_keys(
    desk: Desk, tmp_path: Path
) -> None:
    ca = authority.make(tmp_path / "ca.pem", tmp_path / "ca.key", "t", NOW_MS)
    vault = keyring.Vault(b"v" * 32)
    base: Any = desk.database
    async with base.writing() as work:
        assert await keyring.ensure_site_key(work, vault, SITE)
        assert not await keyring.ensure_site_key(work, vault, SITE)
        claim = await claims.open_claim(
            work, GATEWAY, SITE, replaces=False, now_ms=NOW_MS
        )
    asked, signed = request(claim)
    async with base.writing() as work:
        nonce = await claims.begin(work, asked, signed, NOW_MS)
        assert await claims.begin(work, asked, signed, NOW_MS) == nonce
        await claims.reveal(work, asked["ticket"], NONCE, NOW_MS)
        [(gateway, site, digits, _, _)] = await claims.waiting(work, NOW_MS)
    assert (gateway, site) == (GATEWAY, SITE)
    assert digits == enrolling.digits_of(enrolling.transcript(asked), NONCE, nonce)
    async with base.writing() as work:
        assert await claims.confirm(work, GATEWAY, "x", ca, NOW_MS) is None
    async with base.writing() as work:
        assert await claims.confirm(work, GATEWAY, digits, ca, NOW_MS) == ""
    async with base.reading() as work:
        found = await claims.collect(work, asked["ticket"], NOW_MS)
        assert found.state == "CONFIRMED"
        assert await certificates.good_until_ms(work, GATEWAY, NOW_MS) > NOW_MS
        [body] = await keyring.sealed_for(work, vault, GATEWAY)
    opened = unseal(body["jwe"], BOX, gateway=GATEWAY, site=SITE)
    assert isinstance(opened, SealedKeys)
    serial = f"{_serial(found.certificate):x}"
    async with base.writing() as work:
        assert await registry.may_enter(work, GATEWAY, serial)
        assert await certificates.revoke(work, GATEWAY, NOW_MS) == 1
        assert await certificates.revoked(work) == [(serial, NOW_MS)]
        assert not await registry.may_enter(work, GATEWAY, serial)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"gateway": "gw-kitchen-02"}, RefusalName.WRONG_GATEWAY),
        ({"site": "hall"}, RefusalName.WRONG_SITE),
        ({"csr": new_key("gw-kitchen-02")[1]}, RefusalName.REQUEST),
        ({"csr": "-----BEGIN"}, RefusalName.REQUEST),
        ({"box": "00" * 32}, RefusalName.REQUEST),
        ({"seal": "zz"}, RefusalName.REQUEST),
        ({"claim": "0" * 20}, RefusalName.CLAIM_UNKNOWN),
    ],
)
async def test_a_request_that_does_not_fit_spends_nothing(
    desk: Desk, changes: dict[str, str], name: RefusalName
) -> None:
    async with desk.database.writing() as work:
        claim = await claims.open_claim(
            work, GATEWAY, SITE, replaces=False, now_ms=NOW_MS
        )
    asked, signed = request(claim, **changes)
    with pytest.raises(EnrolmentRefusal) as refused:
        async with desk.database.writing() as work:
            await claims.begin(work, asked, signed, NOW_MS)
    assert refused.value.name is name
    good, signature = request(claim)
    async with desk.database.writing() as work:
        assert await claims.begin(work, good, signature, NOW_MS)
        with pytest.raises(EnrolmentRefusal, match="REQUEST"):
            await claims.reveal(work, good["ticket"], "00" * 16, NOW_MS)


def _serial(pem: str) -> int:
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem.encode()).serial_number


async def test_of_two_boxes_at_once_one_gets_the_claim(desk: Desk) -> None:
    async with desk.database.writing() as work:
        claim = await claims.open_claim(
            work, GATEWAY, SITE, replaces=False, now_ms=NOW_MS
        )

    async def ask(ticket: str) -> str:
        asked, signed = request(claim, ticket=ticket)
        try:
            async with desk.database.writing() as work:
                return await claims.begin(work, asked, signed, NOW_MS)
        except EnrolmentRefusal as refused:
            return refused.name.value

    told = await asyncio.gather(*(ask(f"{n:064x}") for n in range(5)))
    assert sorted(each == "CLAIM_USED" for each in told) == [False] + [True] * 4
