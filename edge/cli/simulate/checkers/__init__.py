# SPDX-License-Identifier: Apache-2.0
"""What must hold in every run, one property a file; ``all`` names them."""
