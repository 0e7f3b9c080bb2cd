# SPDX-License-Identifier: Apache-2.0
"""``menshen demo``: a whole site as real processes, with people and mishaps.

The law of the module: everything it starts it ends, within three seconds of Ctrl-C,
and its last word is counted from the files that remain.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from edge.cli.demo.firmware import FirmwareError
from edge.cli.demo.mishaps import Mishaps
from edge.cli.demo.play import LostError, Play
from edge.cli.demo.screen import Screen
from edge.cli.demo.side_by_side import lines, play_side_by_side
from edge.cli.demo.stage import Stage
from edge.cli.demo.supervisor import ChildDiedError
from edge.cli.demo.tally import is_good, tally
from edge.cli.demo.together import until_first
from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.cli.state_folder import StateFolderError, own_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the command line asked for; ``for_s`` None: until Ctrl-C.

    ``speed`` hurries the residents alone; ``port`` is the panel's, 0 for any free.
    """

    for_s: float | None = None
    is_json: bool = False
    seed: int = 1
    speed: float = 1.0
    site: Path | None = None
    state: Path | None = None
    port: int = 0
    with_panel: bool = True
    gateways: int = 1


async def _run(play: Play, options: DemoOptions, console: Console) -> dict[str, Any]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    mishaps = Mishaps(
        supervisor=play.supervisor, firmware=play.firmware, cable=play.porches[0].port
    )
    try:
        await play.open(stop)
        welcoming = await play.welcome()
        for line in play.tablet.lines if play.tablet else []:
            console.print(line, highlight=False, soft_wrap=True)
        screen = Screen(
            console,
            journal=play.stage.journal,
            socket=play.stage.control_socket,
            offset_hours=play.settings.site.utc_offset_hours,
            mishaps=mishaps,
            tablet=play.tablet,
        )
        await until_first(
            stop,
            options.for_s,
            [
                play.firmware.watch(),
                play.supervisor.watch(),
                screen.run(),
                mishaps.happen(options.for_s),
                *play.walks(speed=options.speed),
                *welcoming,
            ],
        )
        await play.settle(stop)
    finally:
        await play.end()
    return tally(
        play.stage,
        play.visits,
        play.firmware.happenings,
        seed=play.seed,
        mishaps=mishaps,
        panel_url=play.panel_url,
    )


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as fault:
            raise StateFolderError(
                f"port {port} is taken ({fault.strerror}): end what serves there, or "
                "choose another --port (0 for any free one)"
            ) from fault


def run_demo(options: DemoOptions) -> int:
    """Play a demonstration; 0 if nothing was lost or doubled."""
    console = Console(stderr=options.is_json)
    site = options.site or config_folder() / "demo.toml"
    settings = load_site(site)
    _refuse_taken_port(options.port)
    made = None if options.state else Path(tempfile.mkdtemp(prefix="menshen-demo-"))
    folder = options.state or made or Path()
    try:
        with own_folder(folder, "demo.lock"):
            console.print(
                f"[bold]{settings.site.name}[/bold] · state and logs in {folder}"
            )
            if options.gateways > 1:
                several = play_side_by_side(folder, site, options, console)
                result = asyncio.run(several)
            else:
                play = Play(
                    settings=settings,
                    site=site,
                    stage=Stage(folder=folder),
                    seed=options.seed,
                    panel_port=options.port if options.with_panel else None,
                )
                play.prepare()
                result = asyncio.run(_run(play, options, console))
    except (ChildDiedError, LostError) as died:
        print(died, file=sys.stderr)
        return 1
    except (TimeoutError, FirmwareError) as late:
        why = str(late) or "its devices and people were not known in time"
        print(f"the site did not come up: {why}; see {folder}/logs", file=sys.stderr)
        made = None  # the logs are wanted now
        return 1
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return _close(options, result, console)


def _close(options: DemoOptions, result: dict[str, Any], console: Console) -> int:
    """Print the closing object; return 0 if it is a good one."""
    if options.is_json:
        print(json.dumps(result))
    elif options.gateways > 1:
        for text in lines(result):
            console.print(f"  {text}", highlight=False, soft_wrap=True)
    else:
        for name, value in result.items():
            console.print(f"  {name:20} {value}", highlight=False)
    is_well = result["reconciled"] if options.gateways > 1 else is_good(result)
    return 0 if is_well else 1
