# SPDX-License-Identifier: Apache-2.0
"""Who is known: both scopes of the roster, binding, and rows that are broken."""
