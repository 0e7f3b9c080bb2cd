# SPDX-License-Identifier: Apache-2.0
"""Claims: from a printed code to a box that may come and fetch its certificate.

The law of the module: a claim leads to one request, one comparison of digits and one
certificate. ``OPEN``: printed; ``ASKED``: a box has shown it and got a nonce;
``WAITING``: the digits are known, a person has to compare them; ``CONFIRMED``: the
certificate waits for its box; ``REFUSED``: the digits were wrong. Who repeats himself
to the letter (a box after a power cut) hears the same again; anything else under a
used claim is refused. Claim and ticket are kept as hashes.
Source: docs/enrolment.md.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from cloud_sync import enrolling
from cloud_sync.platform import registry
from cloud_sync.platform.enrolment import certificates
from cloud_sync.platform.enrolment.authority import CsrError, names_of, read_csr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_sync.platform.database import Row, Work
    from cloud_sync.platform.enrolment.authority import Authority

DAY_MS = 86_400_000
#: A claim's life.
CLAIM_MS = DAY_MS
#: Digits that may be mistyped before the claim is spent.
TRIES = 3
_HEX_32 = re.compile(r"[0-9a-f]{64}")
_NONCE = re.compile(r"[0-9a-f]{32}")


class RefusalName(StrEnum):
    """Why a box is not enrolled; its program knows what to do about each."""

    CLAIM_UNKNOWN = "CLAIM_UNKNOWN"
    CLAIM_USED = "CLAIM_USED"
    CLAIM_EXPIRED = "CLAIM_EXPIRED"
    WRONG_SITE = "WRONG_SITE"
    WRONG_GATEWAY = "WRONG_GATEWAY"
    REQUEST = "REQUEST"
    FINGERPRINT_REFUSED = "FINGERPRINT_REFUSED"


class EnrolmentError(Exception):
    """An operator's wish that cannot be done; the text says what to do."""


class EnrolmentRefusal(Exception):  # noqa: N818  an answer, no fault
    """A box's wish that is refused; ``what`` quotes nothing that it sent."""

    def __init__(self, name: RefusalName, what: str) -> None:
        super().__init__(name.value)
        self.name, self.what = name, what


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A claim as the table has it."""

    code: str
    gateway: str
    site: str
    replaces: int
    ends_ms: int
    state: str
    ticket: str
    seen: str
    csr: str
    box: str
    seal: str
    promise: str
    nonce: str
    digits: str
    tries: int
    certificate: str


async def open_claim(
    work: Work, gateway: str, site: str, *, replaces: bool, now_ms: int
) -> str:
    """Return a new claim's code; claims before it that led nowhere are void."""
    await registry.known(work, gateway)
    end_ms = await certificates.good_until_ms(work, gateway, now_ms)
    if end_ms and not replaces:
        left_days = (end_ms - now_ms) // DAY_MS
        raise EnrolmentError(
            f"{gateway} has a certificate that is good for {left_days} days more; "
            "if its box was lost or set up anew, say --replace, and the old one is "
            "revoked as soon as the new one is confirmed"
        )
    await work.execute("DELETE FROM enrolment WHERE gateway = ?1", gateway)
    letters = enrolling.LETTERS
    claim = "".join(secrets.choice(letters) for _ in range(enrolling.CLAIM_LETTERS))
    await work.execute(
        "INSERT INTO enrolment (code, gateway, site, replaces, made_ms, ends_ms, state)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'OPEN')",
        enrolling.claim_hash(claim),
        gateway,
        site,
        int(replaces),
        now_ms,
        now_ms + CLAIM_MS,
    )
    return claim


async def look(work: Work, *, claim: str = "", ticket: str = "") -> None:
    """Refuse who has neither; it only reads, so that strangers hold up no writer."""
    if claim:
        await _by(work, "code", enrolling.claim_hash(claim))
    else:
        await _by(work, "ticket", enrolling.ticket_hash(ticket))


async def begin(
    work: Work, request: Mapping[str, str], signature: str, now_ms: int
) -> str:
    """Take a box's request; return the platform's nonce."""
    found = await _by(work, "code", enrolling.claim_hash(request["claim"]))
    seen = enrolling.transcript(request)
    if found.state != "OPEN" and not hmac.compare_digest(seen, found.seen):
        raise _used()
    _alive(found, now_ms)
    if found.state != "OPEN":
        return found.nonce
    _check(found, request, seen, signature)
    nonce = secrets.token_hex(enrolling.NONCE_BYTES)
    taken = await work.fetch(
        "UPDATE enrolment SET state = 'ASKED', ticket = ?2, seen = ?3, csr = ?4, "
        "box = ?5, seal = ?6, promise = ?7, nonce = ?8, asked_ms = ?9 "
        "WHERE code = ?1 AND state = 'OPEN' RETURNING code",
        *(found.code, enrolling.ticket_hash(request["ticket"]), seen, request["csr"]),
        *(request["box"], request["seal"], request["promise"], nonce, now_ms),
    )
    if not taken:  # two at once, and the other was first
        raise _used()
    return nonce


async def reveal(work: Work, ticket: str, nonce: str, now_ms: int) -> None:
    """Take the nonce that a box had promised; now there are digits to compare."""
    found = await _by(work, "ticket", enrolling.ticket_hash(ticket))
    _alive(found, now_ms)
    is_kept = hmac.compare_digest(enrolling.promise_of(nonce), found.promise)
    if not _NONCE.fullmatch(nonce) or not is_kept:
        raise EnrolmentRefusal(RefusalName.REQUEST, "this is not the promised nonce")
    if found.state == "ASKED":
        await work.execute(
            "UPDATE enrolment SET state = 'WAITING', digits = ?2 WHERE code = ?1",
            found.code,
            enrolling.digits_of(found.seen, nonce, found.nonce),
        )


