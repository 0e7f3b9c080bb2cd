# SPDX-License-Identifier: Apache-2.0
"""The simulation's engine: its time, its faults, its leaps, and that a seed repeats."""
