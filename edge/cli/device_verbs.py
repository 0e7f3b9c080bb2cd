# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``menshen device``, gathered for the program.

The law of the module: options and their help alone; a verb's work is imported when it
is called.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Devices and their wires.", no_args_is_help=True)

Site = Annotated[Path, typer.Option(help="The site file (TOML).")]
State = Annotated[
    Path,
    typer.Option(envvar="STATE_DIRECTORY", help="Folder of journal, roster and keys."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object last.")]
#: Where a gateway keeps its state if nobody says otherwise (systemd does).
HERE = Path(".menshen")


@app.command("probe")
def probe(
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


@app.command("test")
def try_device(
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


@app.command("pair")
def pair(
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
