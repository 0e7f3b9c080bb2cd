# SPDX-License-Identifier: Apache-2.0
"""Renewal, the platform's side: who gets the next certificate, and who does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync.envelope import certificate_wish
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.enrolment import authority, certificates
from cloud_sync.platform.keys import Signer
from cloud_sync.platform.reception import Reception
from cloud_sync.renewing import CertificateWish, signed_part
from edge.cli.keys.pending import new_key
from tests.cloud_sync.platform.desk import NOW_MS, TOPICS, Desk
from tests.cloud_sync.scripted_platform import GATEWAY, KID, SEED

if TYPE_CHECKING:
    from pathlib import Path

BOX = Ed25519PrivateKey.from_private_bytes(b"*" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"?" * 32)
DAY_MS = 86_400_000


class Office(Desk):
    """A platform with an authority and one box that has enrolled."""

    async def enrolled(self, folder: Path) -> None:
        self.ca = authority.make(folder / "ca.pem", folder / "ca.key", "t", NOW_MS)
        signer = Signer(KID, SEED)
        self.reception = Reception(self.database, Answers(signer), self.ca)
        _, csr = new_key(GATEWAY)
        first = self.ca.gateway(authority.read_csr(csr), GATEWAY, NOW_MS)
        async with self.database.writing() as work:
            await certificates.note(work, GATEWAY, first, NOW_MS)
            await work.execute(
                "INSERT INTO box (gateway, site, box, seal, enrolled_ms) "
                "VALUES (?1, 'kitchen', ?2, '', 1)",
                GATEWAY,
                BOX.public_key().public_bytes_raw().hex(),
            )

    async def asked(self, csr: str, *, by: Ed25519PrivateKey = BOX) -> dict[str, str]:
        nonce = "ab" * 16
        signed = by.sign(signed_part(GATEWAY, nonce, csr)).hex()
        wish = CertificateWish(nonce=nonce, csr=csr, signature=signed)
        payload = certificate_wish(GATEWAY, wish, NOW_MS)
        [answer] = await self.take([(TOPICS.certificate, payload)])
        assert (answer["gw"], answer["re"]) == (GATEWAY, nonce)
        return answer

    async def refusal(self, csr: str, *, by: Ed25519PrivateKey = BOX) -> str:
        answer = await self.asked(csr, by=by)
        assert "certificate" not in answer
        return answer["refused"]


@pytest.fixture
async def office(desk: Desk, tmp_path: Path) -> Office:
    opened = Office(desk.database)
    await opened.enrolled(tmp_path)
    return opened


async def test_the_same_wish_gets_the_same_certificate_and_another_waits_a_day(
    office: Office,
) -> None:
    key, csr = new_key(GATEWAY)
    first = await office.asked(csr)
    held = x509.load_pem_x509_certificate(first["certificate"].encode())
    held.verify_directly_issued_by(office.ca.certificate)
    assert held.subject.rfc4514_string() == f"CN={GATEWAY}"
    assert await office.asked(csr) == first
    _, other = new_key(GATEWAY)
    assert await office.refusal(other) == "TOO_OFTEN"
    office.now_ms += DAY_MS
    second = await office.asked(other)
    assert second["certificate"] != first["certificate"]
    [(count,)] = await office.table("SELECT count(*) FROM certificate")
    assert count == 3
    assert "PRIVATE" in key


async def test_nobody_else_gets_one(office: Office) -> None:
    _, csr = new_key(GATEWAY)
    _, another = new_key("gw-kitchen-02")
    assert await office.refusal(csr, by=STRANGER) == "SIGNATURE"
    assert await office.refusal(another) == "OTHER_NAME"
    spoilt = csr.replace("M", "N", 3)
    assert await office.refusal(spoilt) == "REQUEST"
    async with office.database.writing() as work:
        assert await certificates.revoke(work, GATEWAY, NOW_MS) == 1
    assert await office.refusal(csr) == "REVOKED"
    async with office.database.writing() as work:
        await work.execute("DELETE FROM box")
    assert await office.refusal(csr) == "NOT_ENROLLED"
    [(count,)] = await office.table("SELECT count(*) FROM certificate")
    assert count == 1


async def test_an_old_wish_brings_nothing_that_was_revoked_back(office: Office) -> None:
    _, csr = new_key(GATEWAY)
    await office.asked(csr)
    office.now_ms += 30 * DAY_MS
    # The certificates of before are revoked, and the same box has enrolled again.
    _, fresh = new_key(GATEWAY)
    anew = office.ca.gateway(authority.read_csr(fresh), GATEWAY, office.now_ms)
    async with office.database.writing() as work:
        assert await certificates.revoke(work, GATEWAY, office.now_ms) == 2
        await certificates.note(work, GATEWAY, anew, office.now_ms)
        await work.execute("UPDATE box SET renewed_ms = 0")
    assert await office.refusal(csr) == "REVOKED"


async def test_a_platform_without_an_authority_says_so(office: Office) -> None:
    office.reception = Reception(office.database, Answers(Signer(KID, SEED)))
    _, csr = new_key(GATEWAY)
    assert await office.refusal(csr) == "NO_AUTHORITY"
