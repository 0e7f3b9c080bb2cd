# SPDX-License-Identifier: Apache-2.0
"""Figures, each beside its own floor from the same run; printed, never asserted."""
