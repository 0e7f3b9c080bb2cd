# SPDX-License-Identifier: Apache-2.0
"""The Unix socket through which panel and command line speak to the gateway."""
