# SPDX-License-Identifier: Apache-2.0
"""``menshen keys``: how a box comes to its keys and certificate, and keeps them."""
