# SPDX-License-Identifier: Apache-2.0
"""Devices as their makers' wires speak: pure codecs, and the links they ride on."""
