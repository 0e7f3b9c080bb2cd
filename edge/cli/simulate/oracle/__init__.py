# SPDX-License-Identifier: Apache-2.0
"""A second opinion on the rules, written from their text and from nothing else."""
