# SPDX-License-Identifier: Apache-2.0
"""The floor of a page: an empty answer through the panel's own server.

The law of the module: same server, same protocol, same settings that cost time; what
a page takes beyond this is what the page costs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn

from edge.panel.patience import PatientProtocol

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


async def _empty(_: Scope, receive: Receive, send: Send) -> None:
    """Answer with nothing at all."""
    await receive()
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def main() -> None:
    """Serve on the loopback's port named on the command line."""
    uvicorn.run(
        _empty,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        http=PatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
