# SPDX-License-Identifier: Apache-2.0
"""What runs day and night carries neither command line nor panel nor broker."""

from __future__ import annotations

import subprocess
import sys

NEVER = {"typer", "rich", "fastapi", "uvicorn", "jinja2", "amqtt", "firmware_sim"}


def test_the_gateway_s_process_loads_nothing_that_only_others_need() -> None:
    code = (
        "import sys, edge.cli.run;"
        "print(*(name for name, module in sys.modules.items() if module))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "cloud_sync" in loaded
    assert loaded & NEVER == set()
