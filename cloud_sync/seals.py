# SPDX-License-Identifier: Apache-2.0
"""What operators sign beside the platform, so that one stolen key is not enough.

The law of the module: an operator signs the whole order with a key that the platform
does not hold, and that this site's own file names; the order says for which gateway,
site, connection, command and seconds. A seal over anything else counts for nothing,
and two seals of one operator, or of one key, are one.
Source: docs/commands.md, "A shelter from afar"; RFC 7515 (compact JWS).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cloud_sync.refusal import Refused
from cloud_sync.signing import PlatformKeys
from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What a seal is for: ``typ`` of its header.
PURPOSE = "mn.shelter.v1"
#: How many seals a command carries: two are needed, a third does no harm.
SEALS = range(2, 5)
#: What operators sign, all of it and nothing else.
ORDER = ("action", "by", "exp", "gw", "iat", "jti", "nonce", "reason", "site")


def order_text(body: Mapping[str, Any]) -> str:
    """Return what operators sign of a command, canonical."""
    return canonical({name: body[name] for name in ORDER})


class Witnesses:
    """The operators whom a site believes, by their public keys (64 hex digits).

    ``site`` and ``gateway`` are our own. ValueError for a key that is none.
    """

    def __init__(self, keys: Mapping[str, str], *, site: str, gateway: str) -> None:
        self._keys = PlatformKeys(keys) if keys else None
        self._public = dict(keys)
        self._site = site
        self._gateway = gateway

    def of(self, order: str, seals: Sequence[str]) -> tuple[str, ...]:
        """Return who has signed this very order, each once, in the order of names."""
        told = json.loads(order)
        if self._keys is None or told.get("site") != self._site:
            return ()
        signed: dict[str, str] = {}
        for seal in seals:
            operator = self._operator(order, seal)
            if operator is not None:
                signed[self._public[operator].lower()] = operator
        return tuple(sorted(signed.values()))

    def _operator(self, order: str, seal: str) -> str | None:
        """Return who has sealed an order; None for a seal over anything else."""
        if self._keys is None:
            return None
        body = self._keys.open(seal.encode(), PURPOSE, self._gateway)
        if isinstance(body, Refused):
            return None
        is_this = set(body) == set(ORDER) and canonical(body) == order
        return self._keys.signer(seal.encode()) if is_this else None
