# SPDX-License-Identifier: Apache-2.0
"""What operators and residents want done at sites, signed and followed to its end."""
