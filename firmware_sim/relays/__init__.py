# SPDX-License-Identifier: Apache-2.0
"""Simulated relay boards and their line."""
