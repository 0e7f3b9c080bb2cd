# SPDX-License-Identifier: Apache-2.0
"""``menshen voice``: what a door says aloud, what is recorded, taking recordings in.

The law of the module: options and their help alone; a verb's work is imported when it
is called.
"""
# ruff: noqa: PLC0415
# A verb imports its work when it is called; typer reads annotations at run time.

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The recorded voice of the doors.", no_args_is_help=True)

State = Annotated[
    Path,
    typer.Option(envvar="STATE_DIRECTORY", help="Where the gateway keeps its state."),
]
#: Where a gateway keeps its state if nobody says otherwise (systemd does).
HERE = Path(".menshen")


@app.command("list")
def list_words(
    language: Annotated[str, typer.Argument(help="zh-CN, yue, en …")],
    state: State = HERE,
) -> None:
    """Print what to record: file, sentence, and whether it is there."""
    from edge.cli.doorside.recordings import RecordingError, listed

    try:
        for line in listed(state, language):
            print(line)
    except RecordingError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error


@app.command("add")
def add(
    language: Annotated[str, typer.Argument(help="zh-CN, yue, en …")],
    word: Annotated[str, typer.Argument(help="As `menshen voice list` names it.")],
    recording: Annotated[Path, typer.Argument(help="A WAV file of 16 bits.")],
    state: State = HERE,
) -> None:
    """Take a recording in, brought to what the loudspeaker wants."""
    from edge.cli.doorside.recordings import RecordingError, take_in

    try:
        print(take_in(state, language, word, recording))
    except RecordingError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error


@app.command("make")
def make(
    into: Annotated[
        Path | None, typer.Option(help="Folder for them; else beside the words.")
    ] = None,
) -> None:
    """Make placeholders with espeak-ng, for every sentence of every language."""
    from edge.cli.doorside.recordings import RecordingError, make_all

    try:
        for line in make_all(into):
            print(line)
    except RecordingError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
