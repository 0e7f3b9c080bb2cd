# SPDX-License-Identifier: Apache-2.0
"""The simulated identity-card reader and its cards."""
