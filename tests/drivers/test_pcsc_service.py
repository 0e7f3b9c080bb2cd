# SPDX-License-Identifier: Apache-2.0
"""The edge to pyscard: codes of either sign, and ways to a reader without a card."""

from __future__ import annotations

import pytest

from drivers.pcsc.service import Code, PcscError, SystemService

READER = "ACS ACR122U PICC Interface 00 00"
CUE = b"\xff\x00\x40\x0f\x04\x00\x00\x00\x00"


class FakeScard:
    """``smartcard.scard`` as far as we call it; ``results`` by the verb's name."""

    SCARD_SCOPE_USER = 0
    SCARD_SHARE_SHARED = 2
    SCARD_SHARE_DIRECT = 3
    SCARD_PROTOCOL_T0 = 1
    SCARD_PROTOCOL_T1 = 2
    SCARD_LEAVE_CARD = 0

    def __init__(self, **results: int) -> None:
        self.results = results
        self.refused_escapes: set[int] = set()
        self.calls: list[str] = []

    def SCARD_CTL_CODE(self, code: int) -> int:  # noqa: N802
        return 0x42000000 + code

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:  # noqa: N802
        return self._result("establish"), 7

    def SCardReleaseContext(self, context: int) -> int:  # noqa: N802
        return self._result("release")

    def SCardListReaders(  # noqa: N802
        self, context: int, groups: list[str]
    ) -> tuple[int, list[str]]:
        return self._result("list"), [READER]

    def SCardGetStatusChange(  # noqa: N802
        self, context: int, timeout_ms: int, states: list[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]:
        found = [(name, 0x30022, [0x3B, 0x80]) for name, _ in states]
        return self._result("status"), found

    def SCardConnect(  # noqa: N802
        self, context: int, reader: str, share: int, protocols: int
    ) -> tuple[int, int, int]:
        return self._result(f"connect {share}"), 9, 2

    def SCardTransmit(  # noqa: N802
        self, card: int, protocol: int, apdu: list[int]
    ) -> tuple[int, list[int]]:
        return self._result("transmit"), [0x90, 0x00]

    def SCardControl(  # noqa: N802
        self, card: int, code: int, data: list[int]
    ) -> tuple[int, list[int]]:
        self.calls.append(f"control {code:08X}")
        return (0x8010001F if code in self.refused_escapes else 0), [0x90, 0x03]

    def SCardDisconnect(self, card: int, disposition: int) -> int:  # noqa: N802
        return self._result("disconnect")

    def _result(self, name: str) -> int:
        self.calls.append(name)
        return self.results.get(name.split(maxsplit=1)[0], 0)


def opened(scard: FakeScard) -> SystemService:
    service = SystemService(scard)
    service.open()
    return service


def test_a_card_is_left_as_it_lies_also_when_it_does_not_answer() -> None:
    scard = FakeScard(transmit=Code.RESET_CARD)
    with pytest.raises(PcscError) as refused:
        opened(scard).transmit(READER, CUE)
    assert refused.value.code == Code.RESET_CARD
    assert scard.calls == ["establish", "connect 2", "transmit", "disconnect"]


@pytest.mark.parametrize("refused", [set[int](), {0x42000000 + 3500}])
def test_a_reader_takes_one_of_two_escapes(refused: set[int]) -> None:
    scard = FakeScard()
    scard.refused_escapes = refused
    assert opened(scard).escape(READER, CUE) == b"\x90\x03"
    tried = [call for call in scard.calls if call.startswith("control")]
    assert tried == ["control 42000DAC", "control 42000001"][: 1 + len(refused)]
    assert scard.calls[1] == "connect 3"
    assert scard.calls[-1] == "disconnect"


def test_a_reader_that_takes_no_escape_says_so() -> None:
    scard = FakeScard()
    scard.refused_escapes = {0x42000000 + 3500, 0x42000001}
    with pytest.raises(PcscError, match="8010001F"):
        opened(scard).escape(READER, CUE)
    assert scard.calls[-1] == "disconnect"


@pytest.mark.parametrize("code", [0x8010000A, 0x8010000A - (1 << 32)])
def test_the_end_of_a_wait_is_no_fault_whatever_its_sign(code: int) -> None:
    service = opened(FakeScard(status=code))
    state = service.wait(READER, 0, 10)
    assert state is not None
    assert state.is_card_present
    assert not state.is_held
    assert state.events == 3
    assert state.flags == 0x30020
    assert state.atr == b"\x3b\x80"
    assert service.wait("", 0, 10) is None


def test_no_readers_is_an_empty_list() -> None:
    assert opened(FakeScard(list=Code.NO_READERS)).readers() == []
    assert opened(FakeScard()).readers() == [READER]


def test_without_a_context_nothing_is_asked() -> None:
    scard = FakeScard()
    service = SystemService(scard)
    service.close()
    with pytest.raises(PcscError, match="does not run"):
        service.readers()
    assert scard.calls == []
    service.open()
    service.close()
    service.close()
    assert scard.calls == ["establish", "release"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (Code.NO_SERVICE, "pcscd does not run"),
        (Code.COMMUNICATION, "pcscd was restarted"),
        (Code.SHARING_VIOLATION, "sharing violation"),
        (0x80100016 - (1 << 32), "PC/SC error 80100016"),
    ],
)
def test_a_fault_has_words(code: int, words: str) -> None:
    with pytest.raises(PcscError, match=words):
        SystemService(FakeScard(establish=code)).open()
