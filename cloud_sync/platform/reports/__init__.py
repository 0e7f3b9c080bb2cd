# SPDX-License-Identifier: Apache-2.0
"""What community staff ask of the platform, one question a file."""
