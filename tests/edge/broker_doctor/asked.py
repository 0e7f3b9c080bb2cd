# SPDX-License-Identifier: Apache-2.0
"""The doctor as a person calls it, and its answer as a program reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from edge.cli.main import app


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the doctor ended and what it found."""

    code: int
    verdict: str
    found: dict[str, dict[str, Any]]

    def names(self, part: str, outcome: str) -> set[str]:
        """Return the questions of a part that were answered so."""
        return {
            name
            for name, finding in self.found.items()
            if (finding["part"], finding["outcome"]) == (part, outcome)
        }

    def said(self, name: str) -> str:
        """Return what was seen."""
        return str(self.found[name]["said"])


def ask(*words: str) -> Answer:
    """Call the doctor."""
    told = CliRunner().invoke(app, ["broker", "doctor", *words, "--json"])
    assert told.stdout, told.output
    read = json.loads(told.stdout)
    assert read["code"] == told.exit_code
    return Answer(
        code=told.exit_code,
        verdict=read["verdict"],
        found={finding["name"]: finding for finding in read["findings"]},
    )


def tell(*words: str) -> tuple[int, str]:
    """Call the doctor; return its code and its words, errors included."""
    told = CliRunner().invoke(app, ["broker", "doctor", *words])
    return told.exit_code, told.output
