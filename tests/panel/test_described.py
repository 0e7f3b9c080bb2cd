# SPDX-License-Identifier: Apache-2.0
"""schemathesis reads a description of the panel that is made here, and tries it all.

The panel itself serves none: the description is drawn from its routes in this process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from fastapi.openapi.utils import get_openapi
from hypothesis import HealthCheck, Phase, given, settings

from tests.panel.every_page import WALKERS
from tests.panel.fuzzing import NUMBER, Panel
from tests.panel.scripted_gateway import ScriptedGateway

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.timeout(600),
    # schemathesis and starlette's own test client warn of what is theirs to mend.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

#: Of each method and path, for each of two visitors.
EXAMPLES = 8
PHASES = (Phase.explicit, Phase.generate)


@pytest.mark.parametrize("who", ["volunteer", "stranger"])
def test_what_a_description_allows_breaks_nothing(tmp_path: Path, who: str) -> None:
    panel = Panel(ScriptedGateway(tmp_path / "control.sock"))
    described = get_openapi(title="panel", version="1", routes=panel.app.routes)
    paths = {p: d for p, d in described["paths"].items() if "live" not in p.split("/")}
    schema = schemathesis.openapi.from_dict(described | {"paths": paths})
    schema.app = panel.gate
    tried: set[str] = set()
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        try_out(operation, who)
        tried.add(f"{operation.method.upper()} {operation.path}")
    assert len(tried) == sum(len(methods) for methods in paths.values())
    if who == "stranger":
        verbs = {order["verb"] for order in panel.gateway.orders}
        assert verbs <= {"pair"}


def try_out(operation: Any, who: str) -> None:
    """Send what schemathesis makes of an operation, from our own page."""
    headers = {"Host": "h", "Origin": "http://h", "X-Planted": NUMBER}
    held = WALKERS[who][1]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=PHASES,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: Any) -> None:
        answer = case.call(
            base_url="http://h", headers=headers, cookies=held, allow_redirects=False
        )
        assert answer.status_code < 500, (operation.label, answer.status_code)
        assert NUMBER.encode() not in answer.content, operation.label

    answers()