async def collect(work: Work, ticket: str, now_ms: int) -> Enrolment:
    """Return how far a box's request has come; again and again if need be."""
    found = await _by(work, "ticket", enrolling.ticket_hash(ticket))
    _alive(found, now_ms)
    return found


async def waiting(work: Work, now_ms: int) -> Sequence[Row]:
    """Return gateway, site, digits and when each asked, of all that wait."""
    return await work.fetch(
        "SELECT gateway, site, digits, asked_ms, replaces FROM enrolment "
        "WHERE state = 'WAITING' AND ends_ms > ?1 ORDER BY asked_ms",
        now_ms,
    )


async def confirm(
    work: Work, gateway: str, digits: str, authority: Authority, now_ms: int
) -> str | None:
    """Issue the certificate if the digits are right; return the serial revoked or "".

    None: they are wrong, which is counted; after three the claim is spent.
    """
    found = await _found(work, "gateway", gateway)
    if found is None or found.state != "WAITING" or found.ends_ms <= now_ms:
        raise EnrolmentError(
            f"no box waits as {gateway}; `menshen platform waiting` lists those that do"
        )
    typed = re.sub(r"[\s-]", "", digits)
    if not hmac.compare_digest(typed.encode(), found.digits.encode()):
        state = "REFUSED" if found.tries + 1 >= TRIES else "WAITING"
        await work.execute(
            "UPDATE enrolment SET tries = tries + 1, state = ?2 WHERE code = ?1",
            found.code,
            state,
        )
        return None
    certificate = authority.gateway(read_csr(found.csr), gateway, now_ms)
    is_ours = await work.fetch(
        "UPDATE enrolment SET state = 'CONFIRMED', certificate = ?2 "
        "WHERE code = ?1 AND state = 'WAITING' RETURNING code",
        found.code,
        certificate.public_bytes(Encoding.PEM).decode(),
    )
    if not is_ours:
        raise EnrolmentError(f"{gateway} was just confirmed by somebody else")
    gone = await certificates.revoke(work, gateway, now_ms) if found.replaces else 0
    await certificates.note(work, gateway, certificate, now_ms)
    await work.execute(
        "INSERT INTO box (gateway, site, box, seal, enrolled_ms) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (gateway) DO UPDATE SET "
        "site = excluded.site, box = excluded.box, seal = excluded.seal, "
        "enrolled_ms = excluded.enrolled_ms, renewed_ms = 0",
        *(gateway, found.site, found.box, found.seal, now_ms),
    )
    return str(gone) if gone else ""


async def refuse(work: Work, gateway: str) -> None:
    """Turn away whoever waits under a gateway's name; the claim is spent."""
    gone = await work.fetch(
        "UPDATE enrolment SET state = 'REFUSED' WHERE gateway = ?1 "
        "AND state <> 'CONFIRMED' RETURNING code",
        gateway,
    )
    if not gone:
        raise EnrolmentError(f"no claim of {gateway} is open")


async def _by(work: Work, column: str, value: str) -> Enrolment:
    found = await _found(work, column, value)
    if found is None:
        what = "no such claim; look at its letters, or ask for a new one"
        raise EnrolmentRefusal(RefusalName.CLAIM_UNKNOWN, what)
    return found


async def _found(work: Work, column: str, value: str) -> Enrolment | None:
    names = [each.name for each in fields(Enrolment)]
    wanted = ", ".join(names)
    sql = f"SELECT {wanted} FROM enrolment WHERE {column} = ?1"  # noqa: S608  our words
    rows = await work.fetch(sql, value)
    return Enrolment(**dict(zip(names, rows[0], strict=True))) if rows else None


def _used() -> EnrolmentRefusal:
    what = "this claim was used; ask for a new one, and ask who used it"
    return EnrolmentRefusal(RefusalName.CLAIM_USED, what)


def _alive(found: Enrolment, now_ms: int) -> None:
    if found.state == "REFUSED":
        what = "the six digits were not confirmed at the platform; begin anew"
        raise EnrolmentRefusal(RefusalName.FINGERPRINT_REFUSED, what)
    if now_ms >= found.ends_ms:
        what = "a claim is good for 24 hours; ask for a new one"
        raise EnrolmentRefusal(RefusalName.CLAIM_EXPIRED, what)


def _check(
    found: Enrolment, request: Mapping[str, str], seen: str, signature: str
) -> None:
    """Hold a first request against its claim and against itself."""
    if request["gateway"] != found.gateway:
        what = "the claim is for another gateway; see gateway.id in the site file"
        raise EnrolmentRefusal(RefusalName.WRONG_GATEWAY, what)
    if request["site"] != found.site:
        what = "the claim is for another site; see site.id in the site file"
        raise EnrolmentRefusal(RefusalName.WRONG_SITE, what)
    try:
        if names_of(read_csr(request["csr"])) != [found.gateway]:
            raise EnrolmentRefusal(RefusalName.REQUEST, "its name is not the gateway's")
        if not all(_HEX_32.fullmatch(request[n]) for n in ("box", "seal", "promise")):
            raise EnrolmentRefusal(RefusalName.REQUEST, "a key is not 32 bytes in hex")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(request["box"]))
        key.verify(bytes.fromhex(signature), enrolling.signed_part(seen))
    except (CsrError, ValueError, InvalidSignature) as flaw:
        why = str(flaw) or "the box's signature does not hold"
        raise EnrolmentRefusal(RefusalName.REQUEST, why) from flaw
