# SPDX-License-Identifier: Apache-2.0
"""Forgetting a person: when it may be done, and what is forgotten."""
