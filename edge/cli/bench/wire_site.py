# SPDX-License-Identifier: Apache-2.0
"""The site of the wire bench: eight devices, four of them OSDP readers at 50 ms.

The law of the module: a site file as any installer would write it, and the simulated
devices that hang on its ports; the board is served by the bench itself. Whoever comes
comes once, so that each is decided and stored in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stdnum.cn.ric import calc_check_digit

from edge.cli.bench.bench_site import (
    HEAD,
    BenchSite,
    booking_of,
    holder_of,
    make_site,
    write_roster,
)
from firmware_sim.id_card.identity_card import IdentityCard
from firmware_sim.osdp.cards import CardFormat, encoded

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.credential import Credential

READERS = (1, 2, 3, 4)
BAUD = 115_200
#: Bench keys: nobody's, and no pattern that the driver would refuse.
KEYS = {unit: f"9B1F02C7D45E8A6630F17A2C5D88E4{unit:02X}" for unit in READERS}
TAG_FORMAT = CardFormat.WIEGAND_34
_READER = """
[[access_point]]
id = "at-{name}"
door = "door"
readers = ["{name}"]
[[device]]
id = "{name}"
driver = "{driver}"
port = "ports/{port}"
"""
_OSDP = 'address = {unit}\nbaud = {baud}\noptions = {{ scbk = "{key}" }}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class WireSite:
    """The files, and who may come: codes, tags and identity cards by their numbers."""

    bench: BenchSite
    codes: tuple[bytes, ...]
    tags: tuple[int, ...]
    cards: tuple[IdentityCard, ...]


def simulated() -> dict[str, Any]:
    """Return the simulated devices; each says at once what it has to say."""
    return {
        "ports": {
            "tags": {"kind": "osdp_bus", "readers": osdp_readers(reply_delay_s=0.0)},
            "card": {"kind": "sam_reader", "settings": {"latencies": "immediate"}},
            "line": {"kind": "qr_scanner"},
            "module": {
                "kind": "qr_scanner",
                "settings": {"dialogue": {"reply_delay_s": 0.0}},
            },
        }
    }


def osdp_readers(*, reply_delay_s: float) -> dict[str, Any]:
    """Return the readers of the pair, by name."""
    return {
        f"tag-{unit}": {
            "address": unit,
            "baud": BAUD,
            "base_key": KEYS[unit],
            "client_id": f"4D5348454E0000{unit:02X}",
            "reply_delay_s": reply_delay_s,
        }
        for unit in READERS
    }


async def make_wire_site(
    folder: Path, *, people: int, cards: int, broker_port: int
) -> WireSite:
    """Write site file, keys and a roster in which everybody has a booking."""
    bench = await make_site(
        folder, credentials=people, bookings=people, rate=1, broker_port=broker_port
    )
    bench.site.write_text(_text(broker_port), encoding="utf-8")
    site = WireSite(
        bench=bench,
        codes=bench.codes,
        tags=tuple(range(700_000, 700_000 + people)),
        cards=tuple(_card(index) for index in range(cards)),
    )
    everybody = _everybody(site)
    rows = [holder_of(n, credential) for n, credential in enumerate(everybody)]
    rows += map(booking_of, range(len(everybody)))
    await write_roster(folder, rows, rev=2)
    return site


def _text(port: int) -> str:
    text = HEAD.format(port=port)
    for name, driver in (
        ("card", "id_card_sam"),
        ("line", "qr_line"),
        ("module", "qr_gm65"),
    ):
        text += _READER.format(name=name, driver=driver, port=name)
        text += "baud = 9600\n" if driver.startswith("qr") else ""
    for unit in READERS:
        text += _READER.format(name=f"tag-{unit}", driver="osdp", port="tags")
        text += _OSDP.format(unit=unit, baud=BAUD, key=KEYS[unit])
    return text


def _card(index: int) -> IdentityCard:
    """Return a made-up person's card: region 99 is nobody's."""
    number = f"99010519800229{index:03d}"
    check = calc_check_digit(f"{number}0")
    return IdentityCard(number=number + check, name="测试")


def _everybody(site: WireSite) -> list[Credential]:
    tokens = site.bench.tokens
    found = [tokens.code(code) for code in site.codes]
    for tag in site.tags:
        bits, number = encoded(TAG_FORMAT, tag)
        found.append(tokens.tag("WIEGAND", bits, number))
    return found + [tokens.id_card(bytearray(c.number.encode())) for c in site.cards]
