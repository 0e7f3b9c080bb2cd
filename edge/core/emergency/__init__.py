# SPDX-License-Identifier: Apache-2.0
"""The standing emergencies of a site, and their rehearsal."""
