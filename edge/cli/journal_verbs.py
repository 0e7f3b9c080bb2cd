# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``menshen journal``, gathered for the program.

The law of the module: options and their help alone; a verb's work is imported when it
is called.
"""
# ruff: noqa: FBT002, PLC0415
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.cli.telling import tell

app = typer.Typer(help="The journal of events.", no_args_is_help=True)

State = Annotated[
    Path,
    typer.Option(envvar="STATE_DIRECTORY", help="Folder of journal, roster and keys."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object last.")]
#: Where a gateway keeps its state if nobody says otherwise (systemd does).
HERE = Path(".menshen")


@app.command("show")
def show(
    state: State = HERE,
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the last events as they were stored."""
    import asyncio

    from edge.cli.journal_view import show

    async def run_show() -> None:
        async for event in show(state / "journal.db", last):
            text = json.dumps(event, ensure_ascii=False) if as_json else _line(event)
            print(text)

    asyncio.run(run_show())


def _line(event: dict[str, Any]) -> str:
    person = event.pop("person") or {}
    seq, kind, at = event.pop("seq"), event.pop("k"), event.pop("at")
    left_out = ("b", "hi", "lo", "m", "epoch")
    facts = {k: v for k, v in event.items() if k not in left_out} | person
    words = " ".join(f"{name}={value}" for name, value in facts.items())
    return f"{seq:>8}  {kind:22} {at:20} {words}"


@app.command("verify")
def verify(state: State = HERE, as_json: Json = False) -> None:
    """Walk the whole chain of hashes; exit 1 if an event is not as it was stored."""
    import asyncio

    from edge.cli.journal_view import check

    found = asyncio.run(check(state / "journal.db"))
    tell(found, as_json=as_json)
    raise typer.Exit(0 if found["sound"] else 1)
