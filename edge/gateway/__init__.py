# SPDX-License-Identifier: Apache-2.0
"""The step: everything that waits, decided in order, stored at once, then done."""
