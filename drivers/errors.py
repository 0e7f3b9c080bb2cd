# SPDX-License-Identifier: Apache-2.0
"""What a caller of this package can do wrong.

The law of the module: only the house's own mistakes are exceptions. What comes from
the wire never raises; it becomes :class:`drivers.device.Garbled` or a refused order.
"""

from __future__ import annotations


class DriverError(Exception):
    """Root of everything that this package raises."""


class LocalError(DriverError):
    """The caller broke a contract: a wrong option, a second take, a port not run."""
