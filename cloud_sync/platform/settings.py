# SPDX-License-Identifier: Apache-2.0
"""The platform's settings file: where broker, database and key are.

The law of the module: a file is read whole or refused with what is wrong where; a
relative path in it counts from the file's own folder; no password stands in it, only
the name of a file that its owner alone may read.
"""

from __future__ import annotations

import ssl
import stat
import tomllib
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from cloud_sync.connection import Broker

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_SETTINGS = """\
# The reference platform of Menshen; docs/platform.md explains every key.

[broker]
host = "127.0.0.1"
port = 1883
# username = "platform"
# password_file = "broker.password"    # mode 0600, one line
# ca_file = "ca.pem"                   # with it, TLS
# cert_file = "platform.pem"
# key_file = "platform-tls.key"

# A cluster of NATS, for `menshen platform worker`; docs/scale.md.
# [nats]
# servers = ["nats://nats-1.example:4222", "nats://nats-2.example:4222"]
# ca_file = "ca.pem"
# cert_file = "worker.pem"
# key_file = "worker.key"

[store]
sqlite = "platform.db"
# postgresql = "postgresql://menshen@db.example/menshen"   # instead of sqlite

[platform]
signing_key = "platform.key"
utc_offset_min = 480     # of the days and hours in reports
heartbeat_s = 300        # without leases of its own: online if heard within twice this

[alarms]                 # docs/platform.md, alarms
answer_s = 120           # so long the site itself may answer, then round 1 is called
next_s = 120             # ... and after so long the next round
repeats = 2              # all rounds so often
# command = ["/usr/local/bin/call-people"]     # gets each call as JSON
# webhook = "https://calls.example/menshen"    # or it is posted there

# [web]                    # HTTPS: enrolment, big snapshots; first `platform authority`
# listen = "0.0.0.0:8443"
# certificate = "web.pem"
# key = "web.key"
# ca = "ca.pem"            # signs gateways' certificates
# snapshot_parts = 32      # so big a snapshot (of 45 KiB each) is fetched here
# door_tries = 30          # a minute and address, at the page behind a door's code
# [authority]              # what a box is told that enrols
# brokers = ["mqtt.example.org:8883"]
"""

LAST_PORT = 65_535


class SettingsError(Exception):
    """The settings file cannot be used; the text says what is wrong where."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerSettings(_Strict):
    """Where the broker is and how to enter."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    client_id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]{1,64}$")] = "platform"
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class NatsSettings(_Strict):
    """Where the servers of NATS are and how to enter."""

    servers: Annotated[
        list[Annotated[str, Field(pattern=r"^(nats|tls)://[^/@\s]+$")]],
        Field(min_length=1, max_length=16),
    ]
    stream: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "MENSHEN"
    replicas: Annotated[int, Field(ge=1, le=5)] = 3
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class StoreSettings(_Strict):
    """Which database: a file of SQLite's, or an address of PostgreSQL's."""

    sqlite: Annotated[str | None, Field(min_length=1)] = None
    postgresql: Annotated[str | None, Field(pattern="^postgres(ql)?://")] = None

    @model_validator(mode="after")
    def _one(self) -> StoreSettings:
        if (self.sqlite is None) is (self.postgresql is None):
            raise ValueError("name one of the two, sqlite or postgresql")
        return self


class PlatformSettings(_Strict):
    """The platform's own key, clock face and patience."""

    signing_key: Annotated[str, Field(min_length=1)] = "platform.key"
    utc_offset_min: Annotated[int, Field(ge=-840, le=840)] = 480
    heartbeat_s: Annotated[int, Field(ge=1, le=86_400)] = 300


class AlarmSettings(_Strict):
    """How long is waited for an answer, and how people are called."""

    answer_s: Annotated[int, Field(ge=5, le=86_400)] = 120
    next_s: Annotated[int, Field(ge=5, le=86_400)] = 120
    repeats: Annotated[int, Field(ge=1, le=20)] = 2
    command: Annotated[tuple[str, ...], Field(strict=False)] = ()
    webhook: Annotated[str | None, Field(pattern="^https?://")] = None
    timeout_s: Annotated[int, Field(ge=1, le=120)] = 10
    tries: Annotated[int, Field(ge=1, le=20)] = 6
    calls_an_hour: Annotated[int, Field(ge=1, le=10_000)] = 60

    @model_validator(mode="after")
    def _one(self) -> AlarmSettings:
        if self.command and self.webhook:
            raise ValueError("name one of the two, command or webhook")
        return self


