# SPDX-License-Identifier: Apache-2.0
"""A verb's result on the screen: for a program one JSON object, for people a line each.

The law of the module: it prints and changes nothing.
"""

from __future__ import annotations

import json
from typing import Any


def tell(result: dict[str, Any], *, as_json: bool) -> None:
    """Print ``result``, names left and values right, or as one JSON object."""
    if as_json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:20} {value}")
