# SPDX-License-Identifier: Apache-2.0
"""``menshen broker doctor``: from the words of the command line to the report.

The law of the module: what is written wrong is said in one line before anything is
connected.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.broker_doctor import report
from edge.cli.broker_doctor.account import AccountError, read_account, read_gateway
from edge.cli.broker_doctor.bench import Patient
from edge.cli.broker_doctor.connection import Door, client_tls
from edge.cli.broker_doctor.entering import own_address
from edge.cli.broker_doctor.examine import examine
from edge.cli.broker_doctor.questions import QUESTIONS
from edge.cli.exits import WRONG_USE
from edge.cli.load_site import load_site

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.broker_doctor.account import Account

TLS_PORT, PLAIN_PORT = 8883, 1883


class OrderError(ValueError):
    """The command line cannot be used; says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the command line says."""

    host: str
    port: int | None
    site: Path | None
    ca: Path | None
    gateway: str
    other: str
    platform: str
    plain_port: int
    accept: tuple[str, ...]
    with_hints: bool
    as_json: bool


def run_doctor(order: Order) -> int:
    """Examine, print the report and return the exit code."""
    try:
        patient = patient_of(order)
    except (OrderError, AccountError) as fault:
        print(fault, file=sys.stderr)
        return WRONG_USE
    examination = examine(patient, frozenset(order.accept), with_hints=order.with_hints)
    if order.as_json:
        print(json.dumps(report.as_json(examination), ensure_ascii=False))
    else:
        door = patient.door
        way = "over TLS" if door.ca else "in the clear"
        print(f"{door.host}:{door.port} {way}, as {patient.gateway.name}\n")
        print("\n".join(report.lines(examination)))
    return examination.code


def patient_of(order: Order) -> Patient:
    """Return whom to examine; OrderError or AccountError says what is written wrong."""
    unheard = sorted(set(order.accept) - QUESTIONS.keys())
    if unheard:
        raise OrderError(
            f"--accept {unheard[0]}: no such question; take one of "
            + ", ".join(QUESTIONS)
        )
    if order.ca is not None and not order.ca.is_file():
        raise OrderError(f"--ca {order.ca}: no such file; give the CA's PEM file")
    gateway, other = read_gateway(order.gateway), read_gateway(order.other)
    platform = read_account(order.platform) if order.platform else None
    if gateway.name == other.name:
        raise OrderError("--gateway and --other are the same; give two accounts")
    door, shard = _door(order)
    for account in (None, gateway, other, platform):
        _check_files(door, account)
    return Patient(
        door=door,
        gateway=gateway,
        other=other,
        platform=platform,
        shard=shard,
        plain_port=order.plain_port,
        outside=own_address(),
    )


def _check_files(door: Door, account: Account | None) -> None:
    """Raise OrderError for a certificate authority or an account that cannot serve."""
    if door.ca is None:
        if account is not None and account.certificate is not None:
            raise OrderError(f"{account.name} has a certificate: give --ca, too")
        return
    try:
        client_tls(door.ca, account)
    except OSError as fault:
        what = f"--ca {door.ca}" if account is None else f"the files of {account.name}"
        raise OrderError(
            f"{what}: {fault.strerror or fault}; give PEM files, and keys that belong "
            "to their certificates and have no pass phrase"
        ) from fault


def _door(order: Order) -> tuple[Door, str]:
    if order.site is not None:
        settings = load_site(order.site)
        host = order.host or settings.platform.host
        port = order.port or settings.platform.port
        return Door(host=host, port=port, ca=order.ca), settings.gateway.shard
    if not order.host:
        raise OrderError("whom? give the broker's HOST, or --site FILE")
    port = order.port or (TLS_PORT if order.ca else PLAIN_PORT)
    return Door(host=order.host, port=port, ca=order.ca), "00"
