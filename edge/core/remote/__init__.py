# SPDX-License-Identifier: Apache-2.0
"""What the platform may have done here from afar, and how far it has come."""
