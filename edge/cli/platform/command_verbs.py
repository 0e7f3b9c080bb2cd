# SPDX-License-Identifier: Apache-2.0
"""``menshen platform operator …``, ``command …``, ``commands`` and ``door``.

The law of the module: as in ``verbs``. Each command says where, why and with whose key,
and there is none for many doors.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917, TC003
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

operator = typer.Typer(help="Who may have something done.", no_args_is_help=True)
command = typer.Typer(help="Have something done at a site.", no_args_is_help=True)

Settings = Annotated[
    Path,
    typer.Option(envvar="MENSHEN_PLATFORM", help="The platform's settings (TOML)."),
]
HERE = Path("platform.toml")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Into this new file.")]
Key = Annotated[
    Path, typer.Option(envvar="MENSHEN_OPERATOR_KEY", help="Your own key's file.")
]
Gateway = Annotated[str, typer.Option(help="At which gateway.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the journal there.")]
Within = Annotated[float, typer.Option("--within", help="Seconds to wait for its end.")]
WITHIN_S = 20.0


def register(app: typer.Typer) -> None:
    """Add the verbs to the platform's."""
    app.add_typer(operator, name="operator")
    app.add_typer(command, name="command")
    app.command("commands")(commands)
    app.command("door")(door)
    app.command("pass")(give_pass)


@operator.command("add")
def operator_add(
    operator_id: Annotated[str, typer.Argument(metavar="OPERATOR")],
    name: Annotated[str, typer.Option(help="For people.")],
    role: Annotated[str, typer.Option(help="desk or manager.")] = "desk",
    key: Annotated[
        Path | None, typer.Option(help="Make his key in this new file.")
    ] = None,
    public: Annotated[
        str, typer.Option(help="Or: the public half of one made elsewhere, hex.")
    ] = "",
    opens_hour: Annotated[int, typer.Option(help="Openings an hour.")] = 10,
    door_hour: Annotated[int, typer.Option(help="… at one door.")] = 10,
    settings: Settings = HERE,
) -> None:
    """Add an operator with a key of his own."""
    from cloud_sync.platform.commanding.operators import Operator, Role
    from edge.cli.platform.command_work import add_operator

    if role not in list(Role):
        raise typer.BadParameter("desk or manager", param_hint="--role")
    if (key is None) is not bool(public):
        raise typer.BadParameter("name one of the two", param_hint="--key, --public")
    wanted = Operator(
        operator=operator_id,
        name=name,
        role=Role(role),
        key=public,
        opens_hour=opens_hour,
        door_hour=door_hour,
    )
    add_operator(settings, wanted, key)


@operator.command("list")
def operator_list(
    settings: Settings = HERE, csv: Csv = None, as_json: Json = False
) -> None:
    """Show all operators, retired ones too."""
    from edge.cli.platform.command_work import list_operators
    from edge.cli.platform.shown import Form

    list_operators(settings, Form(csv=csv, is_json=as_json))


@operator.command("retire")
def operator_retire(
    operator_id: Annotated[str, typer.Argument(metavar="OPERATOR")],
    settings: Settings = HERE,
) -> None:
    """Let an operator have nothing done any more."""
    from edge.cli.platform.command_work import retire_operator

    retire_operator(settings, operator_id)


def door(
    name: Annotated[str, typer.Argument(metavar="DOOR", help="As in the site file.")],
    space: Annotated[str, typer.Argument(help="The room behind it.")],
    gateway: Gateway,
    lead: Annotated[int, typer.Option(min=0, max=240, help="Minutes before.")] = 10,
    grace: Annotated[int, typer.Option(min=0, max=240, help="Minutes after.")] = 5,
    site: Annotated[
        str, typer.Option(help="The site's id: its codes lead to /door/SITE/DOOR.")
    ] = "",
    screen_only: Annotated[
        bool, typer.Option("--screen-only", help="The poster alone opens nothing.")
    ] = False,
    settings: Settings = HERE,
) -> None:
    """Say of which room a door is, so that residents' bookings can be checked."""
    from edge.cli.platform.command_work import set_address, set_door

    if screen_only and not site:
        raise typer.BadParameter("name the site, too", param_hint="--site")
    set_door(settings, gateway, name, space, (lead, grace))
    if site:
        set_address(settings, site, gateway, name, is_fresh=screen_only)


def give_pass(
    holder: Annotated[str, typer.Argument(help="As in the feed.")],
    gateway: Gateway,
    days: Annotated[int, typer.Option(min=1, max=366)] = 30,
    settings: Settings = HERE,
) -> None:
    """Print a resident's pass for the page behind a door's code."""
    from edge.cli.platform.command_work import give_pass as issue

    issue(settings, gateway, holder, days)


