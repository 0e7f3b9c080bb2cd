# SPDX-License-Identifier: Apache-2.0
"""What a backup or a restore fails with."""

from __future__ import annotations


class BackupError(Exception):
    """It was not done, and nothing was changed; the text says why and what to do.

    ``kind`` is a word for a page that has sentences of its own, "" for none.
    """

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind
