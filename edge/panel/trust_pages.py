# SPDX-License-Identifier: Apache-2.0
"""What shows a new tablet that this box is ours, and that the panel lives.

The law of the module: public things alone; it says little and knows nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from edge.panel.keeper_pages import qr

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground

GROUP = 4


def add_trust(app: FastAPI, ground: Ground) -> None:
    """Add the page of the certificate, the certificate, and the sign of life."""
    address = ground.address

    @app.get("/trust")
    async def read_trust(request: Request) -> HTMLResponse:
        shown: dict[str, Any] = {"lines": [], "qr": ""}
        if address.authority:
            digits = address.fingerprint
            groups = [digits[i : i + GROUP] for i in range(0, len(digits), GROUP)]
            rows = [" ".join(groups[i : i + 4]) for i in range(0, len(groups), 4)]
            shown = {"lines": rows, "qr": qr(f"{address.url}ca.crt")}
        return ground.draw("trust.html", request.state.visitor, **shown)

    @app.get("/ca.crt")
    async def read_authority() -> Response:
        if not address.authority:
            raise HTTPException(404)
        kind = "application/x-x509-ca-cert"
        return Response(address.authority, headers={"content-type": kind})

    @app.get("/healthz")
    async def read_health() -> PlainTextResponse:
        return PlainTextResponse("ok\n")
