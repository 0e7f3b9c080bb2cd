# SPDX-License-Identifier: Apache-2.0
"""What a bench cannot do, told in a line.

The law of the module: one exception, that a verb turns into exit 1.
"""


class BenchError(Exception):
    """The bench cannot be run as asked; the text says what to do."""
