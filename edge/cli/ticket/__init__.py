# SPDX-License-Identifier: Apache-2.0
"""``menshen ticket``: write tickets as a platform would, and look into any of them."""
