# SPDX-License-Identifier: Apache-2.0
"""What the house is told when a device is in trouble: a table, and its proof."""
