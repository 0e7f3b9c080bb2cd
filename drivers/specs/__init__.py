# SPDX-License-Identifier: Apache-2.0
"""One file a driver, named as the site file names it: what the house must know."""
