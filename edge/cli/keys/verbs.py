# SPDX-License-Identifier: Apache-2.0
"""``menshen keys``: enrol, renew, and show what a box holds.

The law of the module: options and their help alone. Source: docs/enrolment.md.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position.

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="This box's keys and its certificate.", no_args_is_help=True)
Site = Annotated[Path, typer.Option(help="The site file (TOML).")]
State = Annotated[
    Path,
    typer.Option(envvar="STATE_DIRECTORY", help="Folder of journal, roster and keys."),
]
HERE = Path(".menshen")
Json = Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")]


@app.command()
def enrol(
    site: Site,
    claim: Annotated[
        str, typer.Option(help="As printed, or the picture's whole text.")
    ],
    url: Annotated[str, typer.Option(help="https://platform:8443")] = "",
    ca: Annotated[
        Path | None, typer.Option(help="File of the platform's authority.")
    ] = None,
    fingerprint: Annotated[str, typer.Option(help="Or its SHA-256.")] = "",
    wait: Annotated[float, typer.Option(help="Minutes to wait.")] = 30.0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Even if this box has a certificate.")
    ] = False,
    state: State = HERE,
    as_json: Json = False,
) -> None:
    """Make this box known to the platform: with a claim, and six digits to compare."""
    from edge.cli.keys.enrol import EnrolOptions
    from edge.cli.keys.enrol import enrol as work
    from edge.cli.keys.words import Told
    from edge.cli.load_site import load_site

    options = EnrolOptions(
        site=site,
        state=state,
        claim=claim,
        url=url,
        ca=ca,
        fingerprint=fingerprint,
        wait_s=wait * 60,
        replaces=replace,
    )
    sys.exit(work(options, load_site(site), Told(is_json=as_json)))


@app.command()
def show(site: Site, state: State = HERE, as_json: Json = False) -> None:
    """Show which keys this box holds, until when, and what is under way."""
    from edge.cli.keys.show import show as work
    from edge.cli.load_site import load_site

    work(load_site(site), state, is_json=as_json)


@app.command()
def renew(
    socket: Annotated[
        Path, typer.Option(envvar="MENSHEN_SOCKET", help="The gateway's socket.")
    ],
) -> None:
    """Have the running gateway ask for a new certificate now."""
    from edge.control.client import ask

    ask(socket, "renew")
    print("asked; menshen status says how it goes")
