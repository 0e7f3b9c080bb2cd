# SPDX-License-Identifier: Apache-2.0
"""A journal row on its way out: what storage reads and synchronisation sends.

The law of the module: texts stay as they were hashed; nobody parses a row only to
write it again.
"""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """One stored event.

    ``core`` canonical JSON; ``salt`` 16 bytes and ``pii`` canonical JSON, both None
    once erased, when ``commitment`` (32 bytes) stands for them; ``hash`` is ``h_n``.
    """

    seq: int
    core: str
    salt: bytes | None
    pii: str | None
    commitment: bytes | None
    hash: bytes
