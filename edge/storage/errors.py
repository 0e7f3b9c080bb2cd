# SPDX-License-Identifier: Apache-2.0
"""What storage raises beside ``sqlite3.Error``.

The law of the module: a disk that fails speaks through ``sqlite3.Error``, unchanged;
the names below are for what a caller did wrong and for files that must not be used.
Source: h11's distinction of local and remote errors.
"""

from __future__ import annotations


class StorageError(Exception):
    """Root of what this floor raises itself."""


class LocalError(StorageError):
    """The caller's bug: a gap in the numbers, a value out of its range."""


class ForeignFileError(StorageError):
    """The file is a database of somebody else; it is left as it is."""


class SchemaTooNewError(StorageError):
    """A newer version of the program wrote the file; it is left as it is."""


class DamagedError(StorageError):
    """The chain of hashes is broken, and going on would hide it."""


class OtherKeyError(DamagedError):
    """The file is sealed by a key that nobody has any more."""


class TracesRemainError(StorageError):
    """Rows are erased, but an old copy may still stand in the write-ahead log."""
