# SPDX-License-Identifier: Apache-2.0
"""Backups of a gateway: made each night, looked into, restored."""
