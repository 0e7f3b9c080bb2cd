# SPDX-License-Identifier: Apache-2.0
"""All checkers of a run.

The law of the module: a new checker is one file and one line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checkers.appliances_stay_off import AppliancesStayOff
from edge.cli.simulate.checkers.clock_is_true import ClockIsTrue
from edge.cli.simulate.checkers.decisions_are_right import DecisionsAreRight
from edge.cli.simulate.checkers.duty_minutes_are_right import DutyMinutesAreRight
from edge.cli.simulate.checkers.emergencies_end_by_hand import EmergenciesEndByHand
from edge.cli.simulate.checkers.exit_always_works import ExitAlwaysWorks
from edge.cli.simulate.checkers.fares_are_right import FaresAreRight
from edge.cli.simulate.checkers.fire_opens_escapes import FireOpensEscapes
from edge.cli.simulate.checkers.forced_alarm_is_true import ForcedAlarmIsTrue
from edge.cli.simulate.checkers.no_rule_fails import NoRuleFails
from edge.cli.simulate.checkers.nothing_old_opens import NothingOldOpens
from edge.cli.simulate.checkers.nothing_over_its_limit import NothingOverItsLimit
from edge.cli.simulate.checkers.nothing_personal_leaks import NothingPersonalLeaks
from edge.cli.simulate.checkers.one_holder_a_compartment import OneHolderACompartment
from edge.cli.simulate.checkers.one_roster_a_decision import OneRosterADecision
from edge.cli.simulate.checkers.platform_is_journal import PlatformIsJournal
from edge.cli.simulate.checkers.refusals_are_told import RefusalsAreTold
from edge.cli.simulate.checkers.release_ends import ReleaseEnds
from edge.cli.simulate.checkers.release_has_cause import ReleaseHasCause
from edge.cli.simulate.checkers.roster_is_feed import RosterIsFeed
from edge.cli.simulate.checkers.seq_has_no_holes import SeqHasNoHoles

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Checker, Ground


def all_checkers(ground: Ground) -> list[Checker]:
    """Return fresh checkers for one run."""
    return [
        NoRuleFails(),
        SeqHasNoHoles(),
        ReleaseHasCause(),
        ReleaseEnds(),
        PlatformIsJournal(),
        ClockIsTrue(),
        RosterIsFeed(ground),
        DecisionsAreRight(ground),
        OneRosterADecision(ground),
        NothingOldOpens(),
        RefusalsAreTold(),
        ExitAlwaysWorks(ground),
        FireOpensEscapes(ground),
        EmergenciesEndByHand(ground),
        ForcedAlarmIsTrue(ground),
        OneHolderACompartment(),
        AppliancesStayOff(ground),
        FaresAreRight(ground),
        DutyMinutesAreRight(ground),
        NothingOverItsLimit(),
        NothingPersonalLeaks(ground),
    ]
