# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand requests that nobody would write: none breaks, acts or echoes.

Set ``PANEL_FUZZ_SEED`` to replay a run, ``PANEL_FUZZ_CASES`` for a longer one.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random, SystemRandom
from typing import TYPE_CHECKING

import pytest
from stdnum.cn import ric

from edge.panel.visitor import Kind
from tests.panel.every_page import WALKERS
from tests.panel.fuzzing import NUMBER, PIN, Panel, make_case
from tests.panel.scripted_gateway import TABLET, ScriptedGateway

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tests.panel.fuzzing import Answer, Case

pytestmark = pytest.mark.timeout(600)

CASES = int(os.environ.get("PANEL_FUZZ_CASES", "100000"))
#: What the gateway may be asked to do from a browser that is no tablet of ours ...
BY_STRANGERS = frozenset({"pair"})
#: ... and from a tablet at which nobody is logged in: who comes, help, and fire.
AT_A_TABLET = BY_STRANGERS | {
    *("login-begin", "login-card", "login-pin", "first-manager"),
    *("emergency", "medicine-open"),
}
#: ... at the one that was paired by the label's code, while nobody looks after the box.
AT_THE_FIRST = AT_A_TABLET | {
    *("first-restore", "first-restore-begin", "first-restore-piece"),
    *("first-restore-go", "first-restore-cancel"),
}
#: A stream that finds every place taken says so.
FULL = 503


class Verdicts:
    """What was seen, and every case that should not have been answered so."""

    def __init__(self) -> None:
        self.bad: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.acted: Counter[str] = Counter()

    def judge(self, case: Case, answer: Answer, orders: list[dict[str, Any]]) -> None:
        self.statuses[answer.status] += 1
        what = f"{case.who} {case.method} {case.path!r} {case.query!r} {case.body!r}"
        is_full = answer.status == FULL and "live" in case.path.split("/")
        if not 200 <= answer.status < 500 and not is_full:
            self.bad.append(f"{answer.status}: {what}")
        whole = answer.head + bytes(answer.body)
        for planted in (NUMBER, PIN):
            if planted.encode() in whole:
                self.bad.append(f"{planted} came back: {what}")
        for order in orders:
            self.acted[case.who] += 1
            if order["verb"] not in allowed(order):
                self.bad.append(f"{order['verb']} was ordered: {what}")


def allowed(order: dict[str, Any]) -> frozenset[str]:
    """Return what may be ordered with an order's own secrets."""
    if order["tablet"] != TABLET:
        return BY_STRANGERS
    kinds = {held.get("session", ""): kind for kind, held in WALKERS.values()}
    if order["session"] == WALKERS["first"][1]["session"]:
        return AT_THE_FIRST
    is_nobody = kinds.get(order["session"], Kind.TABLET) is Kind.TABLET
    return AT_A_TABLET if is_nobody else frozenset({order["verb"]})


@pytest.mark.parametrize("half", [1, 2])
async def test_no_request_breaks_acts_or_echoes(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    half: int,
) -> None:
    assert ric.calc_check_digit(NUMBER) == NUMBER[-1]
    seed = int(os.environ.get("PANEL_FUZZ_SEED", SystemRandom().randrange(2**32)))
    random, verdicts = Random(seed), Verdicts()
    gateway = ScriptedGateway(tmp_path / "control.sock")
    panel = Panel(gateway)
    for _ in range(CASES // 2):
        case = make_case(random, panel)
        gateway.orders.clear()
        answer = await panel.answer(case)
        verdicts.judge(case, answer, gateway.orders)
        if len(verdicts.bad) > 5:
            break
    written = "".join(capfd.readouterr()) + caplog.text
    print(f"seed {seed}: {dict(verdicts.statuses)}, ordered by {dict(verdicts.acted)}")
    assert verdicts.bad == [], f"seed {seed}: " + "\n".join(verdicts.bad)
    assert NUMBER not in written, f"seed {seed}: the log names it"
    assert PIN not in written, f"seed {seed}: the log names it"
    assert "Traceback" not in written, f"seed {seed}"
    assert "page_failed" not in written, f"seed {seed}: an answer was cut off"
    # Whoever may act was heard, or all this would prove nothing.
    assert verdicts.acted["volunteer"] > 0, f"seed {seed}"
    assert verdicts.statuses[200] > CASES // 40, f"seed {seed}"
    assert verdicts.statuses[303] > CASES // 40, f"seed {seed}"
