# SPDX-License-Identifier: Apache-2.0
"""How gateways come to their certificates and keys, the platform's side."""
