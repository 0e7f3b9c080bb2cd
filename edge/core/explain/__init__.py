# SPDX-License-Identifier: Apache-2.0
"""Why a door opened or did not, and what another site file would have changed."""
