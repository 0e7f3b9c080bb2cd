# SPDX-License-Identifier: Apache-2.0
"""Backups: made beside a gateway at work, looked into, and restored."""
