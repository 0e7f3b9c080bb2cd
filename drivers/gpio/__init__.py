# SPDX-License-Identifier: Apache-2.0
"""The box's own pins."""
