# SPDX-License-Identifier: Apache-2.0
"""A row of the roster's file.

The law of the module: rows are kept as they came; what they mean is the rules' affair,
and how they lie on the disk that of :mod:`edge.storage.seal`.
"""

from __future__ import annotations

from typing import NamedTuple


class RosterRow(NamedTuple):
    """One row of the feed; ``body`` is JSON text, kept as it came.

    ``digest`` is the SHA256 of the row as it came, None where nobody knows.
    An empty ``body``: the row is gone.
    """

    kind: str
    id: str
    ver: int
    body: str
    digest: bytes | None = None
