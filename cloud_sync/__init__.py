# SPDX-License-Identifier: Apache-2.0
"""The way to the central platform: contract, session, and one MQTT shell."""
