# SPDX-License-Identifier: Apache-2.0
"""The lockers: compartments, rentals, and the medicine box."""
