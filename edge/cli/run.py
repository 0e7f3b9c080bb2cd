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
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

# structlog would load it for colours that nobody looks at day and night.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

import structlog  # noqa: E402

from edge.cli import way_out  # noqa: E402
from edge.cli.backup.adopted import adopt, site_in_force  # noqa: E402
from edge.cli.backup.empty_box import (  # noqa: E402
    ended_for_more,
    is_empty,
    stand_by,
)
from edge.cli.backup.start import carry_out, is_staged, keep_site  # noqa: E402
from edge.cli.checked_site import checked_site  # noqa: E402
from edge.cli.exits import guarded  # noqa: E402
from edge.cli.key_files import KeyFileError  # noqa: E402
from edge.cli.keys.install import finish  # noqa: E402
from edge.cli.state_folder import own_folder  # noqa: E402

if TYPE_CHECKING:
    from edge.cli.checked_site import CheckedSite
    from edge.settings.site import Settings

#: A scan leaves no cycles; the default would look for them every few scans.
COLLECT_AFTER = (5_000, 20, 50)
#: A commit's thread takes the interpreter from a long slice of the feed so soon, not
#: after the usual 5 ms: a scan needs it several times.
SWITCH_AFTER_S = 0.0005

#: Ended to be started again: a restore waits for the next start (EX_TEMPFAIL).
AGAIN = 75

log = structlog.get_logger()


def run_gateway(site: Path, state: Path, *, is_verbose: bool) -> int:
    """Run until SIGTERM or SIGINT."""
    level = logging.DEBUG if is_verbose else logging.INFO
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level"]),
        ],
        cache_logger_on_first_use=True,
    )
    # A core file would hold what memory held: numbers live there for a moment.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    in_force = site_in_force(site, state)
    checked = checked_site(in_force, state)
    with own_folder(state, "gateway.lock"):
        if carry_out(state) | adopt(site, state):
            in_force = site_in_force(site, state)
            checked = checked_site(in_force, state)
        checked.keep(state)
        keep_site(in_force, state, checked)
        with suppress(KeyFileError):  # a disk that fails; what needs the keys tells it
            finish(state)
        for fault in checked.faults:
            log.error("settings as they were last good", fault=fault)
        if is_empty(checked.settings, state):
            asyncio.run(_stand_by(checked.settings, state))
            return AGAIN if ended_for_more(checked.settings, state) else 0
        asyncio.run(_run(checked, state))
        return AGAIN if is_staged(state) else 0


async def _stand_by(settings: Settings, state: Path) -> None:
    await stand_by(settings, state, _stop_at_signals())


def _stop_at_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _run(checked: CheckedSite, state: Path) -> None:
    stop = _stop_at_signals()
    # What is loaded by now stays: the collector need not look at it again.
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(SWITCH_AFTER_S)
    await way_out.run(checked.settings, state, stop, faults=checked.faults)


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
