# SPDX-License-Identifier: Apache-2.0
"""``python -m edge.cli.run``: one gateway until SIGTERM; ``menshen run`` becomes it.

The law of the module: it turns a site file and a state folder into a running gateway
or into one clear line of error; exit 0 after an orderly stop, 2 for wrong use. What
runs day and night carries no command-line library, no panel and no broker.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from edge.cli.device_lines import driver_faults
from edge.cli.exits import guarded
from edge.cli.runtime import Runtime
from edge.cli.state_folder import own_folder
from edge.settings.lines import line_of
from edge.settings.site_file import SettingsError, load

if TYPE_CHECKING:
    from edge.settings.site_file import Settings


#: A scan leaves no cycles; the default would look for them every few scans.
COLLECT_AFTER = (5_000, 20, 50)


def load_site(path: Path) -> Settings:
    """Read a site file and hold it against the registry of drivers."""
    settings = load(path)
    text = path.read_text(encoding="utf-8")
    faults = [
        f"{path}:{line_of(text, where)} {_dotted(where)}: {what}"
        for where, what in driver_faults(settings)
    ]
    if faults:
        raise SettingsError(faults)
    return settings


def _dotted(where: tuple[str | int, ...]) -> str:
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in where)


def run_gateway(site: Path, state: Path, *, is_verbose: bool) -> int:
    """Run until SIGTERM or SIGINT."""
    settings = load_site(site)
    level = logging.DEBUG if is_verbose else logging.INFO
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level"]),
        ],
    )
    # A core file would hold what memory held: numbers live there for a moment.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with own_folder(state, "gateway.lock"):
        asyncio.run(_run(Runtime(settings, state)))
    return 0


async def _run(runtime: Runtime) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # What is loaded by now stays: the collector need not look at it again.
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    await runtime.run(stop)


def main() -> None:
    """Run the gateway that the command line describes."""
    parser = argparse.ArgumentParser(prog="menshen run")
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--verbose", action="store_true")
    words = parser.parse_args()
    guarded(lambda: run_gateway(words.site, words.state, is_verbose=words.verbose))


if __name__ == "__main__":
    main()
