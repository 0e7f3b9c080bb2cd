# SPDX-License-Identifier: Apache-2.0
"""Reading the vector files: ``S|C|X HEX # note``, numbers, and text blocks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "vectors"


class Vector(NamedTuple):
    """``kind``: S printed in a source, C computed, X must be refused."""

    kind: str
    frame: bytes
    note: str

    @property
    def is_good(self) -> bool:
        return self.kind != "X"


class Person(NamedTuple):
    """An invented person's text block, and the whole reply with a photo of zeros."""

    name: str
    text: bytes
    reply: bytes


def unhex(text: str) -> bytes:
    """Read hexadecimal with blanks; ``NN*COUNT`` repeats one byte."""
    frame = b""
    for word in text.split():
        pair, _, count = word.partition("*")
        frame += bytes.fromhex(pair) * int(count or 1)
    return frame


def frames(name: str) -> list[Vector]:
    """Read a file of frames."""
    vectors = []
    for line in _lines(name):
        body, _, note = line.partition("#")
        kind, _, digits = body.partition(" ")
        assert kind in ("S", "C", "X"), line
        vectors.append(Vector(kind, unhex(digits), note.strip()))
    assert vectors, f"{name} holds no frame"
    return vectors


def numbers() -> list[tuple[str, bool]]:
    """Read the identity numbers and whether they are good."""
    words = [line.split("#")[0].split() for line in _lines("ids")]
    return [(number, verdict == "ok") for number, verdict in words]


def persons() -> dict[str, Person]:
    """Read the text blocks; each reply's checksum is the file's, not ours."""
    found = {}
    for line in _lines("text256"):
        name, checksum, digits = line.split()
        text = bytes.fromhex(digits)
        head = bytes.fromhex("AAAAAA96690508000090 01000400")
        reply = head + text + bytes(1024) + bytes.fromhex(checksum)
        found[name] = Person(name, text, reply)
    return found


def _lines(name: str) -> list[str]:
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
