# SPDX-License-Identifier: Apache-2.0
"""Lock-control boards of lockers."""
