# SPDX-License-Identifier: Apache-2.0
"""The gateway between its floors: settings, bindings, step, intake, keys, control."""
