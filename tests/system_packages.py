# SPDX-License-Identifier: Apache-2.0
"""The Debian packages that tests use, installed by ``make test`` where allowed.

The law of the module: a package stands here with its purpose or no test may ask
for it. ``python -m tests.system_packages`` installs what is missing when it may
(root, or sudo without a password) and otherwise only says what will be skipped;
``tests/conftest.py`` skips those tests, and with ``CI=true`` refuses to collect.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPackage:
    """A Debian package: its name, a program that proves it, what it is for.

    Where ``proof`` is given, the program must also print it (a font's name). A
    package without a program names one of its files instead, by its whole path.
    """

    name: str
    program: str
    purpose: str
    proof: str = ""

    def is_installed(self) -> bool:
        """Say whether the package's program or file can be found."""
        if "/" in self.program:
            return Path(self.program).exists()
        sbin = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
        found = shutil.which(self.program, path=sbin)
        if found is None or not self.proof:
            return found is not None
        printed = subprocess.run([found], check=False, capture_output=True, text=True)
        return self.proof in printed.stdout


PACKAGES = {
    package.name: package
    for package in (
        SystemPackage(
            name="mosquitto",
            program="mosquitto",
            purpose="the real MQTT broker of the synchronisation tests and benches",
        ),
        SystemPackage(
            name="nats-server",
            program="nats-server",
            purpose="the other real MQTT broker, alone and in three nodes",
        ),
        SystemPackage(
            name="rabbitmq-server",
            program="/usr/lib/rabbitmq/bin/rabbitmq-server",
            purpose="the third real MQTT broker of the synchronisation tests",
        ),
        SystemPackage(
            name="postgresql",
            program="pg_lsclusters",
            purpose="the real database of the reference platform's tests",
        ),
        SystemPackage(
            name="chromium",
            program="chromium",
            purpose="the browser of the panel's tests",
        ),
        SystemPackage(
            name="fonts-wqy-microhei",
            program="fc-list",
            proof="WenQuanYi Micro Hei",
            purpose="Chinese letters in the panel's screenshots",
        ),
        SystemPackage(
            name="wkhtmltopdf",
            program="wkhtmltoimage",
            purpose="an engine as old as the tablets that people have",
        ),
        SystemPackage(
            name="pcscd",
            program="pcscd",
            purpose="the real PC/SC service of the card reader's tests",
        ),
        SystemPackage(
            name="vsmartcard-vpcd",
            program="/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
            purpose="the virtual card readers of its tests",
        ),
        SystemPackage(
            name="libpcsclite-dev",
            program="/usr/include/PCSC/winscard.h",
            purpose="building pyscard, which has no wheel for Linux",
        ),
        SystemPackage(
            name="espeak-ng",
            program="espeak-ng",
            purpose="the placeholders of the doors' voice (make voice)",
        ),
        SystemPackage(name="swig", program="swig", purpose="building pyscard"),
        SystemPackage(name="gcc", program="gcc", purpose="building pyscard"),
        SystemPackage(
            name="python3-dev",
            program=f"{sysconfig.get_path('include')}/Python.h",
            purpose="building pyscard",
        ),
    )
}


def missing(names: list[str] | None = None) -> list[SystemPackage]:
    """Return the packages that are not installed, of those named or of all."""
    wanted = [PACKAGES[name] for name in names] if names else PACKAGES.values()
    return [package for package in wanted if not package.is_installed()]


def _installer() -> list[str] | None:
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    sudo = ["sudo", "-n"]
    try:
        subprocess.run([*sudo, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [*sudo, "apt-get"]


def _install(apt_get: list[str], packages: list[SystemPackage]) -> None:
    """Install all at once, else one by one: an unknown name stops all the others."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    names = [package.name for package in packages]
    subprocess.run([*apt_get, "update", "-qq"], check=False, env=environment)
    install = [*apt_get, "install", "-qq", "-y"]
    done = subprocess.run([*install, *names], check=False, env=environment)
    for name in names if done.returncode else []:
        subprocess.run([*install, name], check=False, env=environment)


def main(names: list[str]) -> int:
    """Install what is missing, or name it; never fail for a missing right."""
    wanted = missing(names)
    apt_get = _installer() if wanted else None
    if apt_get is not None:
        sys.stdout.write("installing: " + ", ".join(p.name for p in wanted) + "\n")
        sys.stdout.flush()
        _install(apt_get, wanted)
    for package in missing(names):
        sys.stdout.write(
            f"missing system package {package.name} ({package.purpose}): its tests "
            f"are skipped; install it with: apt-get install {package.name}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
