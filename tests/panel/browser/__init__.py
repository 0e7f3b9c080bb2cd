# SPDX-License-Identifier: Apache-2.0
"""The panel as browsers show it: Debian's Chromium, and an engine of 2016."""
