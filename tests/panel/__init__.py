# SPDX-License-Identifier: Apache-2.0
"""The panel against a scripted gateway, by hand-written requests and by browser."""
