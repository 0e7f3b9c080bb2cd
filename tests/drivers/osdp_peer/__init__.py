# SPDX-License-Identifier: Apache-2.0
"""libosdp as a peer of the OSDP driver, in an environment and a process of its own."""
