# SPDX-License-Identifier: Apache-2.0
"""``menshen platform plan``: who is on duty when, in the weeks to come.

The law of the module: options and their help alone; a verb's work is imported when it
is called. Source: docs/platform.md, "The plan of shifts".
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# As in verbs.py.

from __future__ import annotations

from datetime import datetime  # noqa: TC003  typer reads it
from pathlib import Path
from typing import Annotated

import typer

Settings = Annotated[
    Path,
    typer.Option(envvar="MENSHEN_PLATFORM", help="The platform's settings (TOML)."),
]
HERE = Path("platform.toml")
Gateway = Annotated[str, typer.Argument(metavar="GATEWAY")]
Name = Annotated[str, typer.Argument(metavar="PLAN", help="As `plan list` has it.")]
Holder = Annotated[str, typer.Option(help="Who, as the feed's holder rows name him.")]
Space = Annotated[str, typer.Option(help="Where: a space of the site.")]
Begin = Annotated[
    str, typer.Option("--from", metavar="TIME", help='Local, "2026-03-02 09:00".')
]
End = Annotated[
    str, typer.Option("--to", metavar="TIME", help='The same, or "13:00" alone.')
]
Task = Annotated[str, typer.Option(help="What is to be done; names nobody.")]
By = Annotated[str, typer.Option(help="Who plans; it is kept and told.")]
Reason = Annotated[str, typer.Option(help="Why it is another than before.")]

plan = typer.Typer(help="Who is on duty in the weeks to come.", no_args_is_help=True)


@plan.command()
def add(
    gateway: Gateway,
    holder: Holder,
    space: Space,
    begin: Begin,
    end: End,
    by: By,
    task: Task = "",
    settings: Settings = HERE,
) -> None:
    """Plan one shift."""
    from edge.cli.platform.plan_work import Words, add_one

    words = Words(holder=holder, space=space, begin=begin, end=end, task=task)
    add_one(settings, gateway, words, by)


@plan.command("import")
def import_file(
    gateway: Gateway,
    file: Annotated[Path, typer.Argument(help="*.csv: holder,space,from,to,task,id")],
    by: By,
    reason: Reason = "",
    settings: Settings = HERE,
) -> None:
    """Plan a file's shifts, all or none; the same file again changes nothing."""
    from edge.cli.platform.plan_work import add_file

    add_file(settings, gateway, file, by, reason)


@plan.command()
def change(
    gateway: Gateway,
    name: Name,
    by: By,
    reason: Reason,
    holder: Annotated[str | None, typer.Option(help="Somebody else.")] = None,
    space: Annotated[str | None, typer.Option(help="Somewhere else.")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Another beginning.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Another end.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="Something else.")] = None,
    settings: Settings = HERE,
) -> None:
    """Change a planned shift; its versions before stay."""
    from edge.cli.platform.plan_work import Words, change_one

    words = Words(holder=holder, space=space, begin=begin, end=end, task=task)
    change_one(settings, gateway, name, words, by, reason)


@plan.command()
def off(
    gateway: Gateway, name: Name, by: By, reason: Reason, settings: Settings = HERE
) -> None:
    """Call a planned shift off."""
    from edge.cli.platform.plan_work import call_one_off

    call_one_off(settings, gateway, name, by, reason)


@plan.command("list")
def list_all(
    settings: Settings = HERE,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day; else today."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; else in 62."),
    ] = None,
    of: Annotated[str, typer.Option("--gateway", help="Of this gateway alone.")] = "",
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Into this new file, for spreadsheets.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List planned shifts, with the shifts by which they were taken up."""
    from edge.cli.platform.plan_work import list_plans
    from edge.cli.platform.shown import Form

    list_plans(settings, (first, last), of, Form(csv=csv, is_json=as_json))
