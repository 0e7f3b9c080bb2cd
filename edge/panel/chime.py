# SPDX-License-Identifier: Apache-2.0
"""The chime of the doorbell: two falling notes, made here.

The law of the module: pure, and the same bytes each time; 8-bit mono at 8 kHz, so that
it weighs less than 6 kB and every engine plays it.
"""

from __future__ import annotations

import math
import struct

RATE_HZ = 8_000
#: Frequency (Hz) and length (s) of each note: a major third down, as bells at doors do.
NOTES = ((660.0, 0.28), (528.0, 0.42))
#: How fast a struck note dies away, per second.
DAMPING = 7.0
_MIDDLE, _LOUDEST = 128, 110


def chime() -> bytes:
    """Return the sound as a WAV file."""
    samples = bytearray()
    for hertz, length_s in NOTES:
        for index in range(int(length_s * RATE_HZ)):
            at_s = index / RATE_HZ
            wave = math.sin(math.tau * hertz * at_s) * math.exp(-DAMPING * at_s)
            samples.append(_MIDDLE + round(_LOUDEST * wave))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ, 1, 8)
    data = struct.pack("<4sI", b"data", len(samples)) + bytes(samples)
    body = b"WAVE" + form + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
