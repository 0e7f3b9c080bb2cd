# SPDX-License-Identifier: Apache-2.0
"""The roof: builds everything, owns the system clock and the event queue."""
