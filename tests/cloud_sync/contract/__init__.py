# SPDX-License-Identifier: Apache-2.0
"""The contract as documents: schemas, AsyncAPI, vectors, the page, and the code."""
