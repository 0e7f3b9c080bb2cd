# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``menshen sync``, gathered for the program.

The law of the module: options and their help alone; a verb's work is imported when it
is called. Exit 0: done, or nothing to do; 1: not done, and one line says why.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Events up and rosters down on a USB stick, while the line is dead.",
    no_args_is_help=True,
)
Socket = Annotated[
    Path | None,
    typer.Option(
        envvar="MENSHEN_SOCKET",
        help="The gateway's control socket; without it, the one in --state.",
    ),
]
State = Annotated[
    Path, typer.Option(envvar="STATE_DIRECTORY", help="The gateway's state folder.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("export")
def export_verb(
    file: Annotated[Path, typer.Argument(help="A new file, on the stick.")],
    socket: Socket = None,
    state: State = Path(".menshen"),
    site: Annotated[
        Path | None, typer.Option(help="The site file, if the gateway is stopped.")
    ] = None,
    from_seq: Annotated[
        int | None, typer.Option(min=1, help="Begin with this event.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every event that the box still has.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write what the platform has not acknowledged yet into a file for it."""
    import asyncio

    from cloud_sync.stick_file import StickError
    from edge.cli.key_files import KeyFileError
    from edge.cli.load_site import load_site
    from edge.cli.sneakernet.carry_up import export, opened_source
    from edge.cli.sneakernet.export import ALL, WAITING

    if everything and from_seq is not None:
        raise typer.BadParameter("say --all or --from-seq, not both")
    wish = ALL if everything else from_seq or WAITING
    gateway = load_site(site).gateway.id if site else None
    where = socket or state / "control.sock"

    async def work() -> None:
        async with opened_source(where, state, gateway) as source:
            done = await export(source, file, wish)
        told = done.as_json()
        if as_json:
            print(json.dumps(told))
        elif not done.batches:
            print(
                f"nothing waits: the platform has stored all up to {told['last']}. No "
                "file was written"
            )
        else:
            print(
                f"{file}: events {told['first']} to {told['last']} of {told['gateway']}"
                f", {done.file_bytes} bytes\nbox key {told['fingerprint']}\n"
                "Unmount the stick before you pull it. The events stay in the box until"
                " the platform's answer is imported or the line is back"
            )

    try:
        asyncio.run(work())
    except (StickError, KeyFileError, ValueError) as fault:
        print(fault, file=sys.stderr)
        raise typer.Exit(1) from fault


@app.command("import")
def import_verb(
    file: Annotated[Path, typer.Argument(help="The platform's file, on the stick.")],
    socket: Socket = None,
    state: State = Path(".menshen"),
    as_json: Json = False,
) -> None:
    """Hand a file of the platform to the running gateway."""
    from cloud_sync.stick_file import StickError
    from edge.cli.sneakernet.carry_down import import_file

    try:
        done = import_file(file, socket or state / "control.sock")
    except StickError as fault:
        print(fault, file=sys.stderr)
        raise typer.Exit(1) from fault
    print(json.dumps(done.told) if as_json else "\n".join(done.lines()))
    raise typer.Exit(0 if done.is_good else 1)
