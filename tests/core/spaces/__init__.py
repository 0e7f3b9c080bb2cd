# SPDX-License-Identifier: Apache-2.0
"""Tests of the spaces: who is inside, visits and fares, bells and stoves."""
