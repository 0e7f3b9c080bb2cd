# SPDX-License-Identifier: Apache-2.0
"""``menshen platform box …``: whose key signs sticks and the codes on doors' screens.

The law of the module: as in ``verbs``. A key is believed once somebody has compared
its fingerprint; a box that enrolled has been compared already.
"""
# ruff: noqa: PLC0415
# A verb imports its work when it is called; typer reads annotations at run time.

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

box = typer.Typer(help="Which box's key is believed.", no_args_is_help=True)
Settings = Annotated[
    Path,
    typer.Option(envvar="MENSHEN_PLATFORM", help="The platform's settings (TOML)."),
]
Gateway = Annotated[str, typer.Argument(metavar="GATEWAY")]
HERE = Path("platform.toml")


@box.command("trust")
def trust(
    gateway: Gateway,
    fingerprint: Annotated[
        str, typer.Argument(help="As `menshen status` shows it at the box itself.")
    ],
    key: Annotated[str, typer.Option(help="The key's 64 hex digits.")] = "",
    stick: Annotated[
        Path | None, typer.Option(help="Or: the first file that came from it.")
    ] = None,
    settings: Settings = HERE,
) -> None:
    """Believe a box that did not enrol, once its fingerprint was compared."""
    from edge.cli.platform.box_work import trust_box

    if bool(key) is (stick is not None):
        raise typer.BadParameter("name one of the two", param_hint="--key, --stick")
    trust_box(settings, gateway, fingerprint, key, stick)


@box.command("forget")
def forget(gateway: Gateway, settings: Settings = HERE) -> None:
    """Believe a box no more that was compared by hand."""
    from edge.cli.platform.box_work import forget_box

    forget_box(settings, gateway)
