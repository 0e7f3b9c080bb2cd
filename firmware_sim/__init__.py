# SPDX-License-Identifier: Apache-2.0
"""Simulated hardware and platform, on codecs of their own: a product of its own."""
