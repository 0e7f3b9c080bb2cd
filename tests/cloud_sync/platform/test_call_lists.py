# SPDX-License-Identifier: Apache-2.0
"""Call lists as people write them, and what is wrong with one, by its line."""

from __future__ import annotations

import pytest

from cloud_sync.platform.alarms.call_list import CallListError, read_list
from tests.cloud_sync.platform.test_reports import DAY_MS, HOUR_MS, OFFSET_MS

NINE_MS = DAY_MS + 9 * HOUR_MS


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("who,reach\nchen,1\n", "lacks the columns hours, round"),
        ("round,who,reach,hours\n0,chen,tel,\n", "l.csv:2: round: expected 1 to 20"),
        ("round,who,reach,hours\nx,chen,tel,\n", "round: expected a number, got 'x'"),
        ("round,who,reach,hours\n1,,tel,\n", "who: expected 1 to 64"),
        ("round,who,reach,hours\n1,chen,tel,later\n", "hours: expected such as"),
        ("round,who,reach,hours\n1,a,t,\n1,a,t,\n", "l.csv:3: a stands twice"),
    ],
)
def test_a_list_with_a_flaw_is_not_taken(text: str, flaw: str) -> None:
    with pytest.raises(CallListError, match=flaw):
        read_list("l.csv", text.encode())


def test_a_list_is_read_as_spreadsheets_write_it() -> None:
    text = "round,who,reach,hours\r\n2,陈师傅,tel:138,mon-fri 08:00-20:00\r\n"
    for content in (text.encode("utf-8-sig"), text.encode("gb18030")):
        [contact] = read_list("l.csv", content)
        assert (contact.round, contact.who) == (2, "陈师傅")
        assert contact.is_on_duty(NINE_MS, OFFSET_MS)
        assert not contact.is_on_duty(NINE_MS + 12 * HOUR_MS, OFFSET_MS)
