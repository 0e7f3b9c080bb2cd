# SPDX-License-Identifier: Apache-2.0
"""The literal frames of an identity-card reader, and a wire that speaks them."""

from __future__ import annotations

from drivers.id_card.sam import IdCardReader, IdCardSamOptions
from tests.drivers.scripted import ScriptedWire
from tests.drivers.vectors import persons

STATUS = "AAAAAA9669000311FFED"
MODULE = "AAAAAA9669000312FFEE"
FIND = "AAAAAA96690003200122"
SELECT = "AAAAAA96690003200221"
READ = "AAAAAA96690003300132"
OK = "AAAAAA9669000400009094"
MODULE_NUMBER = "AAAAAA9669001400009005000100A53A340187D61200B1CB740067"
OTHER_NUMBER = "AAAAAA9669001400009005000100A53A340187D61200B1CB750066"
FOUND = "AAAAAA9669000800009F0000000097"
NO_CARD = "AAAAAA9669000400008084"
SELECTED = "AAAAAA9669000C00009000000000000000009C"
PRINTED_NUMBER = "05.01-20200101-0001234567-0007654321"
REPLIES = {name: person.reply.hex() for name, person in persons().items()}


def failure(status: int) -> str:
    """A reply without data: LEN 0004, SW1 and SW2 zero."""
    return f"AAAAAA966900040000{status:02X}{4 ^ status:02X}"


def split(data: bytes) -> list[bytes]:
    """Cut what the driver wrote into its frames."""
    pieces = data.split(bytes.fromhex("AAAAAA9669"))
    assert pieces[0] == b""
    return [bytes.fromhex("AAAAAA9669") + piece for piece in pieces[1:]]


def wire(**options: float) -> ScriptedWire:
    """A reader that works and has no card, not opened yet."""
    reader = IdCardReader(options=IdCardSamOptions(**options))
    script = ScriptedWire(reader, splits=split)
    script.replies = {STATUS: OK, MODULE: MODULE_NUMBER, FIND: NO_CARD}
    return script


def serving() -> ScriptedWire:
    """The same, opened and found; nothing has happened since."""
    script = wire()
    script.open()
    script.run(0.1)
    return script


def put(script: ScriptedWire, reply: str) -> None:
    """Lay a card on a reader that answers 9F for as long as it lies there."""
    script.replies |= {FIND: FOUND, SELECT: SELECTED, READ: reply}


def take_away(script: ScriptedWire) -> None:
    script.replies |= {FIND: NO_CARD, SELECT: failure(0x81), READ: failure(0x41)}
