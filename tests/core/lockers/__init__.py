# SPDX-License-Identifier: Apache-2.0
"""Tests of the lockers: rentals, parcels, the staff's orders, the medicine box."""
