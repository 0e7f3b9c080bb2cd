# SPDX-License-Identifier: Apache-2.0
"""The floors hold, and each contract notices the import that it is there to forbid."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT = Path(sys.executable).with_name("lint-imports")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RULES = SETTINGS["tool"]["importlinter"]

#: For each contract: the module that sins, and its sin.
PLANTS = {
    "floors of the gateway": [
        ("edge/core/moment.py", "from edge.storage import errors"),
        ("edge/storage/errors.py", "from edge.gateway import inbox"),
        ("edge/storage/errors.py", "from edge.settings import lines"),
        ("edge/control/client.py", "from edge.gateway import inbox"),
        ("edge/gateway/inbox.py", "from edge.cli import files"),
        ("edge/storage/errors.py", "from edge.accounts import people"),
    ],
    "the panel talks to the gateway through the control socket alone": [
        ("edge/panel/words.py", "from edge.storage import errors"),
        ("edge/panel/view.py", "from drivers import secret"),
        ("edge/panel/visitor.py", "from edge.accounts import people"),
    ],
    "what runs day and night carries no command line, panel or broker": [
        ("edge/cli/run.py", "import typer"),
        ("edge/cli/exits.py", "import rich"),
    ],
    "floors of the way to the platform": [
        ("cloud_sync/signing.py", "from cloud_sync import session"),
        ("cloud_sync/feed.py", "from cloud_sync import envelope"),
        ("cloud_sync/stick.py", "from cloud_sync import session"),
    ],
    "whoever talks with the platform knows the port and no MQTT": [
        ("cloud_sync/conversation.py", "import aiomqtt"),
        ("cloud_sync/client.py", "from cloud_sync.transport import mqtt"),
    ],
    "floors of the reference platform": [
        ("cloud_sync/platform/ledger.py", "from cloud_sync.platform import reception"),
        ("cloud_sync/platform/database.py", "from cloud_sync.platform import schema"),
        (
            "cloud_sync/platform/reception.py",
            "from cloud_sync.platform.reports import table",
        ),
        (
            "cloud_sync/platform/enrolment/claims.py",
            "from cloud_sync.platform import reception",
        ),
        ("cloud_sync/platform/reception.py", "from cloud_sync.platform.web import app"),
    ],
    "the reference platform is known to its own verbs alone": [
        ("cloud_sync/client.py", "from cloud_sync.platform import items"),
        ("edge/cli/runtime.py", "from cloud_sync.platform import keys"),
    ],
    "of the house, cloud_sync knows the core alone": [
        ("cloud_sync/refusal.py", "from edge.storage import errors"),
        ("cloud_sync/topics.py", "from drivers import secret"),
    ],
    "the core stands alone": [
        ("edge/core/moment.py", "import pydantic"),
        ("edge/core/chain.py", "from cloud_sync import topics"),
    ],
    "drivers import nobody in the house": [
        ("drivers/secret.py", "from edge.core import moment"),
    ],
    "the simulation imports nobody in the house": [
        ("firmware_sim/__init__.py", "from drivers import secret"),
    ],
    "drivers are known to the bindings and the roof alone": [
        ("edge/storage/errors.py", "from drivers import secret"),
        ("edge/gateway/inbox.py", "from drivers import device"),
    ],
    "the simulation and the platform client are known to the roof alone": [
        ("edge/bindings/tokens.py", "from cloud_sync import topics"),
        ("edge/control/client.py", "import firmware_sim"),
    ],
    "the oracle and the checkers know the vocabulary alone, never a rule": [
        ("edge/cli/simulate/oracle/hours.py", "from edge.core.access import decision"),
        (
            "edge/cli/simulate/checkers/fares_are_right.py",
            "from edge.core import house",
        ),
    ],
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The house without its tests, to be spoilt."""
    for room in RULES["root_packages"]:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / room, tmp_path / room, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def verdicts(house: Path) -> tuple[int, dict[str, str]]:
    """Return the linter's exit status, and KEPT or BROKEN for each contract."""
    done = subprocess.run(
        [LINT, "--no-cache"], cwd=house, check=False, capture_output=True, text=True
    )
    found = re.findall(r"^(.+?) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return done.returncode, dict(found)


def test_every_contract_has_a_plant() -> None:
    assert PLANTS.keys() == {contract["name"] for contract in RULES["contracts"]}


def test_the_house_keeps_all_its_contracts(copy: Path) -> None:
    assert verdicts(copy) == (0, dict.fromkeys(PLANTS, "KEPT"))


@pytest.mark.parametrize(
    ("contract", "module", "sin"),
    [
        (contract, module, sin)
        for contract, plants in PLANTS.items()
        for module, sin in plants
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    copy: Path, contract: str, module: str, sin: str
) -> None:
    planted = copy / module
    planted.write_text(f"{planted.read_text(encoding='utf-8')}\n{sin}\n", "utf-8")
    status, found = verdicts(copy)
    assert status == 1
    assert found[contract] == "BROKEN"
