# SPDX-License-Identifier: Apache-2.0
"""The whole house as real processes: cut, killed, flooded, stopped, and still right."""
