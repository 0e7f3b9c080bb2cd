# SPDX-License-Identifier: Apache-2.0
"""The platform's HTTPS: enrolment, and what is too large for a broker."""
