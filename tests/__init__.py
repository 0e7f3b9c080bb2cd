# SPDX-License-Identifier: Apache-2.0
"""The suite: one folder a room of the house, fakes from ``firmware_sim`` alone."""
