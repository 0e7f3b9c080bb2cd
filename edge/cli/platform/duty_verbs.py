# SPDX-License-Identifier: Apache-2.0
"""``menshen platform duty`` and what confirms volunteers' minutes.

The law of the module: options and their help alone; a verb's work is imported when it
is called. Source: docs/platform.md.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# As in verbs.py.

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Settings = Annotated[
    Path,
    typer.Option(envvar="MENSHEN_PLATFORM", help="The platform's settings (TOML)."),
]
HERE = Path("platform.toml")
Month = Annotated[str, typer.Option(metavar="YYYY-MM", help="Else this month.")]
Of = Annotated[str, typer.Option("--gateway", help="Of this gateway alone.")]
By = Annotated[str, typer.Option(help="Who confirms; it is kept and told.")]
Csv = Annotated[
    Path | None, typer.Option("--csv", help="Into this new file, for spreadsheets.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(duty)
    app.command("confirm-duty")(confirm_duty)
    app.command("confirm-month")(confirm_month)


def duty(
    settings: Settings = HERE,
    month: Month = "",
    of: Of = "",
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """List a month's shifts, one by one, with what was confirmed of them."""
    from edge.cli.platform.duty_work import list_shifts
    from edge.cli.platform.shown import Form

    list_shifts(settings, month, of, Form(csv=csv, is_json=as_json))


def confirm_duty(
    gateway: Annotated[str, typer.Argument(metavar="GATEWAY")],
    shift: Annotated[str, typer.Argument(metavar="SHIFT", help="As `duty` names it.")],
    by: By,
    minutes: Annotated[
        int | None, typer.Option(min=0, max=720, help="Others than were measured.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why others; the volunteer asks.")] = "",
    settings: Settings = HERE,
) -> None:
    """Confirm one shift's minutes, or correct what was confirmed."""
    from edge.cli.platform.duty_work import confirm_one

    confirm_one(settings, gateway, shift, by, minutes, reason)


def confirm_month(
    by: By,
    month: Month = "",
    of: Of = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Confirm; else only the summary is shown.")
    ] = False,
    settings: Settings = HERE,
) -> None:
    """Confirm a month's shifts as measured, except those whose end was forgotten."""
    from edge.cli.platform.duty_work import confirm_all

    confirm_all(settings, month, of, by, is_sure=yes)
