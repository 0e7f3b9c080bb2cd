# SPDX-License-Identifier: Apache-2.0
"""Each checker against sequences made by hand: one that passes, one it must catch."""
