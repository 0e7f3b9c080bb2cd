# SPDX-License-Identifier: Apache-2.0
"""A broker as a site file names it: host and port in one text.

The law of the module: nothing is looked up; what a text may be is decided here once.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252})")


def read_broker(text: str) -> tuple[str, int]:
    """Read ``host:port`` or ``[IPv6 address]:port``; ValueError if it is neither."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = str(IPv6Address(host[1:-1]))
    elif not _HOST.fullmatch(host):
        raise ValueError(f"{text!r} is not a host and a port")
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{text!r} has no port from 1 to 65535")
    return host, int(port)


def is_broker(text: str) -> bool:
    """Say whether a text names a broker."""
    try:
        read_broker(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Say whether a host is this box itself, by name or by address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
