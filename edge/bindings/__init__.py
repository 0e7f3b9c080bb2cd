# SPDX-License-Identifier: Apache-2.0
"""Where the wires meet the rules: signals become stimuli, commands become orders."""
