# SPDX-License-Identifier: Apache-2.0
"""Ports as a site file names them: paths, ``tcp://host:port``, ``udp://host:port``.

The law of the module: text to values, nothing is opened; what does not fit is a
LocalError that says what would.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.errors import LocalError
from drivers.links.link import LinkKind

TCP, UDP = "tcp", "udp"
_ENDPOINT = re.compile(
    r"(?P<scheme>[a-z]+)://(\[(?P<v6>[0-9a-fA-F:.]{2,45})\]|(?P<host>[^/:?\[\]]+))"
    r":(?P<port>\d{1,5})(\?listen=(?P<listen>\d{1,5}))?"
)
#: Labels of letters, digits and hyphens, as DNS has them.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_WITH_SCHEME = re.compile(r"[a-z]+://")
_MAX_PORT = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A socket's far end; ``listen`` is the near end's UDP port, 0 for any."""

    host: str
    port: int
    listen: int = 0

    @property
    def is_ipv6(self) -> bool:
        """Whether the host is an address of the newer kind."""
        return ":" in self.host


def endpoint(text: str, scheme: str) -> Endpoint:
    """Read ``scheme://host:port``, for UDP also ``?listen=port``; LocalError."""
    found = _ENDPOINT.fullmatch(text)
    if found is None or found["scheme"] != scheme:
        raise LocalError(
            f"{text!r} is no address and port, write it like {scheme}://192.168.1.50:4001"
        )
    if found["host"] is not None and not _is_host(found["host"]):
        raise LocalError(f"{text!r}: {found['host']!r} is no address and no name")
    if found["listen"] is not None and scheme == TCP:
        raise LocalError(f"{text!r}: only a udp:// port listens, leave ?listen= out")
    port, listen = int(found["port"]), int(found["listen"] or 0)
    if not 1 <= port <= _MAX_PORT or listen > _MAX_PORT:
        raise LocalError(f"{text!r}: a port is 1 to {_MAX_PORT}")
    return Endpoint(host=found["v6"] or found["host"], port=port, listen=listen)


def check_port(kind: LinkKind, text: str) -> None:
    """Raise LocalError unless a driver of this kind can be reached by this port."""
    match kind:
        case LinkKind.UDP:
            endpoint(text, UDP)
        case LinkKind.SERIAL if text.startswith(f"{TCP}://"):
            endpoint(text, TCP)
        case LinkKind.PCSC if not text.startswith("pcsc:"):
            raise LocalError(f"{text!r} is no card reader, write 'pcsc:' and its name")
        case LinkKind.GPIO if not text.startswith("gpio://"):
            raise LocalError(f"{text!r} is no chip, write 'gpio://' and its label")
        case LinkKind.SERIAL | LinkKind.EVDEV if _WITH_SCHEME.match(text):
            instead = "write a path such as /dev/serial/by-path/…"
            if kind is LinkKind.SERIAL:
                instead += " or tcp://host:port"
            raise LocalError(f"{text!r} does not reach this driver, {instead}")
        case _:
            pass


def is_path(kind: LinkKind, text: str) -> bool:
    """Whether the text is a file's path, so that a relative one has a folder."""
    if kind is LinkKind.EVDEV:
        return True
    return kind is LinkKind.SERIAL and not _WITH_SCHEME.match(text)


def _is_host(host: str) -> bool:
    if host.strip("0123456789."):
        return _NAME.fullmatch(host) is not None
    parts = host.split(".")
    return len(parts) == 4 and all(part and int(part) <= 0xFF for part in parts)
