# SPDX-License-Identifier: Apache-2.0
"""Code scanners: any line, the GM65 family, keyboards."""
