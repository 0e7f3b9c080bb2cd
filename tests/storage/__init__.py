# SPDX-License-Identifier: Apache-2.0
"""Tests of what must survive a power cut, each over both kinds of connection."""
