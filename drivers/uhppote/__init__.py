# SPDX-License-Identifier: Apache-2.0
"""UHPPOTE (Weigeng) controllers over UDP."""
