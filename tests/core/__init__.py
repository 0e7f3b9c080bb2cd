# SPDX-License-Identifier: Apache-2.0
"""The rules: pure, so that their tests need no clock, no disk and no network."""
