# SPDX-License-Identifier: Apache-2.0
"""Forgetting a person on this box: the work, and the verb that asks for it."""
