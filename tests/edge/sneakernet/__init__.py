# SPDX-License-Identifier: Apache-2.0
"""Sticks between a gateway and the simulated platform."""
