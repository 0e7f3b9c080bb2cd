# SPDX-License-Identifier: Apache-2.0
"""The rules of the place, pure: no clock, no socket, no file, no randomness."""
