# SPDX-License-Identifier: Apache-2.0
"""Which program this is, as its events and its backups name it."""

from __future__ import annotations

VERSION = "0.1.0"
