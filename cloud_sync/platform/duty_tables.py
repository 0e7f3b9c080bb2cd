# SPDX-License-Identifier: Apache-2.0
"""The tables of what social workers planned and confirmed, for both databases.

The law of the module: rows are added and never changed; ``number`` counts the words
on one shift, planned or done, and the highest holds.
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
    # ``is_off`` 1: called off.
    """CREATE TABLE IF NOT EXISTS duty_plan (
        gateway TEXT NOT NULL,
        plan TEXT NOT NULL,
        number BIGINT NOT NULL,
        holder TEXT NOT NULL,
        space TEXT NOT NULL,
        begins BIGINT NOT NULL,
        minutes BIGINT NOT NULL,
        task TEXT NOT NULL,
        is_off BIGINT NOT NULL,
        by_whom TEXT NOT NULL,
        reason TEXT NOT NULL,
        at_ms BIGINT NOT NULL,
        PRIMARY KEY (gateway, plan, number))""",
)
