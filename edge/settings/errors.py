# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a site file."""

from __future__ import annotations


class SettingsError(Exception):
    """The site file cannot be used; each line of ``faults`` names one mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
