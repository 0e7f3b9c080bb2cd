# SPDX-License-Identifier: Apache-2.0
"""The main job on simulated hardware: real processes, real bytes, made-up people."""
