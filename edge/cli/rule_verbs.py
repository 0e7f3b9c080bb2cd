# SPDX-License-Identifier: Apache-2.0
"""Verbs about the rules: why a door opened, what another site file would do, play.

The law of the module: options and their help alone; a verb's work is imported when it
is called. Nothing here touches a running gateway.
"""
# ruff: noqa: FBT002, PLC0415, PLR0917
# Flags are booleans; a verb imports its work when it is called; typer calls by
# position and reads the annotations at run time.

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

Site = Annotated[Path, typer.Option(help="The site file (TOML).")]
State = Annotated[
    Path,
    typer.Option(envvar="STATE_DIRECTORY", help="Folder of journal, roster and keys."),
]
HERE = Path(".menshen")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object last.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the program."""
    app.command("why")(why)
    app.command("what-if")(what_if)
    app.command("simulate")(simulate)


def why(
    door: Annotated[str, typer.Argument(help="The door's id, or a bank's.")],
    when: Annotated[str, typer.Argument(help="'2026-03-02 15:04', or 15:04 today.")],
    site: Site,
    holder: Annotated[str, typer.Argument(help="And this person? The id.")] = "",
    state: State = HERE,
    within_min: Annotated[
        float, typer.Option("--within", help="Minutes on both sides.")
    ] = 2.0,
    as_json: Json = False,
) -> None:
    """Explain why a door opened or did not, and who else could have opened it."""
    import asyncio

    from edge.cli.load_site import load_site
    from edge.cli.system_clock import wall_ms
    from edge.cli.why import WhyOptions
    from edge.cli.why import why as explain

    options = WhyOptions(
        door=door,
        when=when,
        state=state,
        now_ms=wall_ms(),
        holder=holder,
        within_min=within_min,
        is_json=as_json,
    )
    sys.exit(asyncio.run(explain(load_site(site).plan(), options)))


def what_if(
    new: Annotated[Path, typer.Argument(help="The site file to try.")],
    site: Site,
    state: State = HERE,
    days: Annotated[float, typer.Option(min=0.01, max=3_660)] = 30.0,
    as_json: Json = False,
) -> None:
    """Decide what is kept anew under another site file; nothing changes."""
    import asyncio

    from edge.cli.load_site import load_site
    from edge.cli.system_clock import wall_ms
    from edge.cli.what_if import WhatIfOptions
    from edge.cli.what_if import what_if as dry_run

    options = WhatIfOptions(state=state, now_ms=wall_ms(), days=days, is_json=as_json)
    before, after = load_site(site).plan(), load_site(new).plan()
    sys.exit(asyncio.run(dry_run(before, after, options)))


def simulate(
    seeds: Annotated[str, typer.Option(help="One seed, or 1..200.")] = "1..20",
    days: Annotated[float, typer.Option(help="Simulated days of each seed.")] = 1.0,
    trace: Annotated[
        Path | None, typer.Option(help="Write all that is seen, readable.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Seeds beside each other.")] = 1,
    options: Annotated[str, typer.Option(help="Knobs of the weather, as JSON.")] = "",
    site: Annotated[
        str, typer.Option(help="demo or quarter; else each seed has its own.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Play whole sites under any weather, and check what must always hold."""
    from edge.cli.simulate.command import Options
    from edge.cli.simulate.command import simulate as play

    chosen = Options(
        seeds=seeds,
        days=days,
        json=as_json,
        trace=trace,
        jobs=jobs,
        options=options,
        site=site,
    )
    sys.exit(play(chosen))
