# SPDX-License-Identifier: Apache-2.0
"""Where the data files are, installed or in a checkout: one function finds them."""

from __future__ import annotations

from pathlib import Path

import edge


def config_folder() -> Path:
    """Return the folder of site files: inside the package, or beside it."""
    package = Path(edge.__file__).parent
    installed = package / "_config"
    return installed if installed.is_dir() else package.parent / "config"
