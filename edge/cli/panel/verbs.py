# SPDX-License-Identifier: Apache-2.0
"""``menshen init``, ``panel``, ``pair`` and ``account``: people and tablets.

The law of the module: a verb imports its work when it is called; what is wrong is told
in one line. A PIN is asked for, never given in the words of a command.
"""
# ruff: noqa: PLC0415
# A verb imports its work when it is called; typer reads annotations at run time.

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

Site = Annotated[Path, typer.Option(help="The site file (TOML).")]
State = Annotated[
    Path,
    typer.Option(envvar="STATE_DIRECTORY", help="Folder of journal, roster and keys."),
]
HERE = Path(".menshen")
Socket = Annotated[
    Path, typer.Option(envvar="MENSHEN_SOCKET", help="The gateway's control socket.")
]
#: How Python runs the panel: without the columns of its own lines, for half a megabyte.
PANEL = ("-X", "no_debug_ranges", "-m", "edge.panel")
account = typer.Typer(help="People who act at the panel.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs to the program."""
    app.command("init")(init)
    app.command("panel")(panel)
    app.command("pair")(pair)
    app.add_typer(account, name="account")


def init(site: Site, state: State = HERE) -> None:
    """Make the panel's certificate and the first-run code of a new box."""
    from edge.cli.backup.adopted import site_in_force
    from edge.cli.load_site import load_site
    from edge.cli.panel.first_run import run_init

    sys.exit(run_init(load_site(site_in_force(site, state)), state))


def panel(site: Site, state: State = HERE) -> None:
    """Run the volunteers' panel of one site until SIGTERM."""
    from edge.cli.backup.adopted import is_adopted
    from edge.cli.load_site import load_site
    from edge.cli.panel.starting import kept_words, panel_words
    from edge.settings.errors import SettingsError

    try:
        before = kept_words(state) if is_adopted(site, state) else None
        words = before or panel_words(load_site(site), state)
    except SettingsError as fault:
        before = kept_words(state)
        if before is None:
            raise
        print(f"as at the gateway's last start, since: {fault}", file=sys.stderr)
        words = before
    os.execv(  # noqa: S606  our own module, no shell
        sys.executable, [sys.executable, *PANEL, *words]
    )


def pair(socket: Socket) -> None:
    """Show a code by which one tablet is paired within ten minutes."""
    from edge.cli.panel.first_run import picture
    from edge.control.client import ask

    answer = ask(socket, "pair-begin")
    print(f"Within ten minutes, once: {answer['shown']}  or open {answer['url']}")
    print(picture(answer["url"]))


@account.command("list")
def list_accounts(socket: Socket) -> None:
    """Name everybody who may act at the panel."""
    from edge.control.client import ask

    for each in ask(socket, "accounts")["accounts"]:
        ways = [way for way in ("pin", "card") if each[f"has_{way}"]]
        state = "retired" if each["is_retired"] else "+".join(ways)
        print(f"{each['id']}  {each['role']:<9}  {state:<8}  {each['name']}")


@account.command("add")
def add(
    name: str,
    socket: Socket,
    role: Annotated[str, typer.Option(help="VOLUNTEER, MANAGER, INSTALLER.")] = (
        "VOLUNTEER"
    ),
    holder: Annotated[str, typer.Option(help="On the roster: whose card it is.")] = "",
    pin: Annotated[bool, typer.Option("--pin", help="Ask for a PIN.")] = False,  # noqa: FBT002
) -> None:
    """Make an account with a card's holder, a PIN, or both."""
    fields = {"name": name, "role": role, "holder": holder}
    if pin or not holder:
        fields["pin"] = _asked_pin()
    print(_done(socket, "account-add", **fields)["account"])


@account.command("retire")
def retire(which: Annotated[str, typer.Argument(metavar="ID")], socket: Socket) -> None:
    """End an account; its name stays for the records."""
    _done(socket, "account-retire", account=which)


@account.command("pin")
def set_pin(
    which: Annotated[str, typer.Argument(metavar="ID")], socket: Socket
) -> None:
    """Give an account another PIN."""
    _done(socket, "account-pin", account=which, pin=_asked_pin())


def _asked_pin() -> str:
    return str(
        typer.prompt("PIN (six digits)", hide_input=True, confirmation_prompt=True)
    )


_WORDS = {
    "form": "a PIN has six digits",
    "easy": "too easy to guess, take another PIN",
    "name": "a name of 1 to 24 characters, and a role that there is",
    "holder": "nobody of that number is on the roster",
    "taken": "that name or card is taken",
    "unknown": "there is no such account; `menshen account list` names them",
    "unkept": "the disk does not take it, nothing changed",
    "last": "the last manager stays; add another one first",
}


def _done(socket: Path, verb: str, **fields: Any) -> dict[str, Any]:
    from edge.control.client import ControlError, ask

    answer = ask(socket, verb, **fields)
    state = answer["state"]
    if state != "done":
        raise ControlError(_WORDS.get(state, state))
    return answer
