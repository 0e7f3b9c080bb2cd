# SPDX-License-Identifier: Apache-2.0
"""What a resident's telephone says at a door, in Chinese and in English.

The law of the module: each sentence ends with what to do now, and none says anything
of somebody else. A name without words of its own gets the last resort: the card.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from html import escape
from typing import NamedTuple

from cloud_sync.door_code import CodeFlaw
from cloud_sync.platform.commanding.letting_in import End
from cloud_sync.platform.commanding.residents import Refusal
from edge.core.remote.command import Rejection


class Words(NamedTuple):
    """A sentence in both languages, and the status of the answer that has it."""

    zh: str
    en: str
    status: int = 403


#: The gateway is away, or hears nothing: the door knows both without a network.
SHOW = Words(
    "门现在连不上网。请在门口出示卡片或二维码。",
    "The door is offline. Show your card or your code at the door.",
    503,
)
ELSE = Words(
    "门没有开。请在门口出示卡片或二维码，或按门铃。",
    "The door did not open. Show your card or your code there, or ring the bell.",
)
UNKNOWN = Words(
    "这个码不是这里的门。请重新扫门上的码。",
    "This is no door of ours. Scan the code at the door once more.",
    404,
)
ASK = Words("开这扇门", "Open this door", 200)
_SCAN = Words(
    "这个码过时了。请重新扫门边屏幕上的码。",
    "This code is over. Scan the one on the screen beside the door once more.",
)
_NOBODY = Words(
    "通行证无效或已过期。请在门口出示卡片或二维码。",
    "This pass is not valid any more. Show your card or your code at the door.",
    401,
)
_LATER = Words(
    "请等十秒再试，或在门口出示卡片或二维码。",
    "Wait ten seconds and try again, or show your card or your code at the door.",
    429,
)
PASS_REFUSED, BUSY = "PASS_REFUSED", "BUSY"
_WORDS: dict[str, Words] = {
    End.OPENED: Words("门开了，请进。", "The door is open, come in.", 200),
    End.AWAY: SHOW,
    End.UNHEARD: SHOW,
    Refusal.DOOR_UNKNOWN: UNKNOWN,
    Refusal.CODE_MISSING: Words(
        "请扫门边屏幕上的码，海报上的不行。",
        "Scan the code on the screen beside the door; the poster's does not do.",
    ),
    Refusal.NO_BOOKING: Words(
        "现在这间没有您的预订。请看预订时间。",
        "You have no booking for this room now. Look at your booking's time.",
    ),
    Refusal.WRONG_SPACE: Words(
        "您现在订的是另一间。请去那间的门口。",
        "Your booking now is for another room. Go to its door.",
    ),
    Refusal.NOT_PAID: Words(
        "这次预订还没付款。请先付款。",
        "This booking is not paid yet. Pay it first.",
    ),
    Refusal.TOO_OFTEN: _LATER,
    BUSY: _LATER,
    Rejection.RATE_DOOR: _LATER,
    PASS_REFUSED: _NOBODY,
    Refusal.HOLDER_UNKNOWN: _NOBODY,
    Refusal.HOLDER_NOT_VALID: _NOBODY,
    CodeFlaw.CODE_UNREADABLE: _SCAN,
    CodeFlaw.CODE_STALE: _SCAN,
    CodeFlaw.CODE_FORGED: _SCAN,
}
_STYLE = (
    "body{font:1.4rem sans-serif;margin:1.5rem;max-width:32rem}"
    "input,button{font:inherit;width:100%;min-height:3.5rem;margin:.5rem 0}"
)
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
_FORM = (
    '<form method="post">'
    '<label for="pass">通行证 <span lang="en">Your pass</span></label>'
    '<input id="pass" name="pass" type="password" autocomplete="current-password"'
    " required>"
    '<button>开门 <span lang="en">Open</span></button></form>'
)


def words_of(name: str) -> Words:
    """Return what to say for how it ended."""
    return _WORDS.get(name, ELSE)


def page(words: Words, *, asks: bool = False) -> str:
    """Return a page with these words; ``asks``: with the form to press."""
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(words.zh)}</title><style>{_STYLE}</style>"
        f'<h1>{escape(words.zh)}</h1><p lang="en">{escape(words.en)}</p>'
        f"{_FORM if asks else ''}</html>"
    )
