# SPDX-License-Identifier: Apache-2.0
"""Who may act at the panel, and who has to wait."""
