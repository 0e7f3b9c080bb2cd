# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``menshen ticket``, gathered for the program.

The law of the module: options and their help alone; a verb's work is imported when it
is called.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917, TC003
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.system_clock import wall_ms
from edge.cli.ticket.times import ms_of

app = typer.Typer(help="Tickets that prove themselves.", no_args_is_help=True)

TIME = "TIME"
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
NEW_ID_BYTES = 8


def _door(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


@app.command("new-key")
def new_key(
    path: Annotated[Path, typer.Argument(help="The issuer's new key file.")],
    key_id: Annotated[str, typer.Option("--kid", help="2 to 8 hex digits.")],
    issuer: Annotated[str, typer.Option(help="At most 8 ASCII characters.")],
    rotating: Annotated[
        bool, typer.Option("--rotating", help="With a secret for changing codes.")
    ] = False,
) -> None:
    """Make an issuer's key; print the half that a gateway gets."""
    from edge.cli.ticket.new_key import run_new_key

    sys.exit(run_new_key(path, key_id=key_id, issuer=issuer, rotates=rotating))


@app.command()
def issue(
    key: Annotated[Path, typer.Option(help="The issuer's key file (JSON, mode 600).")],
    site: Annotated[str, typer.Option(help="The site's id.")],
    door: Annotated[list[str], typer.Option(help="A number or an id; repeat it.")],
    from_ms: Annotated[
        int,
        typer.Option(
            "--from", parser=ms_of, metavar=TIME, help="As 2026-11-22T14:00+08:00."
        ),
    ],
    to_ms: Annotated[
        int, typer.Option("--to", parser=ms_of, metavar=TIME, help="When it ends.")
    ],
    issued_ms: Annotated[
        int | None,
        typer.Option("--issued", parser=ms_of, metavar=TIME, help="Instead of now."),
    ] = None,
    uses: Annotated[int, typer.Option(help="1 for a single use, 0 for any.")] = 0,
    party: Annotated[int, typer.Option(help="How many persons.")] = 1,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="For one of the site's responders.")
    ] = False,
    rotating: Annotated[
        bool, typer.Option("--rotating", help="With a code that changes.")
    ] = False,
    code_at_ms: Annotated[
        int | None,
        typer.Option("--at", parser=ms_of, metavar=TIME, help="Time of that code."),
    ] = None,
    ticket_id: Annotated[
        bytes | None,
        typer.Option("--id", parser=bytes.fromhex, metavar="HEX", help="8 or 16."),
    ] = None,
    qr: Annotated[
        Path | None, typer.Option(help="Draw it: .png, .svg or .pbm.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write one signed ticket as a platform would."""
    from edge.cli.ticket.issue import run_issue
    from edge.cli.ticket.writer import TicketOrder

    now_ms = wall_ms()
    order = TicketOrder(
        issuer="",  # the key's own
        site=site,
        doors=tuple(_door(name) for name in door),
        from_s=from_ms // 1000,
        to_s=to_ms // 1000,
        issued_s=(now_ms if issued_ms is None else issued_ms) // 1000,
        ticket_id=ticket_id or secrets.token_bytes(NEW_ID_BYTES),
        uses=uses,
        party=party,
        is_emergency=emergency,
        rotates=rotating,
    )
    code_at_s = (now_ms if code_at_ms is None else code_at_ms) // 1000
    sys.exit(run_issue(key, order, code_at_s=code_at_s, qr=qr, as_json=as_json))


@app.command("inspect")
def inspect_ticket(
    text: Annotated[str, typer.Argument(help="The code's text, in single quotes.")],
    keys: Annotated[
        Path | None, typer.Option(help="The gateway's keys/tickets.json.")
    ] = None,
    at_ms: Annotated[
        int | None,
        typer.Option("--at", parser=ms_of, metavar=TIME, help="Instead of now."),
    ] = None,
    site: Annotated[str | None, typer.Option(help="Judge it at this site.")] = None,
    door: Annotated[str | None, typer.Option(help="Judge it at this door.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a ticket claims and what speaks against it; 1 if it opens nothing."""
    from edge.cli.ticket.inspection import run_inspect

    when_ms = wall_ms() if at_ms is None else at_ms
    code = run_inspect(text, keys, when_ms, site=site, door=door, as_json=as_json)
    sys.exit(code)
