# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors of values, and chains the journal of the vectors anew.

The law of the module: it writes what samples.py and the spoilt ones say and judges
nothing; the tests hold the files to it, and schemas and code to the files.
``python -m tests.cloud_sync.contract.write`` after each change of those.
"""

from __future__ import annotations

import json
from typing import Any

from tests.cloud_sync.contract import written
from tests.cloud_sync.contract.readers import STANDING
from tests.cloud_sync.contract.samples import SAMPLES
from tests.cloud_sync.contract.spoilt_messages import SPOILT_MESSAGES
from tests.cloud_sync.contract.spoilt_rows import SPOILT_ROWS
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY

VALUES = written.FOLDER / "values"


def values_of(schema: str) -> dict[str, Any]:
    """Return the vectors of one schema."""
    samples = SAMPLES[schema]
    plainest = next(iter(samples.values()))
    spoilt = (SPOILT_MESSAGES | SPOILT_ROWS)[schema]
    return {
        "schema": schema,
        "valid": [{"name": name, "value": value} for name, value in samples.items()],
        "invalid": [
            {
                "why": bad.why,
                "verdict": bad.verdict,
                **({"unsaid": bad.unsaid} if bad.unsaid else {}),
                "value": bad.of_value(samples[bad.of] if bad.of else plainest),
            }
            for bad in spoilt
        ],
    }


def journal() -> dict[str, Any]:
    """Return the journal of the vectors, numbered and with its hashes."""
    chained = zip(written.items(), written.written_events(EPOCH), strict=True)
    return {
        "about": "an event of every kind with every fact it may have; one is erased",
        "gateway": GATEWAY,
        "epoch": EPOCH,
        "events": [
            item | {"seq": record.seq, "hash": record.hash.hex()}
            for item, record in chained
        ],
    }


def text_of(vectors: dict[str, Any]) -> str:
    """Return a file's text: one vector a line, so that a change is one line too."""
    fields = []
    for name, entry in vectors.items():
        if isinstance(entry, list):
            lines = ",\n  ".join(_json(vector) for vector in entry)
            fields.append(f' "{name}": [\n  {lines}\n ]')
        else:
            fields.append(f' "{name}": {_json(entry)}')
    return "{\n" + ",\n".join(fields) + "\n}\n"


def files() -> dict[str, str]:
    """Return every file by its path below the folder of vectors."""
    told = {f"values/{schema}": text_of(values_of(schema)) for schema in SAMPLES}
    about = {"about": "what a message comes into: the gateway, its journal, its asking"}
    return told | {
        "events.json": text_of(journal()),
        "values/standing.json": text_of(about | STANDING),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    VALUES.mkdir(exist_ok=True)
    for name, text in files().items():
        (written.FOLDER / name).write_text(text, encoding="utf-8")
