# SPDX-License-Identifier: Apache-2.0
"""Who may act at the panel: people, tablets, sessions, and who has to wait."""
