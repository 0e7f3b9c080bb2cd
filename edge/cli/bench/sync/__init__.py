# SPDX-License-Identifier: Apache-2.0
"""``menshen bench sync``: kills, weeks offline, drains and silence, each measured."""