class WebSettings(_Strict):
    """The HTTPS server; ``ca`` is the authority of gateways' certificates."""

    listen: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$")]
    certificate: Annotated[str, Field(min_length=1)] = "web.pem"
    key: Annotated[str, Field(min_length=1)] = "web.key"
    ca: Annotated[str, Field(min_length=1)] = "ca.pem"
    #: From so many parts on a snapshot is offered here; 0: all come by the broker.
    snapshot_parts: Annotated[int, Field(ge=0, le=4096)] = 32
    #: Tries to open a door in a minute from one address; 0: a proxy counts them.
    door_tries: Annotated[int, Field(ge=0, le=10_000)] = 30

    @model_validator(mode="after")
    def _port(self) -> WebSettings:
        if not 1 <= read_listen(self.listen)[1] <= LAST_PORT:
            raise ValueError("listen ends with a port from 1 to 65535")
        return self


class AuthoritySettings(_Strict):
    """The files of the platform's own authority, and what boxes are told."""

    certificate: Annotated[str, Field(min_length=1)] = "ca.pem"
    key: Annotated[str, Field(min_length=1)] = "ca.key"
    crl: Annotated[str, Field(min_length=1)] = "ca.crl"
    vault: Annotated[str, Field(min_length=1)] = "vault.key"
    #: As a site file has them; and the name in their certificates, if another.
    brokers: Annotated[tuple[str, ...], Field(max_length=8)] = ()
    server_name: str = ""

    @field_validator("brokers", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class Settings(_Strict):
    """The whole file; without ``web`` there is no HTTPS server."""

    broker: BrokerSettings
    store: StoreSettings
    nats: NatsSettings | None = None
    platform: PlatformSettings = PlatformSettings()
    alarms: AlarmSettings = AlarmSettings()
    web: WebSettings | None = None
    authority: AuthoritySettings = AuthoritySettings()


def read_listen(name: str) -> tuple[str, int]:
    """Return host and port of ``host:port`` or ``[IPv6]:port``."""
    host, _, port = name.rpartition(":")
    return host.strip("[]"), int(port)


def read_settings(path: Path) -> Settings:
    """Read a settings file."""
    try:
        return Settings.model_validate(
            tomllib.loads(path.read_text(encoding="utf-8")), strict=True
        )
    except OSError as fault:
        raise SettingsError(
            f"{path}: {fault.strerror}; `menshen platform init` writes one"
        ) from fault
    except ValidationError as flaws:
        lines = (
            f"{path}: {'.'.join(map(str, flaw['loc']))}: {flaw['msg']}"
            for flaw in flaws.errors()
        )
        raise SettingsError("\n".join(lines)) from flaws
    except ValueError as flaw:
        raise SettingsError(f"{path}: {flaw}") from flaw


def broker_of(settings: BrokerSettings, folder: Path) -> Broker:
    """Return how to reach the broker; SettingsError for files that cannot be used."""
    return Broker(
        host=settings.host,
        port=settings.port,
        username=settings.username,
        password=password_of(settings, folder),
        tls=tls_of(settings, folder, "broker"),
    )


def password_of(settings: BrokerSettings | NatsSettings, folder: Path) -> str | None:
    """Return the password of a file that nobody else may read, None without one."""
    if settings.password_file is None:
        return None
    path = folder / settings.password_file
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(
                f"{path}: others may read this secret; run: chmod 600 {path}"
            )
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as fault:
        raise SettingsError(f"{path}: {fault.strerror}") from fault


def tls_of(
    settings: BrokerSettings | NatsSettings, folder: Path, name: str
) -> ssl.SSLContext | None:
    """Return how to speak TLS, None for plainly; ``name`` is of the settings' table."""
    named: tuple[Literal["ca_file", "cert_file", "key_file"], ...]
    named = ("ca_file", "cert_file", "key_file")
    files = {name: getattr(settings, name) for name in named}
    if files["ca_file"] is None:
        if files["cert_file"] or files["key_file"]:
            raise SettingsError(f"{name}.cert_file and key_file need {name}.ca_file")
        return None
    try:
        context = ssl.create_default_context(cafile=folder / files["ca_file"])
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if files["cert_file"]:
            key = files["key_file"]
            context.load_cert_chain(
                folder / files["cert_file"], folder / key if key else None
            )
    except (OSError, ssl.SSLError) as fault:
        raise SettingsError(f"{name}: TLS files in {folder}: {fault}") from fault
    return context
