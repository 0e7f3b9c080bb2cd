# SPDX-License-Identifier: Apache-2.0
"""``menshen init``: a new box gets its certificate and the code of its first manager.

The law of the module: it may be run again at any time and changes nothing that is
there; the code is printed once and kept as a hash. There is no account until somebody
who holds the code makes one.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from io import StringIO
from typing import TYPE_CHECKING

import segno

from edge.accounts.codes import shown
from edge.cli.panel.certificates import prepare
from edge.cli.panel.opening import open_book
from edge.cli.panel.place import names_of, url_of
from edge.cli.state_folder import own_folder
from edge.cli.system_clock import wall_ms
from edge.core.moment import UNBOUNDED_MS, Moment

if TYPE_CHECKING:
    from pathlib import Path

    from edge.settings.site import Settings

GROUP = 4


def run_init(settings: Settings, state: Path) -> int:
    """Set up what is missing and print what people need; 1 if the disk fails."""
    panel = settings.panel
    with own_folder(state, "gateway.lock"):
        fingerprint = prepare(state, names_of(panel), wall_ms())
        code, fault = asyncio.run(_first_code(settings, state))
    if fault:
        print(f"{state}: the accounts cannot be kept ({fault}); check the disk")
        return 1
    url = url_of(panel)
    print(f"The panel of {settings.site.name or settings.site.id}: {url}")
    print("Its certificate's fingerprint (SHA-256), to compare on each tablet:")
    print("  " + " ".join(fingerprint[i : i + GROUP] for i in range(0, 64, GROUP)))
    if not code:
        print("There is a manager already: `menshen pair` pairs another tablet.")
        return 0
    print("First-run code, good once, until there is a manager. Write it on the label:")
    print(f"  {shown(code)}")
    print(
        f"Start the gateway and the panel, then open on the tablet: {url}pair?t={code}"
    )
    print(picture(f"{url}pair?t={code}"))
    return 0


async def _first_code(settings: Settings, state: Path) -> tuple[str, str]:
    """Return a new first-run code, "" where there is a manager; and what is wrong."""
    now_ms = wall_ms()
    now = Moment(
        monotonic_s=0.0, earliest_ms=now_ms, latest_ms=UNBOUNDED_MS, boot="init"
    )
    async with AsyncExitStack() as stack:
        book, fault = await open_book(stack, state, settings.plan(), now)
        if fault or book.has_manager:
            return "", fault
        return await book.new_first_code(), ""


def picture(text: str) -> str:
    """Draw a code for a terminal."""
    drawn = StringIO()
    segno.make(text, micro=False).terminal(drawn, compact=True, border=1)
    return drawn.getvalue()
