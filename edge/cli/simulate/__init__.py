# SPDX-License-Identifier: Apache-2.0
"""Whole sites in one seeded loop: the real gateway, simulated firmware and platform."""
