# SPDX-License-Identifier: Apache-2.0
"""``menshen demo --gateways N``: several sites, and whether their platform agrees.

The law of the module: as of a single site, everything that is started is ended, and
the last word is counted from the files that remain.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from edge.cli.demo.mishaps import Mishaps
from edge.cli.demo.neighbours import SITES, Neighbours
from edge.cli.demo.reckoning import is_reconciled, reckoning
from edge.cli.demo.together import until_first
from edge.cli.demo.wide_screen import WideScreen
from edge.cli.files import config_folder

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from edge.cli.demo.command import DemoOptions


def sites_of(first: Path, count: int) -> list[Path]:
    """Return the site files of ``count`` gateways, the first as it was named."""
    known = [config_folder() / name for name in SITES]
    others = [path for path in known if path.name != first.name]
    return [first, *((others + known) * count)[: count - 1]]


async def play_side_by_side(
    folder: Path, first: Path, options: DemoOptions, console: Console
) -> dict[str, Any]:
    """Play several sites; return the closing object, ``reconciled`` the verdict."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sites = Neighbours(folder=folder, seed=options.seed)
    panel_port = options.port if options.with_panel else None
    await sites.prepare(sites_of(first, options.gateways), panel_port)
    houses = list(sites.houses.values())
    for name, house in sites.houses.items():
        title = f"  {name}: [bold]{house.settings.site.name}[/bold]"
        console.print(title, highlight=False)
    mishaps = Mishaps(
        supervisor=sites.supervisor,
        firmware=houses[0].firmware,
        cable=houses[0].porches[0].port,
    )
    try:
        await sites.open(stop)
        panel_url = houses[0].panel_url
        screen = WideScreen(console, sites, mishaps, panel_url)
        await until_first(
            stop,
            options.for_s,
            [
                sites.supervisor.watch(),
                *(house.firmware.watch() for house in houses),
                *(house.supervisor.watch() for house in houses),
                screen.run(),
                mishaps.happen(options.for_s),
                *(walk for each in houses for walk in each.walks(speed=options.speed)),
            ],
        )
        await sites.settle(stop)
    finally:
        await sites.end()
    gateways = await reckoning(sites)
    result = {
        "seed": options.seed,
        "gateways": gateways,
        "broker_outages": mishaps.broker_outages,
        "reader_faults": mishaps.reader_faults,
        "panel_url": panel_url,
        "reconciled": is_reconciled(gateways),
    }
    if options.state is not None:
        ask = f"menshen platform reconcile --all --settings {sites.settings}"
        result["ask_the_platform"] = ask
    return result


def lines(result: dict[str, Any]) -> list[str]:
    """Return the closing object for people: a line a gateway, then the rest."""
    told = []
    for name, each in result["gateways"].items():
        verdict = "reconciled ✓" if each["reconciled"] else "NOT RECONCILED ✗"
        there = f"{each['platform_count']} at the platform"
        wrong = f"{each['lost']} lost, {each['doubled']} doubled"
        again = f"{each['redelivered']} came again and were passed over"
        told += [
            f"{name} ({each['site']}): {verdict}",
            f"    {each['scans']} scans, {each['granted']} granted",
            f"    {each['committed']} events recorded, {there}, {wrong}, {again}",
            f"    chain here   {each['hash']}",
            f"    chain there  {each['platform_hash']}",
        ]
    told.append(
        f"broker outages {result['broker_outages']}, pulled cables "
        f"{result['reader_faults']}, seed {result['seed']}"
    )
    if "ask_the_platform" in result:
        told.append(f"ask the platform itself: {result['ask_the_platform']}")
    return told
