# SPDX-License-Identifier: Apache-2.0
"""The site file: what stands where, checked before anything moves."""
