# SPDX-License-Identifier: Apache-2.0
"""The reference platform, on both its databases and against the real client."""
