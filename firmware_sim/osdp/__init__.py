# SPDX-License-Identifier: Apache-2.0
"""Simulated OSDP readers on their line."""
