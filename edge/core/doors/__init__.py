# SPDX-License-Identifier: Apache-2.0
"""The doors: one machine, its table, and all doors of a site."""
