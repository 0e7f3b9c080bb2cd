# SPDX-License-Identifier: Apache-2.0
"""The three addresses at which a box enrols, and the one that shows the authority.

The law of the module: it reads and writes and decides nothing; a claim and a ticket
come in bodies alone, never in an address that somebody logs.
Source: docs/enrolment.md, "For developers".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from cloud_sync import enrolling
from cloud_sync.platform import registry
from cloud_sync.platform.enrolment import claims, keyring
from cloud_sync.platform.web.refusals import WebRefusal

if TYPE_CHECKING:
    from cloud_sync.platform.enrolment.claims import Enrolment
    from cloud_sync.platform.web.app import Lent

_STATUS = {claims.RefusalName.CLAIM_UNKNOWN: 404, claims.RefusalName.CLAIM_EXPIRED: 410}
_HEX_32 = r"^[0-9a-f]{64}$"
_HEADERS = {"cache-control": "no-store"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Request(_Body):
    """What a box asks for; :data:`enrolling.REQUEST_FIELDS` says what each is."""

    claim: Annotated[str, Field(pattern=r"^[0-9A-Za-z -]{20,40}$")]
    gateway: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,30}$")]
    site: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    csr: Annotated[str, Field(max_length=4096, pattern=r"^[ -~\n]*$")]
    box: Annotated[str, Field(pattern=_HEX_32)]
    seal: Annotated[str, Field(pattern=_HEX_32)]
    promise: Annotated[str, Field(pattern=_HEX_32)]
    ticket: Annotated[str, Field(pattern=_HEX_32)]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class Reveal(_Body):
    """The nonce that was promised."""

    ticket: Annotated[str, Field(pattern=_HEX_32)]
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Collect(_Body):
    """Who wants to know how far it is."""

    ticket: Annotated[str, Field(pattern=_HEX_32)]


def router(lent: Lent) -> APIRouter:
    """Return the routes."""
    routes, database, now_ms = APIRouter(), lent.database, lent.now_ms

    @routes.get("/v1/authority")
    async def show_authority() -> PlainTextResponse:
        return PlainTextResponse(_authority(lent), headers=_HEADERS)

    @routes.post("/v1/enrol")
    async def enrol(body: Request) -> JSONResponse:
        request = body.model_dump(exclude={"signature"})
        claim = enrolling.normal_claim(body.claim)
        if claim is None:
            raise WebRefusal(404, "CLAIM_UNKNOWN", "no such claim; look at its letters")
        request["claim"] = claim
        try:
            async with database.reading() as work:
                await claims.look(work, claim=claim)
            async with database.writing() as work:
                nonce = await claims.begin(work, request, body.signature, now_ms())
        except claims.EnrolmentRefusal as refused:
            raise _told(refused) from None
        return _answer({"nonce": nonce, "time": now_ms()})

    @routes.post("/v1/enrol/reveal")
    async def reveal(body: Reveal) -> JSONResponse:
        try:
            async with database.reading() as work:
                await claims.look(work, ticket=body.ticket)
            async with database.writing() as work:
                await claims.reveal(work, body.ticket, body.nonce, now_ms())
        except claims.EnrolmentRefusal as refused:
            raise _told(refused) from None
        return _answer({"time": now_ms()})

    @routes.post("/v1/enrol/collect")
    async def collect(body: Collect) -> JSONResponse:
        try:
            async with database.reading() as work:
                found = await claims.collect(work, body.ticket, now_ms())
                if found.state != "CONFIRMED":
                    return _answer({"state": "WAITING", "time": now_ms()})
                given = await _given(work, lent, found)
        except claims.EnrolmentRefusal as refused:
            raise _told(refused) from None
        return _answer({"state": "CONFIRMED", "time": now_ms(), **given})

    return routes


async def _given(work: Any, lent: Lent, found: Enrolment) -> dict[str, Any]:
    """Return all that a confirmed box needs to run."""
    told = lent.settings.authority
    vault = keyring.open_vault(lent.folder / told.vault)
    return {
        "gateway": found.gateway,
        "site": found.site,
        "certificate": found.certificate,
        "authority": _authority(lent),
        "shard": await registry.shard_of(work, found.gateway),
        "brokers": list(told.brokers),
        "server_name": told.server_name,
        "platform_keys": lent.signer.public_keys,
        "keys": await keyring.sealed_for(work, vault, found.gateway),
    }


def _authority(lent: Lent) -> str:
    """Return the authority's certificate; its key is not needed here."""
    path = lent.folder / lent.settings.authority.certificate
    return path.read_text(encoding="ascii")


def _told(refused: claims.EnrolmentRefusal) -> WebRefusal:
    return WebRefusal(_STATUS.get(refused.name, 409), refused.name.value, refused.what)


def _answer(body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, headers=_HEADERS)
