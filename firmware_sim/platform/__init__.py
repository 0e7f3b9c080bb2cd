# SPDX-License-Identifier: Apache-2.0
"""The central platform as a gateway sees it, written from the contract alone.

The law of the package: it shares no line with the gateway, so that a mistake of
the one cannot hide in the other. What it may say and must check is the contract
with the central platform, version 1 (docs/sync-contract.md), and nothing else.
"""
