# SPDX-License-Identifier: Apache-2.0
"""The tables of alarms that people are called for, for both databases.

The law of the module: a table says what happened, with its time; of a person whom an
alarm is about nothing stands here. (``alarm`` in schema.py is of journals that
contradict each other.) Times are UTC ms, 0: not yet.
"""

TABLES = (
    # ``step`` counts the rounds that were called, over all repeats.
    """CREATE TABLE IF NOT EXISTS incident (
        id TEXT PRIMARY KEY,
        gateway TEXT NOT NULL,
        epoch TEXT NOT NULL,
        seq BIGINT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL,
        began_ms BIGINT NOT NULL,
        heard_ms BIGINT NOT NULL,
        state TEXT NOT NULL,
        times BIGINT NOT NULL DEFAULT 1,
        step BIGINT NOT NULL DEFAULT 0,
        step_ms BIGINT NOT NULL DEFAULT 0,
        ended_ms BIGINT NOT NULL DEFAULT 0,
        ended_by TEXT NOT NULL DEFAULT '',
        ended_at TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX IF NOT EXISTS incident_state ON incident (state)",
    # Each event once, whether it came early or in its order.
    """CREATE TABLE IF NOT EXISTS incident_event (
        gateway TEXT NOT NULL,
        epoch TEXT NOT NULL,
        seq BIGINT NOT NULL,
        incident TEXT NOT NULL,
        PRIMARY KEY (gateway, epoch, seq))""",
    """CREATE TABLE IF NOT EXISTS incident_call (
        incident TEXT NOT NULL,
        number BIGINT NOT NULL,
        round BIGINT NOT NULL,
        who TEXT NOT NULL,
        reach TEXT NOT NULL,
        what TEXT NOT NULL,
        state TEXT NOT NULL,
        made_ms BIGINT NOT NULL,
        next_ms BIGINT NOT NULL,
        tries BIGINT NOT NULL DEFAULT 0,
        done_ms BIGINT NOT NULL DEFAULT 0,
        why TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (incident, number))""",
    "CREATE INDEX IF NOT EXISTS incident_call_state ON incident_call (state, next_ms)",
    """CREATE TABLE IF NOT EXISTS incident_answer (
        incident TEXT NOT NULL,
        at_ms BIGINT NOT NULL,
        by_whom TEXT NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (incident, at_ms, by_whom))""",
    """CREATE TABLE IF NOT EXISTS contact (
        gateway TEXT NOT NULL,
        round BIGINT NOT NULL,
        who TEXT NOT NULL,
        reach TEXT NOT NULL,
        hours TEXT NOT NULL,
        PRIMARY KEY (gateway, round, who))""",
)
