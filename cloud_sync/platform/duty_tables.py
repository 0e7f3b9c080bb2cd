# SPDX-License-Identifier: Apache-2.0
"""The tables of what social workers confirmed, for both databases.

The law of the module: rows are added and never changed; ``number`` counts the words
on one shift, and the highest holds.
"""

TABLES = (
    """CREATE TABLE IF NOT EXISTS duty_confirmation (
        gateway TEXT NOT NULL,
        shift TEXT NOT NULL,
        number BIGINT NOT NULL,
        holder TEXT NOT NULL,
        boot TEXT NOT NULL,
        began BIGINT NOT NULL,
        minutes BIGINT NOT NULL,
        was BIGINT NOT NULL,
        by_whom TEXT NOT NULL,
        reason TEXT NOT NULL,
        at_ms BIGINT NOT NULL,
        PRIMARY KEY (gateway, shift, number))""",
)