def commands(
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 30,
    settings: Settings = HERE,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """Show what was wanted last, and what became of it."""
    from edge.cli.platform.command_work import list_commands
    from edge.cli.platform.shown import Form

    list_commands(settings, last, Form(csv=csv, is_json=as_json))


@command.command("cancel")
def command_cancel(number: int, settings: Settings = HERE) -> None:
    """Have nothing signed for a wish any more; `commands` tells its number."""
    from edge.cli.platform.command_work import cancel

    cancel(settings, number)


@command.command("open")
def command_open(
    name: Annotated[str, typer.Argument(metavar="DOOR")],
    gateway: Gateway,
    reason: Reason,
    key: Key,
    within: Within = WITHIN_S,
    settings: Settings = HERE,
) -> None:
    """Let somebody in."""
    _give(settings, key, gateway, "open", reason, within, door=name)


@command.command("resident-open")
def command_resident_open(
    name: Annotated[str, typer.Argument(metavar="DOOR")],
    holder: Annotated[str, typer.Option(help="Who scanned the door's code.")],
    gateway: Gateway,
    code: Annotated[
        str, typer.Option(help="What the door's screen showed; none: its poster.")
    ] = "",
    within: Within = WITHIN_S,
    settings: Settings = HERE,
) -> None:
    """Let a resident in, if he has a booking for this room now."""
    from edge.cli.platform.command_work import resident_open

    resident_open(settings, gateway, name, holder, code, within_s=within)


@command.command("mode")
def command_mode(
    name: Annotated[str, typer.Argument(metavar="DOOR")],
    mode: Annotated[
        str, typer.Argument(help="LOCKED, UNLOCKED, BLOCKED or LOCKED_DOWN.")
    ],
    gateway: Gateway,
    reason: Reason,
    key: Key,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M"], help="Local; today, by closing time."),
    ] = None,
    within: Within = WITHIN_S,
    settings: Settings = HERE,
) -> None:
    """Give a door another mode, to its end."""
    from edge.cli.platform.command_work import local_ms

    fields: dict[str, Any] = {"door": name, "mode": mode}
    if until is not None:
        fields["until"] = local_ms(settings, until)
    _give(settings, key, gateway, "mode", reason, within, **fields)


@command.command("locker-open")
def command_locker_open(
    bank: str,
    number: int,
    gateway: Gateway,
    reason: Reason,
    key: Key,
    within: Within = WITHIN_S,
    settings: Settings = HERE,
) -> None:
    """Open a compartment; it ends no rental."""
    where: dict[str, Any] = {"bank": bank, "number": number}
    _give(settings, key, gateway, "locker_open", reason, within, **where)


@command.command("revoke")
def command_revoke(
    holder: str,
    gateway: Gateway,
    reason: Reason,
    key: Key,
    within: Within = WITHIN_S,
    settings: Settings = HERE,
) -> None:
    """Have nothing of a holder open any more, from the next scan on."""
    _give(settings, key, gateway, "revoke_now", reason, within, holder=holder)


@command.command("message")
def command_message(
    text: str,
    gateway: Gateway,
    reason: Reason,
    key: Key,
    within: Within = WITHIN_S,
    settings: Settings = HERE,
) -> None:
    """Tell the volunteers something."""
    _give(settings, key, gateway, "message", reason, within, text=text)


@command.command("refresh")
def command_refresh(
    gateway: Gateway,
    reason: Reason,
    key: Key,
    within: Within = WITHIN_S,
    settings: Settings = HERE,
) -> None:
    """Have a gateway pull its feed at once."""
    _give(settings, key, gateway, "feed_refresh", reason, within)


@command.command("shelter")
def command_shelter(
    site: Annotated[str, typer.Option(help="The site's id, as its own file says.")],
    gateway: Gateway,
    reason: Reason,
    key: Key,
    within: Within = 600.0,
    settings: Settings = HERE,
) -> None:
    """Begin a shelter: two operators say this at the same time, each with his key."""
    from edge.cli.platform.command_work import shelter

    shelter(settings, key, gateway, site, reason, within)


@command.command("erase")
def command_erase(
    holder: str,
    gateway: Gateway,
    reason: Reason,
    key: Key,
    within: Within = WITHIN_S,
    settings: Settings = HERE,
) -> None:
    """Forget a person of one site: here at once, and on his gateway."""
    from edge.cli.platform.command_work import erase

    erase(settings, key, gateway, holder, reason, within)


def _give(
    settings: Path,
    key: Path,
    gateway: str,
    action: str,
    reason: str,
    within_s: float,
    **fields: Any,
) -> None:
    from edge.cli.platform.command_work import command as give
    from edge.core.remote.command import Action

    give(settings, key, gateway, Action(action), reason, fields, within_s=within_s)
