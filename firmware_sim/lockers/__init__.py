# SPDX-License-Identifier: Apache-2.0
"""Simulated lock-control boards and their compartments."""
