# SPDX-License-Identifier: Apache-2.0
"""Who may come in, and why not: the decision and what it remembers."""
