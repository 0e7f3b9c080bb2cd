# SPDX-License-Identifier: Apache-2.0
"""Who is in a space, for how long and for how much; bells, stoves and bindings."""
