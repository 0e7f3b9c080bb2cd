# SPDX-License-Identifier: Apache-2.0
"""One suite for every broker: the product's client and platform, and a real server."""
