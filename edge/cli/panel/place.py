# SPDX-License-Identifier: Apache-2.0
"""Where a site's panel is found: its address and its names.

The law of the module: what the settings say, in one place for gateway and shell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.settings.panel import Panel

LOOPBACK = ("127.0.0.1", "localhost")


def names_of(panel: Panel) -> list[str]:
    """Return every name and address under which tablets call this box."""
    return sorted({panel.host, *panel.names, *LOOPBACK})


def url_of(panel: Panel) -> str:
    """Return the panel's address, with its closing slash."""
    is_plain = panel.plain_http or panel.is_local
    host = f"[{panel.host}]" if ":" in panel.host else panel.host
    return f"{'http' if is_plain else 'https'}://{host}:{panel.port}/"
