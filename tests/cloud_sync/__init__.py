# SPDX-License-Identifier: Apache-2.0
"""The way to the platform, held to the contract by a platform of the tests' own."""
