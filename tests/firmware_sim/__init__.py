# SPDX-License-Identifier: Apache-2.0
"""Simulated hardware and platform, held to public documents alone."""
