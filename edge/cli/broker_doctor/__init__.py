# SPDX-License-Identifier: Apache-2.0
"""``menshen broker doctor``: what a real broker can do, and what it lets happen."""
