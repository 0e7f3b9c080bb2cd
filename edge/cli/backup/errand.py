# SPDX-License-Identifier: Apache-2.0
"""Backups' work sent out to a process of its own, and its answer.

The law of the module: nobody waits for a disk or a stick here; a process that hangs in
one is left behind. What is secret goes by the pipe, never into a process's words.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Longer, and the disk is stuck …
WITHIN_S = 1_800.0
#: … and the process cannot even be ended.
END_WITHIN_S = 5.0


async def errand(
    state: Path,
    what: str,
    *words: str,
    given: Mapping[str, Any] | None = None,
    within_s: float = WITHIN_S,
) -> dict[str, Any]:
    """Have something done by ``edge.cli.backup.work``; ``fault`` says what hindered."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge.cli.backup.work", what),
        *("--state", str(state), "--at-ms", str(wall_ms())),
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(within_s):
            told, _ = await process.communicate(json.dumps(given or {}).encode())
        value = json.loads(told)
    except TimeoutError:
        return {"fault": "the disk is stuck"}
    except ValueError:
        return {"fault": "the work ended without a word; try once more"}
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN_S):
                await process.wait()
    return value if isinstance(value, dict) else {}
