# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a simulation because its user asked for the impossible.

The law of the module: wire bytes never raise this; only a site file, a request or a
call of the library does, and its text says what was wrong and what to do instead.
"""

from __future__ import annotations


class SimulationError(ValueError):
    """A wrong name, value or wiring, told in one sentence to a person."""
