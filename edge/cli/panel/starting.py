# SPDX-License-Identifier: Apache-2.0
"""How the panel's process is started, by the site file or as it last was.

The law of the module: the panel has to come up to say what is wrong, so a site file
that has become wrong does not keep it away: the gateway leaves the words of its last
start.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.settings.site import Settings

KEPT_WORDS = Path("panel") / "words.json"


def keep_words(settings: Settings, state: Path) -> None:
    """Leave beside the certificate how the panel is started; OSError if it cannot be.

    So it starts, and says what is wrong, while the site file cannot be read.
    """
    kept = state / KEPT_WORDS
    kept.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    fresh = kept.with_suffix(".new")
    fresh.write_text(json.dumps(panel_words(settings, state)), encoding="utf-8")
    fresh.chmod(0o640)
    fresh.replace(kept)


def kept_words(state: Path) -> list[str] | None:
    """Return the words of the gateway's last start; None if there are none."""
    try:
        words = json.loads((state / KEPT_WORDS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_good = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return words if is_good else None


def panel_words(settings: Settings, state: Path) -> list[str]:
    """Return the words by which the panel's process is started for a site."""
    panel = settings.panel
    words = ["--socket", str(state / "control.sock")]
    words += ["--host", panel.host, "--port", str(panel.port)]
    words += [word for name in panel.names for word in ("--name", name)]
    words += ["--language", panel.language]
    if panel.help_phone:
        words += ["--help-phone", panel.help_phone]
    if panel.signpost:
        words += ["--signpost", str(panel.signpost)]
    if panel.plain_http:
        words += ["--plain-http"]
    elif not panel.is_local:
        words += ["--tls", str(state / Path("panel"))]
    # So that it notices that it is to be started in another way, as after a restore.
    words += ["--words", str(state / KEPT_WORDS)]
    return words
