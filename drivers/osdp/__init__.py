# SPDX-License-Identifier: Apache-2.0
"""OSDP readers in a secure channel."""
