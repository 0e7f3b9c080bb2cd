# SPDX-License-Identifier: Apache-2.0
"""How every program of the house ends: 0 good, 1 found trouble, 2 wrong use.

And 3 where the other side of a line could not be reached at all.

The law of the module: what somebody can mend is told in a line without a traceback;
what nobody foresaw keeps its traceback.
"""

from __future__ import annotations

import sqlite3
import sys
from typing import TYPE_CHECKING

from edge.cli.backup.errors import BackupError
from edge.cli.key_files import KeyFileError
from edge.cli.state_folder import StateFolderError
from edge.control.client import ControlError
from edge.settings.errors import SettingsError
from edge.storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD, TROUBLE, WRONG_USE, UNREACHABLE = 0, 1, 2, 3


def guarded(work: Callable[[], int | None]) -> None:
    """Exit with what ``work`` returns, or with a line that says what to mend."""
    try:
        code = work()
    except (SettingsError, KeyFileError, StateFolderError) as fault:
        code = _tell(fault, WRONG_USE)
    except sqlite3.Error as fault:
        text = f"the disk of the state folder fails: {fault}; check it, then the card"
        code = _tell(text, TROUBLE)
    except (ControlError, StorageError, BackupError) as fault:
        code = _tell(fault, TROUBLE)
    sys.exit(code or GOOD)


def _tell(fault: object, code: int) -> int:
    print(fault, file=sys.stderr)
    return code
