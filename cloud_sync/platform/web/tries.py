# SPDX-License-Identifier: Apache-2.0
"""How often one address may try something in a minute.

The law of the module: bounded, and forgotten by itself. It keeps guessing dear and
nothing else: what may be done is decided elsewhere, whoever asks how often.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address, ip_network

MINUTE_MS = 60_000
#: Addresses that are remembered; the one that was heard of longest ago goes first.
ADDRESSES = 4_096
#: Whoever has one address of IPv6 has all of its network.
_NETWORK_BITS = 64


class Tries:
    """Counts tries in a sliding minute; ``limit`` 0: no limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._made: OrderedDict[str, deque[int]] = OrderedDict()

    def may(self, address: str, now_ms: int) -> bool:
        """Count a try if there is room for it; say whether there was."""
        if not self._limit:
            return True
        name = _name(address)
        made = self._made.setdefault(name, deque())
        self._made.move_to_end(name)
        while made and not 0 <= now_ms - made[0] < MINUTE_MS:
            made.popleft()
        if len(self._made) > ADDRESSES:
            self._made.popitem(last=False)
        if len(made) >= self._limit:
            return False
        made.append(now_ms)
        return True


def _name(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    if isinstance(known, IPv6Address):
        return str(ip_network((known, _NETWORK_BITS), strict=False))
    return str(known)
