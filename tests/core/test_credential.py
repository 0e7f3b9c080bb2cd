# SPDX-License-Identifier: Apache-2.0
"""A credential is compared, never shown."""

from __future__ import annotations

import dataclasses

import pytest

from edge.core.credential import TOKEN_BYTES, Credential, CredentialKind

TOKEN = bytes.fromhex("5ec2e7000102030405060708090a0b0c")


@pytest.mark.parametrize("length", [0, 1, 15, 17, 32])
def test_a_token_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"16 bytes, not {length}"):
        Credential(kind=CredentialKind.CARD, token=bytes(length))


def test_neither_repr_nor_str_shows_the_token() -> None:
    credential = Credential(kind=CredentialKind.ID_CARD, token=TOKEN)
    for shown in (repr(credential), str(credential), f"{credential}"):
        assert "ID_CARD" in shown
        assert TOKEN.hex() not in shown
        assert repr(TOKEN)[2:-1] not in shown
        assert "\\x" not in shown


def test_the_error_about_a_token_does_not_show_it() -> None:
    with pytest.raises(ValueError, match="token has") as caught:
        Credential(kind=CredentialKind.CARD, token=b"secret")
    assert "secret" not in str(caught.value)


def test_kind_and_token_make_the_credential() -> None:
    one = Credential(kind=CredentialKind.CARD, token=TOKEN)
    assert one == Credential(kind=CredentialKind.CARD, token=bytes(TOKEN))
    assert one != Credential(kind=CredentialKind.QR, token=TOKEN)
    assert one != Credential(kind=CredentialKind.CARD, token=bytes(TOKEN_BYTES))


def test_a_credential_cannot_be_changed() -> None:
    credential = Credential(kind=CredentialKind.CARD, token=TOKEN)
    with pytest.raises(dataclasses.FrozenInstanceError):
        credential.token = bytes(16)  # type: ignore[misc]


def test_every_kind_is_spelt_as_the_contract_spells_it() -> None:
    assert [kind.value for kind in CredentialKind] == [
        "ID_CARD",
        "CARD",
        "QR",
        "PIN",
        "PANEL",
    ]
    assert all(kind.name == kind.value for kind in CredentialKind)
