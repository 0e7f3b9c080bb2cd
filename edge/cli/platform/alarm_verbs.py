# SPDX-License-Identifier: Apache-2.0
"""``menshen platform alarms``, ``answer`` and ``contacts``.

The law of the module: options and their help alone; a verb's work is imported when it
is called. Source: docs/platform.md.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# As in verbs.py.

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

Settings = Annotated[
    Path,
    typer.Option(envvar="MENSHEN_PLATFORM", help="The platform's settings (TOML)."),
]
HERE = Path("platform.toml")
Csv = Annotated[
    Path | None, typer.Option("--csv", help="Into this new file, for spreadsheets.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
From = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First day; else 30 ago."),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; else today."),
]
Of = Annotated[str, typer.Option("--gateway", help="Of this gateway alone.")]
contacts = typer.Typer(help="Who is called for alarms.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(alarms)
    app.command()(answer)
    app.add_typer(contacts, name="contacts")


def alarms(
    settings: Settings = HERE,
    first: From = None,
    last: To = None,
    of: Of = "",
    only_open: Annotated[
        bool, typer.Option("--open", help="Those that nobody has answered.")
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="How soon each kind was answered.")
    ] = False,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """Show alarms and calls: who was called, who answered, after how long."""
    from edge.cli.platform.alarm_work import show_alarms
    from edge.cli.platform.shown import Form

    form = Form(csv=csv, is_json=as_json)
    how = "summary" if summary else "open" if only_open else "all"
    show_alarms(settings, (first, last), of, how, form)


def answer(
    alarm: Annotated[str, typer.Argument(metavar="ALARM", help="As `alarms` has it.")],
    by: Annotated[str, typer.Option(help="Who answers: a name of the call list.")],
    note: Annotated[str, typer.Option(help="What was done.")] = "",
    settings: Settings = HERE,
) -> None:
    """Answer an alarm: the calling ends, and who was called hears of it."""
    from edge.cli.platform.alarm_work import answer_alarm

    answer_alarm(settings, alarm, by, note)


@contacts.command("import")
def contacts_import(
    file: Annotated[Path, typer.Argument(help="CSV with round,who,reach,hours.")],
    to: Annotated[list[str], typer.Option("--gateway", help="Whose; repeat it.")],
    settings: Settings = HERE,
) -> None:
    """Put a call list in the place of the one before."""
    from edge.cli.platform.alarm_work import import_contacts

    import_contacts(settings, file, to)


@contacts.command("show")
def contacts_show(
    of: Annotated[str, typer.Option("--gateway", help="Whose.")],
    settings: Settings = HERE,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """Show a call list."""
    from edge.cli.platform.alarm_work import show_contacts
    from edge.cli.platform.shown import Form

    show_contacts(settings, of, Form(csv=csv, is_json=as_json))
