# SPDX-License-Identifier: Apache-2.0
"""A driver for Menshen in a package of its own; copy it and change what differs."""
