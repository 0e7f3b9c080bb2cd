# SPDX-License-Identifier: Apache-2.0
"""Modbus RTU relay and input boards."""
