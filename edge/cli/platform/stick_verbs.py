# SPDX-License-Identifier: Apache-2.0
"""``menshen platform stick …``: what people carry while a line is dead.

The law of the module: as in ``verbs``. Exit 0: all of it done; 1: something on the
stick was not taken, and a line says why.
"""
# ruff: noqa: FBT002, PLC0415
# Flags are booleans; a verb imports its work when it is called; typer reads the
# annotations at run time.

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

stick = typer.Typer(
    help="Events in and rosters out on a USB stick.", no_args_is_help=True
)
Settings = Annotated[
    Path,
    typer.Option(envvar="MENSHEN_PLATFORM", help="The platform's settings (TOML)."),
]
HERE = Path("platform.toml")


@stick.command("in")
def stick_in(
    path: Annotated[
        Path, typer.Argument(help="A gateway's file, or a folder with *.mnup.")
    ],
    no_answer: Annotated[
        bool, typer.Option("--no-answer", help="Write no file for the way back.")
    ] = False,
    settings: Settings = HERE,
) -> None:
    """Store what gateways exported, and write each its answer beside it."""
    from edge.cli.platform.stick_work import take_sticks

    take_sticks(settings, path, is_answered=not no_answer)


@stick.command("out")
def stick_out(
    gateway: Annotated[str, typer.Argument(metavar="GATEWAY")],
    file: Annotated[Path, typer.Argument(help="A new file, on the stick.")],
    settings: Settings = HERE,
) -> None:
    """Write what a gateway is to know: its roster, and which events are stored."""
    from edge.cli.platform.stick_work import write_stick

    write_stick(settings, gateway, file)
