# SPDX-License-Identifier: Apache-2.0
"""Identity-card readers behind a SAM module."""
