# SPDX-License-Identifier: Apache-2.0
"""Events up and rosters down on a USB stick, while the line stays dead."""
