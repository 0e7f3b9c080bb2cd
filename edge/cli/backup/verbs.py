# SPDX-License-Identifier: Apache-2.0
"""``menshen backup`` and ``menshen restore``.

The law of the module: what would change is shown before it does; a passphrase is asked
for, never given in the words of a command. Source: docs/backup.md.
"""
# ruff: noqa: FBT002, PLC0415
# Flags are booleans; a verb imports its work when it is called.

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

State = Annotated[
    Path,
    typer.Option(envvar="STATE_DIRECTORY", help="Folder of journal, roster and keys."),
]
HERE = Path(".menshen")


def register(app: typer.Typer) -> None:
    """Add the verbs to the program."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    state: State = HERE,
    out: Annotated[Path | None, typer.Option(help="Another file.")] = None,
    site: Annotated[
        Path | None, typer.Option(help="The site file, before a first start.")
    ] = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="With the box's keys; asks a passphrase.")
    ] = False,
) -> None:
    """Write journal, roster, accounts and site file into one file."""
    from edge.cli.backup.making import make
    from edge.cli.backup.manifest import told
    from edge.cli.system_clock import wall_ms
    from edge.cli.version import VERSION

    phrase = _asked("Passphrase for the keys", is_new=True) if keys else ""
    path, manifest = make(
        state.resolve(),
        at_ms=wall_ms(),
        version=VERSION,
        out=out and out.resolve(),
        site=site,
        passphrase=phrase,
    )
    print("\n".join((str(path), *told(manifest))))


def restore(
    file: Path,
    state: State = HERE,
    keys: Annotated[
        bool, typer.Option("--keys", help="The keys too; asks their passphrase.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
    other_site: Annotated[
        bool, typer.Option("--other-site", help="Even of another site.")
    ] = False,
) -> None:
    """Show what is inside a backup, and put it in the place of what is there."""
    from edge.cli.backup.finishing import finish_restore
    from edge.cli.backup.manifest import told
    from edge.cli.backup.reading import look
    from edge.cli.backup.restoring import Wish, replaced, stage
    from edge.cli.state_folder import own_folder
    from edge.cli.system_clock import wall_ms

    state = state.resolve()
    manifest = look(file)
    print("\n".join(told(manifest)))
    with own_folder(state, "gateway.lock"):
        going = ", ".join(replaced(state, manifest)) or "nothing"
        print(f"replaced  {going} in {state}; what is there is set aside")
        if not yes:
            typer.confirm("Restore this", abort=True)
        phrase = _asked("Passphrase of the keys", is_new=False) if keys else ""
        finish_restore(state)  # what a power cut left
        by = f"shell:{getpass.getuser()}"
        wish = Wish(by=by, at_ms=wall_ms(), passphrase=phrase, takes_other=other_site)
        stage(file, state, wish)
        aside = finish_restore(state)
    print(f"restored; what was there lies in {state / aside}")
    print(f"its site file lies in {state / 'site.restored.toml'}: compare, then use it")


def _asked(words: str, *, is_new: bool) -> str:
    return str(typer.prompt(words, hide_input=True, confirmation_prompt=is_new))
