# SPDX-License-Identifier: Apache-2.0
"""Vectors that another implementation can check itself by, and what writes them."""
