# SPDX-License-Identifier: Apache-2.0
"""The decision's rules, one group a file; their order stands in the decision."""
