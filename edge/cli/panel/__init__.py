# SPDX-License-Identifier: Apache-2.0
"""What the gateway does for its panel: accounts, log-ins, acts, certificates."""
