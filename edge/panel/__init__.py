# SPDX-License-Identifier: Apache-2.0
"""The volunteers' panel: a process of its own that knows the control socket alone."""
