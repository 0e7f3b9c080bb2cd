# SPDX-License-Identifier: Apache-2.0
"""``menshen keys show``: what a box holds, never what is secret of it.

The law of the module: it reads, and makes nothing: a box without a key says so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cryptography import x509

from cloud_sync.enrolling import shown_digits
from edge.cli.box_key import Box
from edge.cli.keys import pending as under_way
from edge.cli.keys.numbers import numbers
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from pathlib import Path

    from edge.settings.site import Settings

_DAY_MS = 86_400_000


def show(settings: Settings, state: Path, *, is_json: bool) -> None:
    """Print it."""
    found = shown(settings, state)
    if is_json:
        print(json.dumps(found))
        return
    print("\n".join(_lines(found)))


def shown(settings: Settings, state: Path) -> dict[str, Any]:
    """Return what is held."""
    box = Box(state)
    if (state / "keys" / "box.json").exists():
        box.prepare()
    pending = under_way.read(state)
    return {
        "gateway": settings.gateway.id,
        "site": settings.site.id,
        "box": box.shown(),
        "certificate": _certificate(settings, state),
        "keys": numbers(state),
        "enrolling": None if pending is None else pending.digits,
    }


def _certificate(settings: Settings, state: Path) -> dict[str, Any] | None:
    name = settings.platform.certificate
    if not name:
        return None
    try:
        held = x509.load_pem_x509_certificate((state / name).read_bytes())
    except (OSError, ValueError):
        return {"file": name, "trouble": "missing, or no certificate in PEM"}
    end_ms = int(held.not_valid_after_utc.timestamp() * 1000)
    return {
        "file": name,
        "name": held.subject.rfc4514_string(),
        "issuer": held.issuer.rfc4514_string(),
        "serial": f"{held.serial_number:x}",
        "until": f"{held.not_valid_after_utc:%Y-%m-%d}",
        "days": (end_ms - wall_ms()) // _DAY_MS,
    }


def _lines(found: dict[str, Any]) -> list[str]:
    box, held = found["box"], found["certificate"]
    lines = [f"gateway      {found['gateway']} at {found['site']}"]
    lines.append(f"box key      {box.get('fingerprint') or box['trouble']}")
    if held is None:
        lines.append("certificate  none; menshen keys enrol gets one")
    elif "trouble" in held:
        lines.append(f"CERTIFICATE  {held['file']}: {held['trouble']}")
    else:
        days = f"{held['days']} days more" if held["days"] >= 0 else "EXPIRED"
        lines.append(f"certificate  {held['name']}, until {held['until']} ({days})")
        lines.append(f"             of {held['issuer']}, serial {held['serial']}")
    for use, number in sorted(found["keys"].items()):
        lines.append(f"keys         {use}: number {number}")
    if found["enrolling"] is not None:
        digits = shown_digits(found["enrolling"]) if found["enrolling"] else "not yet"
        lines.append(f"enrolling    digits to compare: {digits}")
    return lines
