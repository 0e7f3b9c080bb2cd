# SPDX-License-Identifier: Apache-2.0
"""The ``menshen`` program: each verb in a file of its own, gathered here."""

from __future__ import annotations


def main() -> None:
    """Run the verb that the command line names."""
