# SPDX-License-Identifier: Apache-2.0
"""The broker doctor, on real brokers."""
