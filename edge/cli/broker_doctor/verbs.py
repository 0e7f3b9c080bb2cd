# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``menshen broker``, gathered for the program.

The law of the module: options and their help alone; a verb's work is imported when it
is called.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917, TC003
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The broker between gateway and platform.", no_args_is_help=True)

#: How an account is written: a name alone, with a password's file, or a certificate.
WHO = "NAME[=PASSWORD_FILE|=CERTIFICATE,KEY]"


@app.callback()
def _verbs() -> None:
    """Keep the verb's name, although there is only one."""


@app.command()
def doctor(
    host: Annotated[str, typer.Argument(help="Or what the site file says.")] = "",
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    site: Annotated[
        Path | None, typer.Option(help="A site file, for host, port and shard.")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(help="The broker's CA (PEM); without it no TLS.")
    ] = None,
    gateway: Annotated[
        str, typer.Option(metavar=WHO, help="Not one that works: it is pushed off.")
    ] = "probe-a",
    other: Annotated[
        str, typer.Option(metavar=WHO, help="A second one, for taking over.")
    ] = "probe-b",
    platform: Annotated[
        str,
        typer.Option(
            metavar=WHO,
            help="Who may read up and write down; not the platform at work.",
        ),
    ] = "",
    plain_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Where it must not speak plainly.")
    ] = 1883,
    accept: Annotated[
        list[str] | None,
        typer.Option(help="A weakness that you know of and live with; repeat it."),
    ] = None,
    with_hints: Annotated[
        bool, typer.Option("--hints/--no-hints", help="What else it can do, too.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object.")
    ] = False,
) -> None:
    """Examine a broker: what it can do, what is unsafe, and the line that mends it."""
    from edge.cli.broker_doctor.command import Order, run_doctor

    order = Order(
        host=host,
        port=port,
        site=site,
        ca=ca,
        gateway=gateway,
        other=other,
        platform=platform,
        plain_port=plain_port,
        accept=tuple(accept or ()),
        with_hints=with_hints,
        as_json=as_json,
    )
    sys.exit(run_doctor(order))
