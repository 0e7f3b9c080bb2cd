# SPDX-License-Identifier: Apache-2.0
"""Ways to a broker: one port, over MQTT, in memory, and with faults put in."""
