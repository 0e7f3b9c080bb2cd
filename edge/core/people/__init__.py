# SPDX-License-Identifier: Apache-2.0
"""Who is known: the platform's roster and what this site adds to it."""
