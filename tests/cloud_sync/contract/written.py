# SPDX-License-Identifier: Apache-2.0
"""The journal of the vectors: an event of every kind with every fact it may have.

The law of the module: the file is its own source; a new kind or fact is written into
it by hand, and ``python -m tests.cloud_sync.contract.write`` numbers and chains anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.core.chain import canonical, commitment, genesis, link
from edge.core.record import Record

FOLDER = Path(__file__).parent.parent / "vectors"
FILE = FOLDER / "events.json"


def items() -> list[dict[str, Any]]:
    """Return the events as the file has them, each an item with its hash."""
    events: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))[
        "events"
    ]
    return events


def written_events(epoch: str) -> list[Record]:
    """Return the events as a journal of that epoch would keep them."""
    previous, records = genesis(epoch), []
    for seq, item in enumerate(items(), 1):
        core, com = canonical(item["core"]), bytes.fromhex(item.get("com", ""))
        salt, pii = bytes.fromhex(item.get("salt", "")), canonical(item.get("pii", {}))
        previous = link(previous, core, com or commitment(salt, pii))
        records.append(
            Record(seq, core, None, None, com, previous)
            if com
            else Record(seq, core, salt, pii, None, previous)
        )
    return records
