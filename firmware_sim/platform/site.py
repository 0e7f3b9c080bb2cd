# SPDX-License-Identifier: Apache-2.0
"""The site file: which gateways there are, what they share, who lives there.

The law of the module: what is wrong in the file is a ValueError that names the
field; what is not in the file is not made up, the population's seed apart.

A site file, its population's fields all optional::

    {"gateways": {"gw-hall": "00"},          shard by gateway; or, for one alone,
                                             "gateway": "gw-hall", "shard": "00"
     "site": "hall-7", "site_key": "…64 hex", "epoch_salt": "…32 hex",
     "population": {
       "seed": 1, "holders": 300, "bookings": 60, "around_ms": 1767225600000,
       "spaces": ["kitchen"],
       "cards": 3,                           so many of the first have their card
       "named": [{"id": "h-mei", "number": "99…", "code": "QR text",
                  "tags": [{"technology": "WIEGAND", "bits": 26, "number": "…hex"}],
                  "language": "zh", "extended": 1, "roles": ["RESIDENT"]}],
       "rows": [{"kind": "booking", "id": "b-1", "body": {…}}]}}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firmware_sim.platform.feed import Row, parse_row
from firmware_sim.platform.people import bookings, people, random_tokens
from firmware_sim.platform.tokens import Pseudonyms

if TYPE_CHECKING:
    from pathlib import Path


_GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{2,30}")
_SHARD = re.compile(r"0\d|1[0-5]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a site file says; ``population`` is left as JSON until it is wanted."""

    registry: dict[str, str]
    pseudonyms: Pseudonyms
    population: dict[str, Any]


def read_site(path: Path) -> Site:
    """Read the site file at ``path``."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return Site(
            registry=_registry(value),
            pseudonyms=Pseudonyms(
                site=str(value["site"]),
                site_key=bytes.fromhex(value["site_key"]),
                epoch_salt=bytes.fromhex(value["epoch_salt"]),
            ),
            population=dict(value.get("population", {})),
        )
    except KeyError as missing:
        raise ValueError(f"{path}: the field {missing} is missing") from missing
    except (TypeError, ValueError) as flaw:
        raise ValueError(f"{path}: {flaw}") from flaw


def _registry(value: Any) -> dict[str, str]:
    """Take ``gateways``, or ``gateway`` and ``shard`` of a single one."""
    single = "gateways" not in value
    named = {value["gateway"]: value["shard"]} if single else value["gateways"]
    if not isinstance(named, dict) or not named:
        raise ValueError("gateways is an object of shards by gateway")
    for gateway, shard in named.items():
        if not _GATEWAY.fullmatch(str(gateway)) or not _SHARD.fullmatch(str(shard)):
            raise ValueError(f"gateways: {gateway!r} in shard {shard!r}")
    return named


def populate(site: Site, now_ms: int) -> list[Row]:
    """Return the rows a new feed begins with; bookings lie around now by default."""
    wanted = site.population
    seed, count = int(wanted.get("seed", 1)), int(wanted.get("holders", 0))
    residents = people(seed, count)
    tokens = random_tokens(seed)
    cards = int(wanted.get("cards", 0))
    rows = [person.row([f"CARD:{next(tokens).hex()}"]) for person in residents[cards:]]
    for person in residents[:cards]:
        token = site.pseudonyms.of_identity_card(person.number)
        rows.append(person.row([f"ID_CARD:{token.hex()}"]))
    rows += [_named(site.pseudonyms, entry) for entry in wanted.get("named", [])]
    if residents:
        rows += bookings(
            seed,
            residents,
            wanted.get("spaces", ["space"]),
            count=int(wanted.get("bookings", 0)),
            around_ms=int(wanted.get("around_ms", now_ms)),
        )
    return rows + [parse_row(entry) for entry in wanted.get("rows", [])]


def _named(pseudonyms: Pseudonyms, entry: dict[str, Any]) -> Row:
    credentials = []
    if "number" in entry:
        token = pseudonyms.of_identity_card(entry["number"])
        credentials.append(f"ID_CARD:{token.hex()}")
    if "code" in entry:
        token = pseudonyms.of_code(entry["code"].encode())
        credentials.append(f"QR:{token.hex()}")
    for tag in entry.get("tags", []):
        number = bytes.fromhex(tag["number"])
        token = pseudonyms.of_tag(tag["technology"], tag["bits"], number)
        credentials.append(f"CARD:{token.hex()}")
    body = {
        "enabled": entry.get("enabled", 1),
        "extended": entry.get("extended", 0),
        "language": entry.get("language", "zh"),
        "roles": entry.get("roles", ["RESIDENT"]),
        "credentials": credentials,
    }
    return parse_row({"kind": "holder", "id": entry["id"], "body": body})
