# SPDX-License-Identifier: Apache-2.0
"""The tables of commands: who may want something, what is wanted, what was signed.

The law of the module: as in ``schema``. A wish is what somebody wants done once; the
commands signed for it are as many as it takes until a gateway has heard of one.
Times are UTC ms, but ``expires_s``.
"""

from __future__ import annotations

TABLES = (
    # ``key`` is the public half (hex); ``retired_ms`` 0: at work.
    """CREATE TABLE IF NOT EXISTS operator (
        operator TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        key TEXT NOT NULL,
        opens_hour BIGINT NOT NULL,
        door_hour BIGINT NOT NULL,
        added_ms BIGINT NOT NULL,
        retired_ms BIGINT NOT NULL DEFAULT 0)""",
    # Of which room a door is, as the site's own file says.
    """CREATE TABLE IF NOT EXISTS door (
        gateway TEXT NOT NULL,
        door TEXT NOT NULL,
        space TEXT NOT NULL,
        lead_ms BIGINT NOT NULL,
        grace_ms BIGINT NOT NULL,
        PRIMARY KEY (gateway, door))""",
    # Whose door stands under an address on a poster or a screen; ``is_fresh`` 1: only
    # the code that changes on the door's screen says that somebody stands there.
    """CREATE TABLE IF NOT EXISTS door_address (
        site TEXT NOT NULL,
        door TEXT NOT NULL,
        gateway TEXT NOT NULL,
        is_fresh BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (site, door))""",
    # The gateway's last hello; commands count once it is answered (``answered`` 1).
    """CREATE TABLE IF NOT EXISTS connection (
        gateway TEXT PRIMARY KEY,
        nonce TEXT NOT NULL,
        caps TEXT NOT NULL,
        hello_ms BIGINT NOT NULL,
        answered BIGINT NOT NULL DEFAULT 0)""",
    # ``signed`` is the operator's own word for it (JWS), '' for a resident's door;
    # ``key`` its name on the wire; ``is_open`` 1 while a command may be signed for it.
    """CREATE TABLE IF NOT EXISTS wish (
        id {identity},
        name TEXT NOT NULL UNIQUE,
        key TEXT NOT NULL,
        gateway TEXT NOT NULL,
        operator TEXT NOT NULL,
        action TEXT NOT NULL,
        place TEXT NOT NULL,
        fields TEXT NOT NULL,
        reason TEXT NOT NULL,
        signed TEXT NOT NULL,
        made_ms BIGINT NOT NULL,
        until_ms BIGINT NOT NULL,
        is_open BIGINT NOT NULL DEFAULT 1,
        state TEXT NOT NULL DEFAULT 'waiting',
        why TEXT NOT NULL DEFAULT '',
        told_ms BIGINT NOT NULL DEFAULT 0,
        draft TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX IF NOT EXISTS wish_open ON wish (is_open, id)",
    "CREATE INDEX IF NOT EXISTS wish_made ON wish (made_ms)",
    # Operators who stand by to seal an order, and their seals over a wish's draft.
    """CREATE TABLE IF NOT EXISTS seal (
        wish BIGINT NOT NULL,
        operator TEXT NOT NULL,
        seen_ms BIGINT NOT NULL,
        jti TEXT NOT NULL DEFAULT '',
        seal TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (wish, operator))""",
    """CREATE TABLE IF NOT EXISTS command (
        jti TEXT PRIMARY KEY,
        wish BIGINT NOT NULL,
        nonce TEXT NOT NULL,
        signed_ms BIGINT NOT NULL,
        expires_s BIGINT NOT NULL,
        state TEXT NOT NULL,
        seq BIGINT NOT NULL DEFAULT 0,
        told_ms BIGINT NOT NULL DEFAULT 0)""",
    "CREATE INDEX IF NOT EXISTS command_wish ON command (wish)",
)
