# SPDX-License-Identifier: Apache-2.0
"""Who may have which page: one table, and no page that is not in it.

The law of the module: a route that is missing here is nobody's. The emergency page and
fire are for anybody at a paired tablet; who is not paired sees how to pair, whom to
call, and what shows that this box is ours.
"""

from __future__ import annotations

from edge.panel.assets import ASSETS
from edge.panel.visitor import Kind

EVERYBODY = frozenset(Kind)
PAIRED = EVERYBODY - {Kind.STRANGER}
LOGGED_IN = PAIRED - {Kind.TABLET}
ON_DUTY = frozenset({Kind.VOLUNTEER, Kind.MANAGER})
MANAGER = frozenset({Kind.MANAGER})
KEEPERS = frozenset({Kind.MANAGER, Kind.INSTALLER})

#: Method and path, and for whom.
ROUTES: dict[tuple[str, str], frozenset[Kind]] = {
    **{("GET", f"/{name}"): EVERYBODY for name in ASSETS},
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/trust"): EVERYBODY,
    ("GET", "/ca.crt"): EVERYBODY,
    ("GET", "/"): EVERYBODY,
    ("GET", "/pair"): EVERYBODY,
    ("POST", "/pair"): EVERYBODY,
    ("GET", "/first"): PAIRED,
    ("POST", "/first"): PAIRED,
    ("GET", "/live"): PAIRED,
    ("GET", "/door/{door}"): PAIRED,
    ("GET", "/door/{door}/live"): PAIRED,
    ("GET", "/login"): PAIRED,
    ("POST", "/login/card"): PAIRED,
    ("GET", "/login/card"): PAIRED,
    ("GET", "/login/card/live"): PAIRED,
    ("POST", "/login/card/take"): PAIRED,
    ("GET", "/login/pin/{account}"): PAIRED,
    ("POST", "/login/pin"): PAIRED,
    ("GET", "/emergency"): PAIRED,
    ("GET", "/emergency/fire"): PAIRED,
    ("POST", "/emergency/fire"): PAIRED,
    ("GET", "/lockers"): LOGGED_IN,
    ("GET", "/lockers/live"): LOGGED_IN,
    ("GET", "/lockers/cells/live"): LOGGED_IN,
    ("GET", "/lockers/parcel"): ON_DUTY,
    ("GET", "/lockers/parcel/{mark}"): ON_DUTY,
    ("POST", "/lockers/parcel"): ON_DUTY,
    ("POST", "/lockers/open"): ON_DUTY,
    ("POST", "/lockers/out"): LOGGED_IN,
    ("POST", "/lockers/mend"): LOGGED_IN,
    ("POST", "/lockers/end"): ON_DUTY,
    ("POST", "/lockers/cleaned"): ON_DUTY,
    ("GET", "/lockers/{cell}"): LOGGED_IN,
    ("GET", "/lockers/{cell}/end"): ON_DUTY,
    # First aid: in an emergency the gateway lets anybody at a paired tablet open.
    ("GET", "/medicine"): PAIRED,
    ("POST", "/medicine/open"): PAIRED,
    ("GET", "/medicine/used/{bank}"): ON_DUTY,
    ("POST", "/medicine/used"): ON_DUTY,
    ("GET", "/medicine/count/{bank}"): ON_DUTY,
    ("POST", "/medicine/count"): ON_DUTY,
    ("GET", "/more"): LOGGED_IN,
    ("POST", "/logout"): LOGGED_IN,
    ("POST", "/handover"): LOGGED_IN,
    ("POST", "/open"): ON_DUTY,
    ("GET", "/thanks"): PAIRED,
    ("GET", "/hours"): ON_DUTY,
    ("GET", "/hours/end"): ON_DUTY,
    ("GET", "/hours/wrong"): ON_DUTY,
    ("POST", "/hours/ask"): ON_DUTY,
    ("GET", "/roster"): MANAGER,
    ("GET", "/roster/shift"): MANAGER,
    ("GET", "/roster/sheet"): MANAGER,
    ("POST", "/roster/correct"): MANAGER,
    ("POST", "/roster/duty"): MANAGER,
    ("GET", "/notices"): MANAGER,
    ("POST", "/notices/door"): MANAGER,
    ("GET", "/today"): ON_DUTY,
    ("GET", "/log"): ON_DUTY,
    ("GET", "/log/sheet"): ON_DUTY,
    ("GET", "/devices"): LOGGED_IN,
    ("GET", "/devices/live"): LOGGED_IN,
    ("POST", "/devices/beep"): LOGGED_IN,
    ("POST", "/devices/test"): LOGGED_IN,
    ("GET", "/export"): MANAGER,
    ("POST", "/export"): MANAGER,
    ("GET", "/export/file"): MANAGER,
    ("GET", "/people"): MANAGER,
    ("GET", "/people/{account}"): MANAGER,
    ("POST", "/people/add"): MANAGER,
    ("POST", "/people/retire"): MANAGER,
    ("POST", "/people/pin"): MANAGER,
    ("GET", "/tablets"): KEEPERS,
    ("POST", "/tablets/pair"): KEEPERS,
    ("POST", "/tablets/retire"): KEEPERS,
}
