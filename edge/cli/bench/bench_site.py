# SPDX-License-Identifier: Apache-2.0
"""The site that benches run on: scanners and one board, with a big roster.

The law of the module: the files it writes are those of any site; nothing in the
gateway knows that it is being measured. Wire time is off: the board answers at once
and the line asks for no gap between frames.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from edge.bindings.tokens import TokenMaker
from edge.cli.roster_key import roster_seal
from edge.cli.system_clock import wall_ms
from edge.storage.connection import open_aiosqlite
from edge.storage.roster_file import open_roster
from edge.storage.roster_row import RosterRow
from firmware_sim.platform.keys import load_signer

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.credential import Credential

HOUR_MS = 3_600_000
#: A scanner's driver takes five codes a second; so many scanners share the rate.
CODES_A_SCANNER = 4
PARTY = 500
CHUNK = 500

#: A site of one door and one board, on which readers are hung.
HEAD = """
[site]
id = "bench"
[gateway]
id = "gw-bench"
[platform]
host = "127.0.0.1"
port = {port}
[clock]
system_error_s = 1.0
[[space]]
id = "hall"
[[door]]
id = "door"
space = "hall"
lock = "fail_secure"
egress = "mechanical"
release_s = 3.0
strike = {{ device = "board", output = 1 }}
[[device]]
id = "board"
driver = "modbus_relay_board"
port = "ports/board"
address = 1
options = {{ turnaround_s = 0.0 }}
"""
_SCANNER = """
[[access_point]]
id = "{point}"
door = "door"
readers = ["scanner-{n}"]
[[device]]
id = "scanner-{n}"
driver = "qr_line"
port = "ports/scanner-{n}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSite:
    """A folder with a site file, keys and a roster; codes that open its door.

    ``people`` are the codes of everybody who is known, booked or not.
    """

    folder: Path
    codes: tuple[bytes, ...]
    people: tuple[bytes, ...]
    tokens: TokenMaker
    scanners: int

    @property
    def site(self) -> Path:
        """The site file."""
        return self.folder / "site.toml"


async def make_site(
    folder: Path, *, credentials: int, bookings: int, rate: int, broker_port: int
) -> BenchSite:
    """Write everything that a gateway needs; the first ``bookings`` codes open."""
    scanners = max(1, -(-rate // CODES_A_SCANNER))
    text = HEAD.format(port=broker_port)
    for n in range(1, scanners + 1):
        text += _SCANNER.format(n=n, point="front" if n == 1 else f"front-{n}")
    (folder / "site.toml").write_text(text, encoding="utf-8")
    tokens = _make_keys(folder)
    random = Random("bench")  # noqa: S311  codes of a bench, no secret
    codes = tuple(
        b"MSBENCH%018d" % random.randrange(10**18) for _ in range(credentials)
    )
    rows = [holder_of(n, tokens.code(code)) for n, code in enumerate(codes)]
    rows += map(booking_of, range(bookings))
    await write_roster(folder, rows, rev=1)
    return BenchSite(
        folder=folder,
        codes=codes[:bookings],
        people=codes,
        tokens=tokens,
        scanners=scanners,
    )


async def write_roster(folder: Path, rows: list[RosterRow], *, rev: int) -> None:
    """Put rows in force, as if the platform had sent them."""
    path, seal = folder / "roster.db", roster_seal(folder)
    async with open_roster(path, open_aiosqlite, seal) as opened:
        for start in range(0, len(rows), CHUNK):
            await opened.store.stage("bench", rows[start : start + CHUNK])
        await opened.store.promote(
            "bench",
            epoch="0001-00000000",
            rev=rev,
            hash="00" * 32,
            count=len(rows),
            applied_ms=wall_ms(),
        )


def holder_of(number: int, credential: Credential) -> RosterRow:
    """Return somebody who is known by one credential."""
    body = {
        "credentials": [f"{credential.kind.value}:{credential.token.hex()}"],
        "enabled": 1,
        "extended": 0,
        "language": "zh-CN",
        "roles": ["RESIDENT"],
    }
    return _row("holder", f"h-{number:06}", body)


def booking_of(number: int) -> RosterRow:
    """Return that person's booking of the hall, for many and for hours around now."""
    now_ms = wall_ms()
    body = {
        "from": now_ms - HOUR_MS,
        "holder": f"h-{number:06}",
        "party": PARTY,
        "space": "hall",
        "state": "CONFIRMED",
        "to": now_ms + 12 * HOUR_MS,
    }
    return _row("booking", f"b-{number:06}", body)


def _make_keys(folder: Path) -> TokenMaker:
    keys = folder / "keys"
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = {"site_key": secrets.token_hex(32), "epoch_salt": secrets.token_hex(16)}
    path = keys / "site.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(made), encoding="ascii")
    (folder / "platform").mkdir(mode=0o700, exist_ok=True)
    signer = load_signer(folder / "platform" / "platform.key")
    public = json.dumps(signer.public_keys)
    (keys / "platform.json").write_text(public, encoding="ascii")
    return TokenMaker(
        site_id="bench",
        site_key=bytes.fromhex(made["site_key"]),
        epoch_salt=bytes.fromhex(made["epoch_salt"]),
    )


def _row(kind: str, name: str, body: dict[str, object]) -> RosterRow:
    return RosterRow(kind, name, 1, json.dumps(body, separators=(",", ":")))
