# SPDX-License-Identifier: Apache-2.0
"""Simulated UHPPOTE controllers on their network."""
