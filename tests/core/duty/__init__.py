# SPDX-License-Identifier: Apache-2.0
"""Shifts, their minutes and points, and the care signal."""
