# SPDX-License-Identifier: Apache-2.0
"""A whole place through its controller, told as its people would tell it."""
