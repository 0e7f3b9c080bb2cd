# SPDX-License-Identifier: Apache-2.0
"""How many of a booking's party may still come in.

The law of the module: who is inside and who was let in just now count. Who left, as
far as a reader saw it or the way out does not tell who it was, may come again: nobody
is refused on what the house does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.admissions import UNUSED

if TYPE_CHECKING:
    from edge.core.access.question import Question
    from edge.core.people.entries import Booking


def left_of_party(question: Question, booking: Booking) -> int:
    """Return how many persons of ``booking`` may come in now; 0 or less for none."""
    used = question.admissions.get(booking.booking_id, UNUSED)
    left = booking.party - used.persons
    if left > 0:
        return left  # no need to ask who is inside
    inside = question.presence.inside_of(question.space.space_id, booking.booking_id)
    return booking.party - inside - used.coming
