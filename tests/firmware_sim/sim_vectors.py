# SPDX-License-Identifier: Apache-2.0
"""Reads the byte vectors: lines ``S|C|X HEX # note``, sources in each file's head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "vectors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """``is_sound`` is False for an X line, which must be refused."""

    is_sound: bool
    data: bytes
    note: str


def vectors(file: str) -> list[Vector]:
    """Return the vectors of ``vectors/<file>.txt`` in their order."""
    lines = (FOLDER / f"{file}.txt").read_text(encoding="utf-8").splitlines()
    return [_vector(line) for line in lines if not line.startswith("#")]


def frames(file: str) -> dict[str, bytes]:
    """Return the sound frames of a file by their note."""
    return {vector.note: vector.data for vector in vectors(file) if vector.is_sound}


def _vector(line: str) -> Vector:
    frame, note = line.split(" # ", 1)
    kind, *words = frame.split()
    return Vector(
        is_sound=kind in ("S", "C"),
        data=b"".join(_bytes(word) for word in words),
        note=note,
    )


def _bytes(word: str) -> bytes:
    repeated = re.fullmatch(r"([0-9A-F]{2})\*(\d+)", word)
    if repeated:
        return bytes.fromhex(repeated[1]) * int(repeated[2])
    return bytes.fromhex(word)
