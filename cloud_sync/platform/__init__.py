# SPDX-License-Identifier: Apache-2.0
"""The reference platform: what the other end of the contract has to do, done whole.

An application of its own (docs/platform.md): gateways' events into a database, feeds
out of it, and the questions that community staff ask. A gateway carries none of it.
"""
