# SPDX-License-Identifier: Apache-2.0
"""What ``menshen platform site-key`` does.

The law of the module: it prints numbers of keys, never a key. What changes at a site
and what its boxes are told of it is one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.enrolment import keyring, site_keys
from cloud_sync.platform.reports.table import Table, local_time
from edge.cli.platform.shown import show
from edge.cli.platform.work import MINUTE_MS, run_once, settings_of, told
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.enrolment.keyring import Vault
    from edge.cli.platform.shown import Form


def rotate_key(path: Path, site: str) -> None:
    """Make a new key of a site, and seal it into the feeds of its boxes."""
    with told():
        settings, folder = settings_of(path), path.parent
        vault = keyring.open_vault(folder / settings.authority.vault)

        async def work(work: Work) -> tuple[int, list[str]]:
            number = await site_keys.rotate(work, vault, site)
            return number, await _deliver(work, vault, site)

        number, sent = run_once(settings, folder, work)
        print(f"{site}: site key {number} made; {number - 1} goes on beside it")
        for gateway in sent:
            print(f"{gateway}: sealed into its feed")
        print(
            f"next: `menshen platform site-key show {site}` until each box holds "
            f"{number}; then `secret export --use site`, and import each row with "
            f'tokens anew, with "key": {number}; then `site-key retire {site}`'
        )


def retire_key(path: Path, site: str) -> None:
    """Let the key of before go, and tell the boxes."""
    with told():
        settings, folder = settings_of(path), path.parent
        vault = keyring.open_vault(folder / settings.authority.vault)

        async def work(work: Work) -> tuple[int, list[str]]:
            number = await site_keys.retire(work, site)
            return number, await _deliver(work, vault, site)

        number, sent = run_once(settings, folder, work)
        print(
            f"{site}: site key {number} is retired; each box gives it up when no open "
            "rental and no card bound there needs it"
        )
        for gateway in sent:
            print(f"{gateway}: sealed into its feed")


def show_keys(path: Path, site: str, form: Form) -> None:
    """Show how far each box of a site is."""
    with told():
        settings = settings_of(path)
        offset_ms = settings.platform.utc_offset_min * MINUTE_MS

        async def ask(work: Work) -> Table:
            number, before = await site_keys.numbers(work, site)
            found = await site_keys.standing(work, site)
            note = f"Site key {number}" + (f", beside {before}." if before else ".")
            return Table(
                columns=("gateway", "holds", "before", "told", "rows_before", "state"),
                rows=[
                    (
                        each.gateway,
                        each.held.current,
                        " ".join(map(str, each.held.former)),
                        local_time(each.held.at_ms, offset_ms)
                        if each.held.at_ms
                        else "",
                        each.rows_before,
                        _state(each, number),
                    )
                    for each in found
                ],
                note=note,
            )

        show(run_once(settings, path.parent, ask, is_reading=True), form)


def _state(each: site_keys.Standing, number: int) -> str:
    if each.held.current < number:
        return "waits for the box"
    if each.rows_before:
        return "waits for rows"
    return "keeps an old key" if each.held.former else "done"


async def _deliver(work: Work, vault: Vault, site: str) -> list[str]:
    found = await keyring.boxes_of(work, site)
    for gateway in found:
        await keyring.deliver(work, vault, gateway, wall_ms(), ["site"])
    return found
