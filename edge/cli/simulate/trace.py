# SPDX-License-Identifier: Apache-2.0
"""A run as text: one line an observation, and the hash of all lines.

The law of the module: a line says what was seen and nothing of this process, so that
two runs of one seed give the same text to the byte, on any machine.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, TextIO, assert_never

from edge.cli.simulate.checking import (
    Booted,
    CarriedOut,
    FeedWritten,
    Handled,
    Happened,
    Observation,
    Ordered,
    PowerLost,
    Renumbered,
    RosterAdopted,
    Stored,
    Stormed,
)

if TYPE_CHECKING:
    from edge.core.event import Event


class Trace:
    """Hashes every line, and writes it where it is wanted."""

    def __init__(self, file: TextIO | None = None) -> None:
        self.lines = 0
        self._hash = sha256()
        self._file = file

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        for told in told_of(seen):
            line = f"{seen.at_s:.6f} {told}\n"
            self._hash.update(line.encode())
            self.lines += 1
            if self._file is not None:
                self._file.write(line)

    def sha256(self) -> str:
        """Return the hash of all lines so far."""
        return self._hash.hexdigest()


def told_of(seen: Observation) -> list[str]:
    """Return an observation in words, a line for each thing in it."""
    match seen:
        case Booted():
            return [f"boot {seen.boot} epoch {seen.epoch} next {seen.next_seq}"]
        case PowerLost():
            return [f"{'stopped' if seen.is_orderly else 'power lost'} {seen.place}"]
        case Handled():
            stimulus = [] if seen.stimulus is None else [f"< {seen.stimulus}"]
            commands = [f"  > {command}" for command in seen.commands]
            return stimulus + [_event(event) for event in seen.events] + commands
        case RosterAdopted():
            return [f"roster {seen.roster.cursor}"]
        case FeedWritten():
            return [f"feed {seen.epoch}@{seen.revision}"]
        case Stored():
            return [f"stored to {seen.last_seq}"]
        case CarriedOut():
            return [f"wire {seen.command}"]
        case Renumbered():
            return [f"renumbered by {seen.shift}"]
        case Happened():
            return [f"world {seen.happening.as_mapping()}"]
        case Ordered():
            return [f"order {seen.order}"]
        case Stormed():
            return [f"weather {seen.kind} on {seen.on} for {seen.for_s:.3f} s"]
        case _:
            assert_never(seen)


def _event(event: Event) -> str:
    moment, person = event.moment, event.person
    who = f" {person.holder or '-'}/{person.booking or '-'}"
    when = f"[{moment.earliest_ms}..{moment.latest_ms}]"
    facts = " ".join(f"{name}={value}" for name, value in event.facts)
    return f"  #{event.seq} {event.kind} {event.subject}{who} {when} {facts}"
