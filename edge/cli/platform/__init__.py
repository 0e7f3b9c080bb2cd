# SPDX-License-Identifier: Apache-2.0
"""The verbs of the reference platform: ``menshen platform …``."""
