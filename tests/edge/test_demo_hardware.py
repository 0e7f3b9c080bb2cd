# SPDX-License-Identifier: Apache-2.0
"""A site file becomes simulated hardware, people at its doors, and a file that fits."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from edge.bindings.tokens import TokenMaker
from edge.cli.children import free_udp_ports
from edge.cli.demo.cast import cast, population
from edge.cli.demo.hardware import controllers, hardware, moved, port_name, simulated
from edge.cli.demo.play import Play, porches
from edge.cli.demo.residents import Shown
from edge.cli.demo.stage import SiteSecrets, Stage
from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from firmware_sim.platform.site import Site as PlatformSite
from firmware_sim.platform.site import populate
from firmware_sim.platform.tokens import Pseudonyms
from firmware_sim.site import Site
from firmware_sim.world import World

if TYPE_CHECKING:
    from pathlib import Path

EVERYTHING = config_folder() / "everything.toml"
NET = "udp://192.168.100.50:60000?listen=60001"
SHARED = SiteSecrets(site_key=bytes(range(32)), epoch_salt=bytes(16))


def test_the_simulation_builds_what_the_site_names() -> None:
    settings = load_site(EVERYTHING)
    world = World(Site.from_mapping(hardware(settings, {NET: 0})))
    there = simulated(settings)
    assert {"pins", "cellar-tags", "cellar-scanner"}.isdisjoint(there)
    boards = {*world.boards, *world.usb_relays, *world.controllers, *world.lockers}
    assert boards == {
        *("board", "usb-relay", "hall-controller"),
        *("luggage-locks", "laundry-locks", "fridge-locks", "tools-locks"),
    }
    assert set(world.osdp_readers) == {"living-room-tags", "garden-tags"}
    assert set(world.readers) == {"kitchen-reader", "desk-reader"}
    assert world.scanners["studio-scanner"].module is not None
    assert world.scanners["luggage-scanner"].module is None
    assert set(world.doors) == {door.id for door in settings.door} - {"cellar-door"}
    lid, fire_panel = world.boards["board"].snapshot().inputs[6:8]
    assert (lid, fire_panel) == (True, True), "loops that are closed while all is well"


def test_channels_and_addresses_are_those_of_the_site() -> None:
    built = hardware(load_site(EVERYTHING), {NET: 40_000})["ports"]
    assert built["laundry-locks"]["family"] == "kerong"
    assert built["fridge-locks"]["boards"]["fridge-locks"]["channels"] == 16
    assert built["usb-relay"]["settings"] == {"channels": 2}
    network = built["udp-192-168-100-50-60000-listen-60001"]
    assert network["udp_port"] == 40_000
    assert network["controllers"]["hall-controller"]["serial"] == 405_419_896
    readers = built["tags"]["readers"]
    assert {readers[name]["address"] for name in readers} == {0, 1}


def test_people_come_where_reader_and_door_can_be_simulated() -> None:
    settings = load_site(EVERYTHING)
    found = {porch.access_point: porch for porch in porches(settings)}
    assert found.keys() == {point.id for point in settings.access_point} - {
        "cellar-front"
    }
    library, garden = found["library-front"], found["garden-front"]
    assert (library.shown, library.reader, library.unit) == (
        Shown.SWIPE,
        "hall-controller",
        1,
    )
    assert (garden.shown, garden.reader, garden.port) == (
        Shown.TAG,
        "garden-tags",
        "tags",
    )
    assert found["studio-front"].is_scanner
    assert found["kitchen-front"].shown is Shown.CARD


def test_the_demos_own_site_is_played_as_before() -> None:
    settings = load_site(config_folder() / "demo.toml")
    assert controllers(settings) == {}
    assert simulated(settings) == {device.id for device in settings.device}
    assert {porch.reader for porch in porches(settings)} == {
        port_name(device) for device in settings.device if "locks" not in device.id
    } - {"board"}


def test_the_gateways_file_finds_the_controller_here() -> None:
    settings = load_site(EVERYTHING)
    text = EVERYTHING.read_text(encoding="utf-8")
    told = tomllib.loads(moved(text, settings, {NET: (40_000, 40_001)}))
    devices = {device["id"]: device for device in told["device"]}
    here = "udp://127.0.0.1:40000?listen=40001"
    assert devices["hall-controller"]["port"] == devices["hall-reader"]["port"] == here
    options = devices["hall-controller"]["options"]
    assert options["listen_address"] == "127.0.0.1"
    assert options["listen_port"] == 40_001
    assert options["serial"] == 405_419_896
    before = {device["id"]: device for device in tomllib.loads(text)["device"]}
    same = devices.keys() - {"hall-controller", "hall-reader"}
    assert {name: devices[name] for name in same} == {
        name: before[name] for name in same
    }


def test_free_ports_are_different() -> None:
    assert len(set(free_udp_ports(20))) == 20
    assert free_udp_ports(0) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_the_platform_knows_every_tag_as_the_gateway_will(seed: int) -> None:
    plan = load_site(EVERYTHING).plan()
    people = cast(seed, plan)
    [resident] = people["garden-front"][:1]
    known = population(
        {"garden-front": [resident]}, plan, shared=SHARED, now_ms=1_800_000_000_000
    )
    pseudonyms = Pseudonyms(
        site=plan.site_id, site_key=SHARED.site_key, epoch_salt=SHARED.epoch_salt
    )
    site = PlatformSite(registry={}, pseudonyms=pseudonyms, population=known)
    holder = next(row for row in populate(site, 0) if row.kind == "holder")
    tokens = TokenMaker(
        site_id=plan.site_id, site_key=SHARED.site_key, epoch_salt=SHARED.epoch_salt
    )
    told = [tokens.tag(*tag).token.hex() for tag in resident.tags()]
    assert len(told) == 2
    credentials = holder.body["credentials"]
    assert isinstance(credentials, list)
    assert {f"CARD:{token}" for token in told} <= set(credentials)


def test_nobody_shares_a_tag() -> None:
    people = cast(1, load_site(EVERYTHING).plan())
    tags = [resident.tag for group in people.values() for resident in group]
    assert len(set(tags)) == len(tags)


def test_a_folder_plays_the_file_that_fits(tmp_path: Path) -> None:
    settings = load_site(EVERYTHING)
    play = Play(
        settings=settings, site=EVERYTHING, stage=Stage(folder=tmp_path), seed=1
    )
    play.prepare()
    effective = load_site(tmp_path / "site.toml")
    [port] = controllers(effective)
    assert port.startswith("udp://127.0.0.1:")
    assert [device.id for device in effective.device] == [
        device.id for device in settings.device
    ]
