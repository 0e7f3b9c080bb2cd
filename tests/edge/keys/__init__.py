# SPDX-License-Identifier: Apache-2.0
"""Tests of a box's keys: enrolment, renewal, what comes sealed."""
