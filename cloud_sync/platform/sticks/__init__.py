# SPDX-License-Identifier: Apache-2.0
"""The platform's end of a USB stick: exports in, answers and rosters out."""
