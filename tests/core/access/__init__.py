# SPDX-License-Identifier: Apache-2.0
"""What decides who may come in, room by room."""
