# SPDX-License-Identifier: Apache-2.0
"""``menshen platform site-key rotate, show, retire``: a new key for a site at work.

The law of the module: options and their help alone; a verb's work is imported when it
is called. Source: docs/enrolment.md, "A new site key".
"""
# ruff: noqa: FBT002, PLC0415
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
Site = Annotated[str, typer.Argument(metavar="SITE", help="As in its site file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs."""
    site_key = typer.Typer(help="A new key for a site.", no_args_is_help=True)
    for verb in (rotate, show, retire):
        site_key.command()(verb)
    app.add_typer(site_key, name="site-key")


def rotate(site: Site, settings: Settings = HERE) -> None:
    """Make a new key for a site and send it to its boxes, sealed to each."""
    from edge.cli.platform.site_key_work import rotate_key

    rotate_key(settings, site)


def show(site: Site, settings: Settings = HERE, as_json: Json = False) -> None:
    """Show which key each box holds, and how many rows are of the one before."""
    from edge.cli.platform.shown import Form
    from edge.cli.platform.site_key_work import show_keys

    show_keys(settings, site, Form(is_json=as_json))


def retire(site: Site, settings: Settings = HERE) -> None:
    """End the key of before, once no row is of it; boxes give it up when they can."""
    from edge.cli.platform.site_key_work import retire_key

    retire_key(settings, site)
