# SPDX-License-Identifier: Apache-2.0
"""What carries bytes between the box and its devices."""
