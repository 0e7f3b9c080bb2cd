# SPDX-License-Identifier: Apache-2.0
"""The examination: probe after probe, in their order, within one budget of time.

The law of the module: whatever a broker does, each question gets a finding; a probe
that fails leaves its own questions open and costs no other probe. What was left behind
is cleared in any case.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.broker_doctor import entering, hints, needs, trespass
from edge.cli.broker_doctor.bench import Bench, Patient
from edge.cli.broker_doctor.budget import (
    CLEAR_WITHIN_S,
    EXAMINE_WITHIN_S,
    Budget,
    OutOfTimeError,
)
from edge.cli.broker_doctor.connection import (
    BrokerError,
    RefusedError,
    UnreachableError,
)
from edge.cli.broker_doctor.findings import Examination, Finding, Outcome
from edge.cli.broker_doctor.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A piece of work and the questions that it answers."""

    names: tuple[str, ...]
    ask: Callable[[Bench], Iterator[Finding]]


#: What can be asked whoever the doctor enters as.
PLAIN = Probe(names=("plain",), ask=entering.plain)
NOBODY = Probe(names=("anonymous", "stranger"), ask=entering.nobody)
#: What needs both the gateway's and the platform's side.
INSIDE = (
    Probe(names=("payload-64k",), ask=needs.payload),
    Probe(names=("write-up", "write-down", "denial-told"), ask=trespass.writing),
    Probe(names=("read-up", "read-down", "read-all"), ask=trespass.reading),
    Probe(names=("takeover",), ask=entering.takeover),
)
HINTS = (
    Probe(names=("retained", "retained-wildcard"), ask=hints.retained),
    Probe(names=("last-will",), ask=hints.last_will),
    Probe(names=("session-queue",), ask=hints.session),
    Probe(names=("shared",), ask=hints.shared),
    Probe(names=("qos2",), ask=hints.exactly_once),
    Probe(names=("mqtt5",), ask=hints.version_5),
    Probe(names=("payload-above",), ask=hints.larger_payload),
)


def examine(
    patient: Patient,
    accepted: frozenset[str] = frozenset(),
    *,
    with_hints: bool = True,
    within_s: float = EXAMINE_WITHIN_S,
) -> Examination:
    """Ask a broker everything; never raises for what a broker does."""
    begun_s = time.monotonic()
    bench = Bench(patient=patient, budget=Budget(within_s))
    found: dict[str, Finding] = {}
    connected = _connect(bench)
    is_reached = connected.outcome is not Outcome.OPEN
    if is_reached or patient.door.ca is not None:
        _note(found, _asked(bench, PLAIN))
    if is_reached:
        _note(found, _asked(bench, NOBODY))
    if connected.outcome is Outcome.GOOD:
        try:
            _note(found, _inside(bench, (*INSIDE, *HINTS) if with_hints else INSIDE))
        finally:
            _note(found, _cleared(bench))
    found["connect"] = connected
    for name in QUESTIONS:
        unasked = Finding(name=name, outcome=Outcome.UNASKED, said=connected.said)
        found.setdefault(name, unasked)
    return Examination(
        findings=tuple(found[name] for name in QUESTIONS),
        is_reached=is_reached,
        accepted=accepted,
        seconds=time.monotonic() - begun_s,
    )


def _connect(bench: Bench) -> Finding:
    """Enter as a gateway; the outcome is open where nobody could be reached."""
    try:
        with bench.gateway():
            return _connected(Outcome.GOOD, "let in as a gateway")
    except (UnreachableError, OutOfTimeError) as fault:
        return _connected(Outcome.OPEN, str(fault) or "no time was left")
    except RefusedError as fault:
        is_tls_likely = not fault.is_answered and bench.patient.door.ca is None
        hint = "; if it speaks TLS, give --ca" if is_tls_likely else ""
        return _connected(Outcome.BAD, f"{fault}{hint}")


def _inside(bench: Bench, probes: Sequence[Probe]) -> list[Finding]:
    found: dict[str, Finding] = {}
    try:
        with bench.opened() as far:
            through = Probe(
                names=("up", "down"), ask=lambda bench: needs.both_ways(bench, far)
            )
            for probe in (through, *probes):
                _note(found, _asked(bench, probe))
    except (BrokerError, OutOfTimeError) as fault:
        said = f"the platform's account: {fault or 'no time was left'}"
        for name in ("up", "down"):
            found.setdefault(name, Finding(name=name, outcome=Outcome.BAD, said=said))
        for probe in probes:
            _note(found, [_open(name, said) for name in probe.names])
    return list(found.values())


def _asked(bench: Bench, probe: Probe) -> list[Finding]:
    """Return a finding for each of the probe's questions."""
    found: dict[str, Finding] = {}
    why = "not answered"
    try:
        for finding in probe.ask(bench):
            found[finding.name] = finding
    except OutOfTimeError:
        why = "no time was left"
    except BrokerError as fault:
        why = str(fault)
    return [found.get(name, _open(name, why)) for name in probe.names]


def _cleared(bench: Bench) -> list[Finding]:
    try:
        bench.clear(Budget(CLEAR_WITHIN_S))
    except (BrokerError, OutOfTimeError) as fault:
        name = "session-queue"
        said = f"left behind: {', '.join(bench.retained) or 'a session'}; {fault}"
        return [_open(name, said)]
    return []


def _note(found: dict[str, Finding], findings: list[Finding]) -> None:
    found.update((finding.name, finding) for finding in findings)


def _connected(outcome: Outcome, said: str) -> Finding:
    return Finding(name="connect", outcome=outcome, said=said)


def _open(name: str, why: str) -> Finding:
    return Finding(name=name, outcome=Outcome.OPEN, said=why)
