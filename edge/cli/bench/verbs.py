# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``menshen bench``, gathered for the program.

The law of the module: options and their help alone; a verb's work is imported when it
is called.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from edge.cli.telling import tell

app = typer.Typer(help="Figures beside their floors.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object last.")]


@app.command("decide")
def decide(
    credentials: Annotated[int, typer.Option(min=2_000)] = 250_000,
    bookings: Annotated[int, typer.Option(min=1_000)] = 50_000,
    for_s: Annotated[float, typer.Option("--for", help="Seconds a side.")] = 3.0,
    as_json: Json = False,
) -> None:
    """Measure look-up and decision against a loop of clock reads, in turn."""
    from edge.cli.bench.decide import DecideOptions, run_decide

    options = DecideOptions(credentials=credentials, bookings=bookings, for_s=for_s)
    tell(run_decide(options), as_json=as_json)


@app.command("scan")
def scan(
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
    tell(run_scan(options), as_json=as_json)


@app.command("drain")
def drain(
    events: Annotated[int, typer.Option(min=1_000)] = 100_000,
    broker: Annotated[str, typer.Option(help="embedded or mosquitto")] = "embedded",
    as_json: Json = False,
) -> None:
    """Measure how fast a backlog reaches the platform's commit."""
    from edge.cli.bench.drain import DrainOptions, run_drain
    from edge.cli.bench.errors import BenchError

    if broker not in ("embedded", "mosquitto"):
        raise typer.BadParameter("use embedded or mosquitto")
    kind: Literal["embedded", "mosquitto"]
    kind = "mosquitto" if broker == "mosquitto" else "embedded"
    try:
        tell(run_drain(DrainOptions(events=events, broker=kind)), as_json=as_json)
    except BenchError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


@app.command("ingest")
def ingest(
    gateways: Annotated[int, typer.Option(min=1, max=5_000)] = 1_000,
    rate: Annotated[
        float, typer.Option(min=0.1, max=50, help="Events a second and gateway.")
    ] = 5.0,
    for_s: Annotated[float, typer.Option("--for", min=5, max=3_600)] = 60.0,
    workers: Annotated[int, typer.Option(min=1, max=16)] = 2,
    kills: Annotated[
        int, typer.Option(min=0, max=20, help="Nodes of NATS killed meanwhile.")
    ] = 2,
    worker_kills: Annotated[
        int, typer.Option(min=0, max=20, help="Workers killed meanwhile.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Measure many gateways over three nodes of NATS into PostgreSQL, with kills."""
    from edge.cli.bench.brokers.process import BrokerError
    from edge.cli.bench.errors import BenchError
    from edge.cli.bench.ingest import IngestOptions, run_ingest

    options = IngestOptions(
        gateways=gateways,
        rate=rate,
        for_s=for_s,
        workers=workers,
        kills=kills,
        worker_kills=worker_kills,
    )
    try:
        figures = run_ingest(options)
    except (BenchError, BrokerError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    tell(figures, as_json=as_json)
    if figures["lost"] or figures["doubled"] or figures["alarms"]:
        raise typer.Exit(1)


@app.command("sync")
def sync(
    part: Annotated[
        list[str] | None,
        typer.Option(help="chaos, week, drain, back or idle; repeat it."),
    ] = None,
    broker: Annotated[
        list[str] | None,
        typer.Option(help="Of chaos: mosquitto, nats-x3, rabbitmq …; repeat it."),
    ] = None,
    short: Annotated[bool, typer.Option("--short", help="As in CI.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of chaos; 0 draws one.")] = 0,
    as_json: Json = False,
) -> None:
    """Measure sync: kills, a week offline, drains, a broker's return, silence."""
    from edge.cli.bench.brokers.kinds import KINDS
    from edge.cli.bench.brokers.process import BrokerError
    from edge.cli.bench.errors import BenchError
    from edge.cli.bench.sync.command import KILLED, PARTS, run_sync

    parts, brokers = part or PARTS, broker or KILLED
    for given, known in ((parts, PARTS), (brokers, KINDS)):
        if not set(given) <= set(known):
            raise typer.BadParameter(f"use {', '.join(known)}")
    try:
        tell(run_sync(parts, brokers, is_short=short, seed=seed), as_json=as_json)
    except (BenchError, BrokerError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


@app.command("feed")
def feed(
    rows: Annotated[int, typer.Option(min=500)] = 100_000,
    rate: Annotated[int, typer.Option(min=1, max=200, help="Scans a second.")] = 20,
    turns: Annotated[int, typer.Option(min=1, max=9)] = 3,
    as_json: Json = False,
) -> None:
    """Measure a door while a snapshot, and as many changes, come into force."""
    from edge.cli.bench.feed import FeedOptions, run_feed
    from edge.cli.bench.process_figures import SiteError

    try:
        figures = run_feed(FeedOptions(rows=rows, rate=rate, turns=turns))
    except SiteError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    tell(figures, as_json=as_json)


@app.command("wire")
def wire(as_json: Json = False) -> None:
    """Measure readers, boards and OSDP: wire, device and ours apart; three minutes."""
    from edge.cli.bench.process_figures import SiteError
    from edge.cli.bench.wire import WireOptions, run_wire

    try:
        tell(run_wire(WireOptions()), as_json=as_json)
    except SiteError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


@app.command("footprint")
def footprint(as_json: Json = False) -> None:
    """Measure memory, start, disk and CPU on three sites, in about two minutes."""
    from edge.cli.bench.footprint import FootprintOptions, run_footprint
    from edge.cli.bench.process_figures import SiteError

    try:
        tell(run_footprint(FootprintOptions()), as_json=as_json)
    except SiteError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


@app.command("door-feedback")
def door_feedback(
    bookings: Annotated[int, typer.Option(min=100)] = 50_000,
    cards: Annotated[int, typer.Option(min=10, max=5_000)] = 300,
    as_json: Json = False,
) -> None:
    """Measure a card's data to the verdict that a reader shows, in two minutes."""
    from edge.cli.bench.door_feedback import FeedbackOptions, run_door_feedback
    from edge.cli.bench.process_figures import SiteError

    try:
        figures = run_door_feedback(FeedbackOptions(bookings=bookings, cards=cards))
    except SiteError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    tell(figures, as_json=as_json)
    if not figures["is_within"]:
        raise typer.Exit(1)


@app.command("panel")
def panel(
    tablets: Annotated[int, typer.Option(min=1, max=20)] = 10,
    scans: Annotated[int, typer.Option(min=2, max=1_000)] = 30,
    loads: Annotated[int, typer.Option(min=1, max=1_000)] = 40,
    as_json: Json = False,
) -> None:
    """Measure a code at the door to its tablets, and each page beside an empty one."""
    from edge.cli.bench.panel import PanelOptions, run_panel_bench
    from edge.cli.bench.process_figures import SiteError

    options = PanelOptions(tablets=tablets, scans=scans, loads=loads)
    try:
        tell(run_panel_bench(options), as_json=as_json)
    except SiteError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
