# SPDX-License-Identifier: Apache-2.0
"""The address at which a gateway fetches the snapshot that its pull was offered.

The law of the module: what is sent are the parts that the broker would have carried,
signed each, a line each; only the gateway itself gets them, and only for the pull that
was offered to it, for ten minutes. A gateway that lost the line goes on at the part it
lacks; where the feed has moved on meanwhile it sees that itself and pulls anew.
Source: docs/sync-contract.md, section 4.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from cloud_sync.feed import MAX_PARTS
from cloud_sync.platform import feed_answer
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.web.caller import Caller  # noqa: TC001  FastAPI reads it
from cloud_sync.platform.web.refusals import WebRefusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloud_sync.platform.feeds import Snapshot
    from cloud_sync.platform.web.app import Lent

_GATEWAY = r"^[a-z0-9][a-z0-9-]{2,30}$"
_PULL = r"^[0-9a-f]{32}$"
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def router(lent: Lent) -> APIRouter:
    """Return the route."""
    routes, answers = APIRouter(), Answers(lent.signer)

    @routes.get("/v1/snapshots/{gateway}/{pull}")
    async def snapshot(
        caller: Caller,
        gateway: Annotated[str, Path(pattern=_GATEWAY)],
        pull: Annotated[str, Path(pattern=_PULL)],
        part: Annotated[int, Query(ge=0, le=MAX_PARTS)] = 0,
    ) -> StreamingResponse:
        if caller != gateway:
            raise WebRefusal(403, "NOT_YOURS", "this is another gateway's snapshot")
        async with lent.database.reading() as work:
            found = await feed_answer.offered(work, gateway, pull, lent.now_ms())
        if found is None:
            what = "nothing was offered for that pull, or it is over; pull anew"
            raise WebRefusal(404, "NOT_OFFERED", what)
        lines = _lines(answers, gateway, pull, found, part)
        return StreamingResponse(lines, media_type="text/plain", headers=_HEADERS)

    return routes


async def _lines(
    answers: Answers, gateway: str, pull: str, found: Snapshot, start: int
) -> AsyncIterator[bytes]:
    for part in answers.parts(gateway, pull, found, start):
        yield part.payload + b"\n"
        await asyncio.sleep(0)  # each is signed as it goes; others want answers, too
