# SPDX-License-Identifier: Apache-2.0
"""``menshen platform``: run the reference platform, feed it, and ask it.

The law of the module: options and their help alone; a verb's work is imported when it
is called. Source: docs/platform.md.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.platform import alarm_verbs, duty_verbs, site_key_verbs
from edge.cli.platform.box_verbs import box
from edge.cli.platform.command_verbs import register as register_commands
from edge.cli.platform.enrolment_verbs import register as register_enrolment
from edge.cli.platform.plan_verbs import plan
from edge.cli.platform.stick_verbs import stick

app = typer.Typer(help="The central platform, as a reference.", no_args_is_help=True)
gateway = typer.Typer(help="Who may speak.", no_args_is_help=True)
rows = typer.Typer(help="What gateways are told.", no_args_is_help=True)
app.add_typer(gateway, name="gateway")
app.add_typer(rows, name="rows")
app.add_typer(plan, name="plan")
app.add_typer(box, name="box")
app.add_typer(stick, name="stick")
register_commands(app)
register_enrolment(app)

Settings = Annotated[
    Path,
    typer.Option(envvar="MENSHEN_PLATFORM", help="The platform's settings (TOML)."),
]
HERE = Path("platform.toml")
Csv = Annotated[
    Path | None, typer.Option("--csv", help="Into this new file, for spreadsheets.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")
]
From = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First day; else 30 ago."),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; else today."),
]
Of = Annotated[str, typer.Option("--gateway", help="Of this gateway alone.")]


@app.command()
def init(settings: Settings = HERE) -> None:
    """Write settings, make the signing key and the database's tables."""
    from edge.cli.platform.work import init as begin

    begin(settings)


@app.command()
def run(settings: Settings = HERE) -> None:
    """Serve gateways until SIGTERM."""
    from edge.cli.platform.work import run as serve

    serve(settings)


@app.command()
def worker(
    settings: Settings = HERE,
    shards: Annotated[
        str | None,
        typer.Option(help="With an MQTT broker: this worker's, as 00-07 or 00,03,08."),
    ] = None,
) -> None:
    """Serve gateways beside other workers: NATS's shared, or some shards of MQTT's."""
    from edge.cli.platform.workers import run_worker

    run_worker(settings, shards)


@app.command()
def shards(settings: Settings = HERE, csv: Csv = None, as_json: Json = False) -> None:
    """Show which worker serves which shard; exit 1 if gateways have none."""
    from edge.cli.platform.shown import Form
    from edge.cli.platform.workers import show_shards

    show_shards(settings, Form(csv=csv, is_json=as_json))


@app.command()
def keys(
    settings: Settings = HERE,
    out: Annotated[
        Path | None, typer.Option(help="A new file, as keys/platform.json has it.")
    ] = None,
) -> None:
    """Show the public half of the signing key."""
    from edge.cli.platform.work import export_keys

    export_keys(settings, out)


@gateway.command("add")
def gateway_add(
    name: Annotated[str, typer.Argument(metavar="GATEWAY", help="3 to 31 of a-z0-9-")],
    shard: Annotated[str, typer.Option(help="00 to 15; fixed for good.")],
    note: Annotated[str, typer.Option(help="Where it stands, for people.")] = "",
    settings: Settings = HERE,
) -> None:
    """Register a gateway."""
    from edge.cli.platform.work import add_gateway

    add_gateway(settings, name, shard, note)


@gateway.command("list")
def gateway_list(
    settings: Settings = HERE, csv: Csv = None, as_json: Json = False
) -> None:
    """Show who is online, what waits there, and which feed each holds."""
    from edge.cli.platform.shown import Form
    from edge.cli.platform.work import list_gateways

    list_gateways(settings, Form(csv=csv, is_json=as_json))


@rows.command("import")
def rows_import(
    file: Annotated[Path, typer.Argument(help="*.csv of bookings, or JSON lines.")],
    to: Annotated[list[str], typer.Option("--gateway", help="Whose; repeat it.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="What is not in the file goes.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Even if most of the feed goes.")
    ] = False,
    settings: Settings = HERE,
) -> None:
    """Write rows into feeds; gateways hear of it within a second."""
    from edge.cli.platform.work import import_rows

    import_rows(settings, file, to, replaces=replace, is_sure=yes)


@rows.command("show")
def rows_show(
    of: Annotated[str, typer.Option("--gateway", help="Whose.")],
    kind: Annotated[str, typer.Option(help="This kind alone.")] = "",
    settings: Settings = HERE,
) -> None:
    """Print a feed as JSON lines."""
    from edge.cli.platform.work import show_rows

    show_rows(settings, of, kind)


def _question(name: str, help_text: str) -> None:
    """Add a verb that asks the question of that name about a span of days."""

    def verb(
        settings: Settings = HERE,
        first: From = None,
        last: To = None,
        of: Of = "",
        csv: Csv = None,
        as_json: Json = False,
    ) -> None:
        from edge.cli.platform.questions import ask_about_days
        from edge.cli.platform.shown import Form

        form = Form(csv=csv, is_json=as_json)
        ask_about_days(settings, name, (first, last), of, form)

    app.command(name, help=help_text)(verb)


_question("visits", "Visits of each space and hour, without names.")
_question("hours", "Volunteers' shifts, minutes and points by month.")
_question("drills", "Drills with the times of their stages.")
_question("care", "Who was not seen for days and agreed to be asked after.")
_question("urgent", "What somebody had to hear of at once, told early or in its turn.")
_question("medicine", "Medicine boxes: opened, counted, used, expiring.")


@app.command()
def reconcile(
    settings: Settings = HERE,
    day: Day = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All days, unsure ones too.")
    ] = False,
    of: Of = "",
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """Count a day of each journal (today), look for gaps, walk its chain of hashes."""
    from edge.cli.platform.questions import reconcile_day
    from edge.cli.platform.shown import Form

    form = Form(csv=csv, is_json=as_json)
    reconcile_day(settings, day, of, form, is_all=everything)


@app.command()
def trouble(settings: Settings = HERE, csv: Csv = None, as_json: Json = False) -> None:
    """Show alarms, quarantine, and messages that were refused."""
    from cloud_sync.platform.reports.trouble import trouble as report
    from edge.cli.platform.shown import Form
    from edge.cli.platform.work import ask_and_show

    ask_and_show(settings, report, Form(csv=csv, is_json=as_json))


duty_verbs.add_to(app)
alarm_verbs.add_to(app)
site_key_verbs.add_to(app)
