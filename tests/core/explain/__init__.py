# SPDX-License-Identifier: Apache-2.0
"""Explanations of what was decided, and dry runs of what was not."""
