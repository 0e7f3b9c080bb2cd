# SPDX-License-Identifier: Apache-2.0
"""The identity-card reader behind a SAM module."""

from __future__ import annotations

from drivers.id_card.sam import IdCardReader, IdCardSamOptions
from drivers.options import defaults
from drivers.questions import of_id_card_sam
from drivers.spec import DriverSpec, alone

SPEC = DriverSpec(
    name="id_card_sam",
    build=alone(IdCardSamOptions, IdCardReader),
    options=defaults(IdCardSamOptions),
    roles=frozenset({"reader"}),
    default_baud=115_200,
    questions=of_id_card_sam,
)
