# SPDX-License-Identifier: Apache-2.0
"""What befalls a gateway while an output is on that no board times.

The law of the module: the output is seen to be on when it happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.device import SetOutput
from tests.drivers.fault_matrix.mishap import Mishap
from tests.drivers.fault_matrix.untimed import Untimed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.fault_matrix.stand import Stand

#: Longer than a pulse, shorter than what the house calls a restart.
STANDS_STILL_S = 5.0
#: By then a level was said twice, and the board hears again.
SAID_S = 0.3


def _with_output_on(happens: Callable[[Untimed], None]) -> Callable[[Stand], None]:
    def begins(stand: Stand) -> None:
        assert isinstance(stand, Untimed)
        stand.joined.order(stand.order())
        stand.joined.run(SAID_S)
        assert stand.is_moving()
        happens(stand)

    return begins


def _killed(stand: Untimed) -> None:
    stand.joined.is_dead = True


def _stands_still(stand: Untimed) -> None:
    stand.joined.stand_still(STANDS_STILL_S)


def _stopped_with_both_on(stand: Stand) -> None:
    for channel in (1, 2):
        stand.joined.order(SetOutput(unit=0, channel=channel, is_on=True))
    stand.joined.run(SAID_S)
    assert stand.active_outputs() == 2
    stand.joined.stop()


OUTPUT_MISHAPS = {
    "unplugged with an output on": Mishap(
        begins=_with_output_on(lambda stand: stand.joined.unplug()),
        ends=lambda stand: stand.plug_again(),
    ),
    "killed with an output on": Mishap(begins=_with_output_on(_killed)),
    "stopped with an output on": Mishap(
        begins=_with_output_on(lambda stand: stand.joined.stop())
    ),
    "stopped with both outputs on": Mishap(begins=_stopped_with_both_on),
    "standstill with an output on": Mishap(begins=_with_output_on(_stands_still)),
}
