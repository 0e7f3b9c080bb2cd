# SPDX-License-Identifier: Apache-2.0
"""Who may give which order at the panel: one table, asked by the gateway.

The law of the module: what is not in the table is nobody's. To make things safe is
easy (fire, from any paired tablet), to make them unsafe takes somebody by name, and
some of it two.
"""

from __future__ import annotations

from edge.accounts.people import Role

VOLUNTEER, MANAGER, INSTALLER = Role.VOLUNTEER, Role.MANAGER, Role.INSTALLER
_DUTY = frozenset({VOLUNTEER, MANAGER})
_MANAGER = frozenset({MANAGER})
_MENDERS = frozenset({VOLUNTEER, MANAGER, INSTALLER})

#: Whose order each verb may be.
RIGHTS: dict[str, frozenset[Role]] = {
    **dict.fromkeys(
        (
            *("open", "answer", "confirm", "cash", "count", "bind", "revoke"),
            *("appliance", "emergency", "end-emergency", "elder", "duty", "contact"),
            *("duty-question", "correct-entry"),
            *("drill", "drill-mark", "drill-end", "care-answer"),
            *("compartment-open", "end-rental", "cleaned", "parcel"),
            "bag-back",
            *("medicine-open", "medicine-stock", "medicine-used"),
        ),
        _DUTY,
    ),
    **dict.fromkeys(("mode", "local-holder", "duty-correct"), _MANAGER),
    **dict.fromkeys(("out-of-order", "mend"), _MENDERS),
}
#: Orders for which a second person enters a PIN of his own.
TWO_PERSONS = frozenset({"local-holder", "duty-correct", "medicine-stock"})
#: What an order of these may be for anybody at a paired tablet.
ANYBODYS_STATE = "FIRE"
