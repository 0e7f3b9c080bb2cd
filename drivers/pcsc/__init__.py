# SPDX-License-Identifier: Apache-2.0
"""Contactless readers behind PC/SC."""
