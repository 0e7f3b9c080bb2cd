# SPDX-License-Identifier: Apache-2.0
"""Orders from the shell: a door's mode, an emergency, and any other by its fields.

The law of the module: it asks through the control socket like the panel does, says who
asks, and prints what was written down. What is wrong is told in one line.
"""
# ruff: noqa: PLC0415
# A verb imports its work when it is called; typer reads annotations at run time.

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

Socket = Annotated[
    Path, typer.Option(envvar="MENSHEN_SOCKET", help="The gateway's control socket.")
]
Reason = Annotated[str, typer.Option(help="Why, in a few words.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the program."""
    app.command("mode")(mode)
    app.command("emergency")(emergency)
    app.command("end-emergency")(end_emergency)
    app.command("order")(order)


def mode(door: str, to: str, socket: Socket, reason: Reason) -> None:
    """Give a door another mode: LOCKED, UNLOCKED, BLOCKED, LOCKED_DOWN, LOCKED_OPEN."""
    _ask(socket, "mode", door=door, mode=to, reason=reason)


def emergency(state: str, socket: Socket, reason: Reason) -> None:
    """Begin an emergency: FIRE, LOCK_DOWN, CHECKPOINT or SHELTER."""
    _ask(socket, "emergency", state=state, reason=reason)


def end_emergency(state: str, socket: Socket, reason: Reason) -> None:
    """End an emergency by hand; FIRE once the fire panel is reset."""
    _ask(socket, "end-emergency", state=state, reason=reason)


def order(
    verb: Annotated[str, typer.Argument(help="What to do; 'list' names all verbs.")],
    socket: Socket,
    fields: Annotated[
        list[str] | None, typer.Argument(help="name=value, as the verb wants them.")
    ] = None,
) -> None:
    """Give any order that the panel can give, by its fields."""
    import dataclasses

    from edge.cli.control_orders import VERBS

    if verb not in VERBS:
        for name, kind in VERBS.items():
            known = " ".join(field.name for field in dataclasses.fields(kind))
            print(f"{name:18} {known}")
        raise typer.Exit(0 if verb == "list" else 2)
    told: dict[str, Any] = {}
    for field in fields or []:
        name, equals, text = field.partition("=")
        if not equals:
            print(f"{field}: write it as name=value")
            raise typer.Exit(2)
        told[name] = _value(text)
    _ask(socket, verb, **told)


def _value(text: str) -> object:
    """Read a value as people type it."""
    if text in ("true", "false"):
        return text == "true"
    if "," in text:
        return text.split(",")
    return int(text) if text.lstrip("-").isdecimal() else text


def _ask(socket: Path, verb: str, **fields: Any) -> None:
    from edge.control.client import ask

    fields.setdefault("actor", f"shell:{getpass.getuser()}")
    for event in ask(socket, verb, **fields)["events"]:
        print(f"{event['seq']:>8}  {event['k']}")
