# SPDX-License-Identifier: Apache-2.0
"""What must survive a power cut: the journal, and the roster's last good copy."""
