# SPDX-License-Identifier: Apache-2.0
"""People who are to be forgotten."""
