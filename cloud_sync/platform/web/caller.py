# SPDX-License-Identifier: Apache-2.0
"""The gateway that asks, as the guard of a route found it.

The law of the module: only a route that stands behind the guard may ask.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request


def caller(request: Request) -> str:
    """Return the gateway that asks, on a route for gateways."""
    return str(request.state.gateway)


#: The gateway that asks: ``async def route(gateway: Caller) -> …``.
Caller = Annotated[str, Depends(caller)]
