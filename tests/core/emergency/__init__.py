# SPDX-License-Identifier: Apache-2.0
"""Emergencies, drills and elders: what stands, what moves, what outlives a restart."""
