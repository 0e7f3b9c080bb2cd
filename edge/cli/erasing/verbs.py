# SPDX-License-Identifier: Apache-2.0
"""``menshen erase``: two people at the box have a person forgotten.

The law of the module: it shows what would go and asks before anything does; the work
is the running gateway's. A shell knows root and the gateway's user and nobody else, so
the two names are what those who sit there say.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# Flags are booleans; a verb imports its work when it is called; typer reads
# annotations at run time.

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.exits import TROUBLE, WRONG_USE

Socket = Annotated[
    Path, typer.Option(envvar="MENSHEN_SOCKET", help="The gateway's control socket.")
]
#: Longer than the gateway waits before it says that it goes on.
PATIENCE_S = 90.0
#: What stands in the way, for people.
BARRED = {
    "rental": "things of his lie in a locker: have them fetched, end the rental",
    "visit": "he is inside: the visit ends when he leaves, or at closing",
    "shift": "he is on duty: end the shift",
    "opening": "a door has just been released for him: wait some seconds",
    "emergency": "he is on the list of those to be fetched: end the emergency",
}


def register(app: typer.Typer) -> None:
    """Add the verb to the program."""
    app.command("erase")(erase)


def erase(
    holder: Annotated[str, typer.Argument(help="The holder's id at this site.")],
    socket: Socket,
    by: Annotated[str, typer.Option(help="Who does it.")],
    second: Annotated[str, typer.Option(help="Who confirms it: somebody else.")],
    reason: Annotated[str, typer.Option(help="Why; it stays, so name nobody.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would go.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="The second person has confirmed it.")
    ] = False,
) -> None:
    """Erase a person from this box: journal, roster, standing, old pages."""
    from edge.control.client import ask

    found = ask(socket, "erase-look", holder=holder)
    known = "known to the roster" if found["known"] else "not in the roster"
    print(f"{holder}: {known}, named in {found['events']} events")
    for bar in found["barred"]:
        print(f"not yet, {BARRED[bar]}")
    if dry_run:
        return
    if not yes:
        words = f"{second}, type the person's id again to confirm"
        if typer.prompt(words, default="", show_default=False) != holder:
            print("nothing was erased: the ids differ", file=sys.stderr)
            raise typer.Exit(WRONG_USE)
    done = ask(
        socket,
        "erase",
        within_s=PATIENCE_S,
        holder=holder,
        actor=f"shell:{by}",
        second=f"shell:{second}",
        reason=reason,
    )
    print(_told(done["state"], done["why"]))
    if done["state"] == "accepted":
        raise typer.Exit(TROUBLE)


def _told(state: str, why: str) -> str:
    match state:
        case "actuated":
            return "erased: no file of this box names the person any more"
        case "deferred":
            ways = "; ".join(BARRED.get(bar, bar) for bar in why.split())
            return f"deferred: {ways}. It is done by itself once nothing bars it"
        case _:
            return f"not finished: {why}. It goes on by itself; see STORAGE_FAULT"
