# SPDX-License-Identifier: Apache-2.0
"""The drivers against literal bytes: no codec of anybody's stands in for a device."""
