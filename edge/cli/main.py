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
from typing import Annotated, Any, Literal

import typer

from edge.cli.broker_doctor.verbs import app as broker
from edge.cli.order_verbs import register as register_orders
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


journal = typer.Typer(help="The journal of events.", no_args_is_help=True)
app.add_typer(journal, name="journal")
app.add_typer(ticket, name="ticket")
app.add_typer(broker, name="broker")
app.add_typer(sync, name="sync")
app.add_typer(platform, name="platform")
register_orders(app)
register_rules(app)


@journal.command("show")
def journal_show(
    state: State = HERE,
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the last events as they were stored."""
    import asyncio

    from edge.cli.journal_view import show

    async def run_show() -> None:
        async for event in show(state / "journal.db", last):
            text = json.dumps(event, ensure_ascii=False) if as_json else _line(event)
            print(text)

    asyncio.run(run_show())


def _line(event: dict[str, Any]) -> str:
    person = event.pop("person") or {}
    seq, kind, at = event.pop("seq"), event.pop("k"), event.pop("at")
    left_out = ("b", "hi", "lo", "m", "epoch")
    facts = {k: v for k, v in event.items() if k not in left_out} | person
    words = " ".join(f"{name}={value}" for name, value in facts.items())
    return f"{seq:>8}  {kind:22} {at:20} {words}"


@journal.command("verify")
def journal_verify(state: State = HERE, as_json: Json = False) -> None:
    """Walk the whole chain of hashes; exit 1 if an event is not as it was stored."""
    import asyncio

    from edge.cli.journal_view import check

    found = asyncio.run(check(state / "journal.db"))
    _tell(found, as_json=as_json)
    raise typer.Exit(0 if found["sound"] else 1)


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


device = typer.Typer(help="Devices and their wires.", no_args_is_help=True)
app.add_typer(device, name="device")


@device.command("probe")
def device_probe(
    port: Annotated[str, typer.Argument(help="A path, or tcp://host:port.")],
    baud: Annotated[int | None, typer.Option(help="This speed alone.")] = None,
    address: Annotated[int, typer.Option(min=0, max=247, help="Of a board.")] = 1,
    listen_s: Annotated[
        float, typer.Option("--listen", min=0, max=600, help="Seconds, before asking.")
    ] = 0.5,
    scan: Annotated[
        bool, typer.Option("--scan", help="Each address of a Modbus line; 26 s.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find out what stands at the end of a wire, without moving anything."""
    from edge.cli.device_probe import tell_probe
    from edge.cli.device_scan import tell_scan

    if scan:
        sys.exit(tell_scan(port, baud=baud, as_json=as_json))
    code = tell_probe(
        port, baud=baud, address=address, listen_s=listen_s, as_json=as_json
    )
    sys.exit(code)


@device.command("test")
def device_test(
    name: Annotated[str, typer.Argument(help="The device's id in the site file.")],
    site: Site,
    state: State = HERE,
    act: Annotated[
        bool, typer.Option("--act", help="Work one output once, after a question.")
    ] = False,
    channel: Annotated[
        int | None, typer.Option(min=1, max=64, help="Which output or lock.")
    ] = None,
    for_s: Annotated[
        float, typer.Option("--for", min=1, max=600, help="Seconds at a reader.")
    ] = 10.0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Find out whether a device of the site does what it is for."""
    from edge.cli.device_test import Wish, run_device_test
    from edge.cli.load_site import load_site

    wish = Wish(
        settings=load_site(site),
        state=state,
        name=name,
        act=act,
        channel=channel,
        for_s=for_s,
    )
    agrees = (lambda _: True) if yes else typer.confirm
    sys.exit(run_device_test(wish, say=print, agrees=agrees))


@device.command("pair")
def device_pair(
    port: Annotated[str, typer.Argument(help="A path, or tcp://host:port.")],
    address: Annotated[int, typer.Option(min=0, max=126, help="Of the reader.")],
    baud: Annotated[int | None, typer.Option(help="Instead of 9600.")] = None,
    window_s: Annotated[
        float, typer.Option("--window", min=10, max=60, help="Seconds at most.")
    ] = 30.0,
) -> None:
    """Give one OSDP reader a key of its own, alone on its line, at a bench."""
    from edge.cli.pair import tell_pair

    sys.exit(tell_pair(port, address=address, baud=baud, window_s=window_s))


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


bench = typer.Typer(help="Figures beside their floors.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.command("decide")
def bench_decide(
    credentials: Annotated[int, typer.Option(min=2_000)] = 250_000,
    bookings: Annotated[int, typer.Option(min=1_000)] = 50_000,
    for_s: Annotated[float, typer.Option("--for", help="Seconds a side.")] = 3.0,
    as_json: Json = False,
) -> None:
    """Measure look-up and decision against a loop of clock reads, in turn."""
    from edge.cli.bench.decide import DecideOptions, run_decide

    options = DecideOptions(credentials=credentials, bookings=bookings, for_s=for_s)
    _tell(run_decide(options), as_json=as_json)


@bench.command("scan")
def bench_scan(
    rate: Annotated[int, typer.Option(min=1, max=200, help="Scans a second.")] = 50,
    for_s: Annotated[float, typer.Option("--for", help="Seconds a side.")] = 30.0,
    credentials: Annotated[int, typer.Option(min=100)] = 100_000,
    bookings: Annotated[int, typer.Option(min=100)] = 20_000,
    as_json: Json = False,
) -> None:
    """Measure scan to unlock against the bare floor, in turn."""
    from edge.cli.bench.scan import ScanOptions, run_scan

    options = ScanOptions(
        rate=rate, for_s=for_s, credentials=credentials, bookings=bookings
    )
    _tell(run_scan(options), as_json=as_json)


@bench.command("drain")
def bench_drain(
    events: Annotated[int, typer.Option(min=1_000)] = 100_000,
    broker: Annotated[str, typer.Option(help="embedded or mosquitto")] = "embedded",
    as_json: Json = False,
) -> None:
    """Measure how fast a backlog reaches the platform's commit."""
    from edge.cli.bench.drain import BenchError, DrainOptions, run_drain

    if broker not in ("embedded", "mosquitto"):
        raise typer.BadParameter("use embedded or mosquitto")
    kind: Literal["embedded", "mosquitto"]
    kind = "mosquitto" if broker == "mosquitto" else "embedded"
    try:
        _tell(run_drain(DrainOptions(events=events, broker=kind)), as_json=as_json)
    except BenchError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


@bench.command("wire")
def bench_wire(as_json: Json = False) -> None:
    """Measure readers, boards and OSDP: wire, device and ours apart; three minutes."""
    from edge.cli.bench.process_figures import SiteError
    from edge.cli.bench.wire import WireOptions, run_wire

    try:
        _tell(run_wire(WireOptions()), as_json=as_json)
    except SiteError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


@bench.command("footprint")
def bench_footprint(as_json: Json = False) -> None:
    """Measure memory, start, disk and CPU on three sites, in about two minutes."""
    from edge.cli.bench.footprint import FootprintOptions, run_footprint
    from edge.cli.bench.process_figures import SiteError

    try:
        _tell(run_footprint(FootprintOptions()), as_json=as_json)
    except SiteError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


def _tell(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:20} {value}")


def main() -> None:
    """Run the verb that the command line names."""
    from edge.cli.exits import guarded

    guarded(app)


if __name__ == "__main__":
    main()
