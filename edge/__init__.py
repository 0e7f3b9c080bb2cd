# SPDX-License-Identifier: Apache-2.0
"""The gateway: it decides at the door, offline, and loses no event."""
