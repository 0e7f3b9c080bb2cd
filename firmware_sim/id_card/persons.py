# SPDX-License-Identifier: Apache-2.0
"""Five invented persons, one or two for each layout of card.

The law of the module: nobody here exists. Their numbers use the unassigned region 99
or a birth date in the future, with a valid check digit (GB 11643).
"""

from __future__ import annotations

from typing import Final

from firmware_sim.id_card.identity_card import LONG_TERM, CardLayout, IdentityCard

PERSON_A: Final = IdentityCard(
    number="990105198002290017",
    name="测试甲",
    sex="1",
    nation="01",
    birth="19800229",
    address="测试省样例市虚构路1号",
    issuer="样例市公安局虚构分局",
    valid_from="20200101",
    valid_to="20400101",
    newest_address="测试省样例市虚构新村9号",
)
PERSON_B: Final = IdentityCard(
    number="990105194901010025",
    name="测试乙",
    sex="2",
    nation="08",
    birth="19490101",
    address="测试省样例市虚构村2号",
    issuer="样例市公安局",
    valid_from="20150601",
    valid_to=LONG_TERM,
)
PERSON_J: Final = IdentityCard(
    number="810000209901010010",
    name="测试丙",
    sex="1",
    birth="20990101",
    address="测试省样例市虚构路3号",
    issuer="样例市公安局",
    valid_from="20250101",
    valid_to="20300101",
    layout=CardLayout.RESIDENCE_PERMIT,
    pass_number="T00000001",  # noqa: S106  a travel document's number
    issue_count="01",
)
PERSON_I: Final = IdentityCard(
    number="ZZZ990105010100",
    name="测试丁",
    sex="2",
    birth="19900101",
    valid_from="20170101",
    valid_to="20270101",
    layout=CardLayout.FOREIGNER_2017,
    english_name="TESTPERSON, ALPHA",
    nationality="ZZZ",
    version="01",
    authority="1500",
)
PERSON_Y: Final = IdentityCard(
    number="911156209901010012",
    name="测试戊",
    sex="1",
    birth="20990101",
    valid_from="20240101",
    valid_to="20340101",
    layout=CardLayout.FOREIGNER_2023,
    english_name="TESTPERSON, BETA EXAMPLE OF A VERY LONG NAME",
    nationality="ZZZ",
    renewal_count="01",
)

#: The persons by their letter, as site files and requests may name them.
PERSONS: Final = {
    "A": PERSON_A,
    "B": PERSON_B,
    "J": PERSON_J,
    "I": PERSON_I,
    "Y": PERSON_Y,
}
