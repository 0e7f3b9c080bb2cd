# SPDX-License-Identifier: Apache-2.0
"""``python -m edge.panel``: one panel until SIGTERM; exit 2 for wrong use.

75 asks whoever watches it to start it again: its words or its certificate are others.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# FastAPI asks of each parameter whether it is of pydantic's first version, and would
# load all of that for the answer; where it is missing, it takes that for a no.
sys.modules["pydantic.v1"] = None  # type: ignore[assignment]

from edge.panel.serve import (  # noqa: E402
    AGAIN,
    PanelOptions,
    WrongHostError,
    run_panel,
)


def main() -> int:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="edge.panel")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--plain-http", action="store_true")
    parser.add_argument("--name", action="append", default=[])
    parser.add_argument("--tls", type=Path)
    parser.add_argument("--language", default="zh-CN")
    parser.add_argument("--help-phone", default="")
    parser.add_argument("--signpost", type=int, default=0)
    parser.add_argument("--words", type=Path)
    known = parser.parse_args()
    options = PanelOptions(
        socket=known.socket,
        host=known.host,
        port=known.port,
        allow_plain_http=known.plain_http,
        names=tuple(known.name),
        tls=known.tls,
        language=known.language,
        help_phone=known.help_phone,
        signpost=known.signpost,
        words=known.words,
    )
    try:
        return AGAIN if run_panel(options) else 0
    except (WrongHostError, OSError, OverflowError) as error:
        sys.stderr.write(f"the panel cannot start: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
