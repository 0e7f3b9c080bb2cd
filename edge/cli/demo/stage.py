# SPDX-License-Identifier: Apache-2.0
"""What a demonstration needs on disk before anything starts: keys and descriptions.

The law of the module: everything is made from the site file, so that any site can be
played; secrets are made anew for each state folder and never leave it.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firmware_sim.platform.keys import load_signer

if TYPE_CHECKING:
    from pathlib import Path

    from edge.settings.site import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The folder of a demonstration and what lies where in it."""

    folder: Path

    @property
    def ports(self) -> Path:
        """Folder of the simulated serial ports."""
        return self.folder / "ports"

    @property
    def logs(self) -> Path:
        """Folder of the processes' logs."""
        return self.folder / "logs"

    @property
    def platform(self) -> Path:
        """State folder of the simulated platform."""
        return self.folder / "platform"

    @property
    def firmware_socket(self) -> Path:
        """The hand in the simulated world."""
        return self.folder / "firmware.sock"

    @property
    def control_socket(self) -> Path:
        """The gateway's control socket."""
        return self.folder / "control.sock"

    @property
    def journal(self) -> Path:
        """The gateway's journal."""
        return self.folder / "journal.db"

    @property
    def ledger(self) -> Path:
        """The platform's ledgers."""
        return self.platform / "ledger.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSecrets:
    """What gateway and platform share."""

    site_key: bytes
    epoch_salt: bytes


def make_secrets(folder: Path, settings: Settings) -> SiteSecrets:
    """Read the site's secrets from the state folder, making them the first time."""
    path = folder / settings.keys.site
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        made = {"site_key": secrets.token_hex(32), "epoch_salt": secrets.token_hex(16)}
        path.touch(mode=0o600)
        path.write_text(json.dumps(made), encoding="ascii")
    known = json.loads(path.read_text(encoding="ascii"))
    return SiteSecrets(
        site_key=bytes.fromhex(known["site_key"]),
        epoch_salt=bytes.fromhex(known["epoch_salt"]),
    )


def pin_platform_keys(stage: Stage, settings: Settings) -> None:
    """Let the gateway know the simulated platform's public keys."""
    stage.platform.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = load_signer(stage.platform / "platform.key")
    write_platform_keys(stage, settings, signer.public_keys)


def write_platform_keys(
    stage: Stage, settings: Settings, public_keys: dict[str, str]
) -> None:
    """Let the gateway know a platform's public keys."""
    path = stage.folder / settings.platform.keys
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(json.dumps(public_keys), encoding="ascii")


def platform_site(
    settings: Settings, shared: SiteSecrets, population: dict[str, Any]
) -> dict[str, Any]:
    """Describe the gateway and its people to the simulated platform."""
    return {
        "gateways": {settings.gateway.id: settings.gateway.shard},
        "site": settings.site.id,
        "site_key": shared.site_key.hex(),
        "epoch_salt": shared.epoch_salt.hex(),
        "population": population,
    }
