# SPDX-License-Identifier: Apache-2.0
"""Alarms that somebody has to answer: heard, routed to people, answered."""
