# SPDX-License-Identifier: Apache-2.0
"""The ways to the platform's brokers, as the site file has them.

The law of the module: nothing is opened or read here, so that no file of a broker's
can keep a gateway from starting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.connection import Broker
from cloud_sync.transport.mqtt import MqttTransport
from cloud_sync.transport.tls import TlsFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloud_sync.transport.tls import TlsWay
    from edge.core.moment import Moment
    from edge.settings.site import Platform


def open_ways(
    platform: Platform,
    gateway: str,
    files: TlsWay | None,
    *,
    now: Callable[[], Moment],
) -> dict[str, MqttTransport]:
    """Return a transport for each broker by its name, in the order to try.

    ``files`` None for plain TCP.
    """
    return {
        name: MqttTransport(Broker(host=host, port=port), gateway, tls=files, now=now)
        for name, (host, port) in platform.addresses().items()
    }


def tls_files(platform: Platform, state: Path) -> TlsFiles | None:
    """Return the files of TLS, relative ones below ``state``; None for plain TCP."""
    if not platform.ca:
        return None
    return TlsFiles(
        ca=state / platform.ca,
        crl=state / platform.crl if platform.crl else None,
        certificate=state / platform.certificate if platform.certificate else None,
        key=state / platform.key if platform.key else None,
        server_name=platform.server_name,
    )
