# SPDX-License-Identifier: Apache-2.0
"""The ``menshen`` program: each verb in a file of its own, gathered here.

The law of the module: a verb's work is imported when it is called, so that the gateway
never carries what only a demonstration needs. Exit 0 good, 1 found trouble, 2 wrong
use; an error is one line that says what, where and what to do next.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.backup.verbs import register as register_backup
from edge.cli.bench.verbs import app as bench
from edge.cli.broker_doctor.verbs import app as broker
from edge.cli.device_verbs import app as device
from edge.cli.doorside.voice_verbs import app as voice
from edge.cli.erasing.verbs import register as register_erasing
from edge.cli.journal_verbs import app as journal
from edge.cli.keys.verbs import app as keys
from edge.cli.order_verbs import register as register_orders
from edge.cli.panel.verbs import register as register_panel
from edge.cli.platform.verbs import app as platform
from edge.cli.rule_verbs import register as register_rules
from edge.cli.sneakernet.verbs import app as sync
from edge.cli.ticket.verbs import app as ticket

app = typer.Typer(
    name="menshen",
    help="Menshen (门神): the offline-first gateway of a neighbourhood's doors.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Site = Annotated[Path, typer.Option(help="The site file (TOML).")]
State = Annotated[
    Path,
    typer.Option(envvar="STATE_DIRECTORY", help="Folder of journal, roster and keys."),
]
#: Where a gateway keeps its state if nobody says otherwise (systemd does).
HERE = Path(".menshen")
Socket = Annotated[
    Path, typer.Option(envvar="MENSHEN_SOCKET", help="The gateway's control socket.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object last.")]


@app.command()
def run(
    site: Site, state: State = HERE, verbose: Annotated[bool, typer.Option()] = False
) -> None:
    """Run the gateway of one site until SIGTERM."""
    words = ["--site", str(site), "--state", str(state)]
    words += ["--verbose"] if verbose else []
    # The gateway takes this process over, without what the command line carries.
    os.execv(  # noqa: S606  our own module, no shell
        sys.executable, [sys.executable, "-m", "edge.cli.run", *words]
    )


@app.command()
def demo(
    for_s: Annotated[
        float | None, typer.Option("--for", help="Seconds; without it until Ctrl-C.")
    ] = None,
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Who comes when.")] = 1,
    speed: Annotated[
        float, typer.Option(min=0.1, max=20, help="Hurries the residents alone.")
    ] = 1.0,
    site: Annotated[Path | None, typer.Option(help="Another site file.")] = None,
    state: Annotated[Path | None, typer.Option(help="Keep the state here.")] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The panel's; 0 for any free one.")
    ] = 0,
    no_panel: Annotated[bool, typer.Option("--no-panel")] = False,
    # Each has processes of its own: beyond four a small machine is busy with them.
    gateways: Annotated[
        int, typer.Option(min=1, max=4, help="Sites that share a real platform.")
    ] = 1,
) -> None:
    """Show a whole site on simulated hardware, with made-up residents."""
    from edge.cli.demo.command import DemoOptions, run_demo

    options = DemoOptions(
        for_s=for_s,
        is_json=as_json,
        seed=seed,
        speed=speed,
        site=site,
        state=state,
        port=port,
        with_panel=not no_panel,
        gateways=gateways,
    )
    sys.exit(run_demo(options))


@app.command()
def status(
    socket: Socket,
    as_json: Json = False,
) -> None:
    """Say how the gateway stands and how many events wait to be sent."""
    from edge.cli.status_view import lines
    from edge.control.client import ask

    answer = ask(socket, "status")
    print(json.dumps(answer) if as_json else "\n".join(lines(answer)))


@app.command("open")
def open_door(
    door: Annotated[str, typer.Argument(help="The door's id, as in the site file.")],
    socket: Socket,
    reason: Annotated[str, typer.Option(help="Why; it stands in the journal.")],
) -> None:
    """Open a door by hand; who did it and why is stored before the lock moves."""
    from edge.control.client import ask

    ask(socket, "open", door=door, actor=f"shell:{getpass.getuser()}", reason=reason)
    print(f"{door}: released")


app.add_typer(bench, name="bench")
app.add_typer(voice, name="voice")
app.add_typer(device, name="device")
app.add_typer(journal, name="journal")
app.add_typer(ticket, name="ticket")
app.add_typer(broker, name="broker")
app.add_typer(sync, name="sync")
app.add_typer(platform, name="platform")
app.add_typer(keys, name="keys")
register_orders(app)
register_rules(app)
register_erasing(app)
register_panel(app)
register_backup(app)


config = typer.Typer(help="Site files.", no_args_is_help=True)
app.add_typer(config, name="config")


@config.command("check")
def config_check(site: Site, state: State = HERE) -> None:
    """Check a site file; every fault with its line and its mend."""
    from edge.cli.broker_files import check_files
    from edge.cli.load_site import load_site
    from edge.cli.system_clock import wall_ms

    settings = load_site(site)
    for warning in check_files(site, settings, state, wall_ms()):
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{site}: good")


@app.command()
def ports(
    identify: Annotated[
        bool, typer.Option("--identify", help="Find a plug by pulling it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what is plugged in, by the names that a site file can use."""
    from edge.cli.ports import tell_identified, tell_ports

    sys.exit((tell_identified if identify else tell_ports)(as_json=as_json))


@app.command("self-test")
def self_test(socket: Socket) -> None:
    """Have the gateway ask all its devices now; nothing moves."""
    from edge.cli.self_test_verb import order_self_test

    sys.exit(order_self_test(socket))


@app.command()
def sim(
    simulated: Annotated[
        str, typer.Argument(metavar="DEVICE", help="Which; `list` names them all.")
    ],
    pty: Annotated[
        Path | None, typer.Option("--pty", help="Where its port shall stand.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="NAME=VALUE, a knob or a fault; repeat it."),
    ] = None,
) -> None:
    """Run one simulated device on a pseudo-terminal until Ctrl-C."""
    from edge.cli.sim import run_sim

    sys.exit(run_sim(simulated, pty=pty, faults=fault or ()))


def main() -> None:
    """Run the verb that the command line names."""
    from edge.cli.exits import guarded

    guarded(app)


if __name__ == "__main__":
    main()
