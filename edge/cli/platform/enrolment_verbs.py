# SPDX-License-Identifier: Apache-2.0
"""``menshen platform claim, waiting, confirm …``: who may become a gateway.

The law of the module: options and their help alone. Source: docs/enrolment.md.
"""
# ruff: noqa: FBT002, PLC0415
# Flags are booleans; a verb imports its work when it is called.

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Settings = Annotated[
    Path,
    typer.Option(envvar="MENSHEN_PLATFORM", help="The platform's settings (TOML)."),
]
HERE = Path("platform.toml")
Gateway = Annotated[str, typer.Argument(metavar="GATEWAY")]
Site = Annotated[str, typer.Option(help="The site's id, as in its site file.")]
Hosts = Annotated[
    list[str] | None, typer.Option("--host", help="A name or an address; repeat it.")
]
Use = Annotated[str, typer.Option(help="site, rotation, issuer or command.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (authority, server, claim, waiting, confirm, refuse, revoke):
        app.command()(verb)
    secret = typer.Typer(help="Keys of sites, kept encrypted.", no_args_is_help=True)
    secret.command("put")(secret_put)
    secret.command("export")(secret_export)
    app.add_typer(secret, name="secret")


def authority(
    hosts: Hosts = None,
    name: Annotated[str, typer.Option(help="What it is called.")] = "Menshen",
    settings: Settings = HERE,
) -> None:
    """Make the certificate authority, once; with --host also the web server's files."""
    from edge.cli.platform.enrolment import make_authority

    make_authority(settings, name, hosts or [])


def server(
    name: Annotated[str, typer.Argument(help="The files' name, broker say.")],
    hosts: Annotated[list[str], typer.Option("--host", help="Repeat it.")],
    settings: Settings = HERE,
) -> None:
    """Issue a certificate for a server of yours, a broker's say."""
    from edge.cli.platform.enrolment import make_server

    make_server(settings, name, hosts)


def claim(
    gateway: Gateway,
    site: Site,
    url: Annotated[str, typer.Option(help="Where the box finds this platform.")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Even if it has a good certificate.")
    ] = False,
    settings: Settings = HERE,
) -> None:
    """Print a claim with which one box may enrol, within 24 hours."""
    from edge.cli.platform.enrolment import open_claim

    open_claim(settings, gateway, site, url, replaces=replace)


def waiting(settings: Settings = HERE, as_json: Json = False) -> None:
    """List the boxes that wait, each with the six digits that it must show, too."""
    from edge.cli.platform.enrolment import list_waiting
    from edge.cli.platform.shown import Form

    list_waiting(settings, Form(is_json=as_json))


def confirm(
    gateway: Gateway,
    digits: Annotated[str, typer.Argument(help="As the box shows them.")],
    settings: Settings = HERE,
) -> None:
    """Give the box that shows these six digits its certificate."""
    from edge.cli.platform.enrolment import confirm as issue

    issue(settings, gateway, digits)


def refuse(gateway: Gateway, settings: Settings = HERE) -> None:
    """Turn away whoever waits as this gateway."""
    from edge.cli.platform.enrolment import refuse as turn_away

    turn_away(settings, gateway)


def revoke(gateway: Gateway, settings: Settings = HERE) -> None:
    """Revoke a gateway's certificates: its box was stolen, or is no more."""
    from edge.cli.platform.enrolment import revoke as end

    end(settings, gateway)


def secret_put(
    file: Annotated[Path, typer.Argument(help="JSON, as docs/enrolment.md shows it.")],
    site: Site,
    use: Use,
    settings: Settings = HERE,
) -> None:
    """Keep new keys of a site, and send them to its boxes, sealed to each."""
    from edge.cli.platform.enrolment import put_secret

    put_secret(settings, site, use, file)


def secret_export(
    out: Annotated[Path, typer.Argument(help="A new file.")],
    site: Site,
    use: Use,
    settings: Settings = HERE,
) -> None:
    """Write a site's keys into a file, for the booking system that makes tokens."""
    from edge.cli.platform.enrolment import export_secret

    export_secret(settings, site, use, out)
