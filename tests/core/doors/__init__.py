# SPDX-License-Identifier: Apache-2.0
"""The doors' rules: modes, strikes, schedules, interlocks, and what survives a cut."""
