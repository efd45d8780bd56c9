"""Laws for what others wrote and we ship: every file is the one that its manifest names."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ["vendorrisk/static/vendor", "vendorrisk/reports/assets"]
OURS = {"MANIFEST.sha256", "README.md"}


class Entry(NamedTuple):
    sha256: str
    file: str
    package: str
    version: str


def manifest(folder: str) -> list[Entry]:
    lines = (ROOT / folder / "MANIFEST.sha256").read_text().splitlines()
    return [Entry(*line.split()) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_the_one_in_the_manifest(folder: str) -> None:
    found = {
        entry.file: hashlib.sha256((ROOT / folder / entry.file).read_bytes()).hexdigest() for entry in manifest(folder)
    }
    assert found == {entry.file: entry.sha256 for entry in manifest(folder)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_there_that_the_manifest_does_not_name(folder: str) -> None:
    base = ROOT / folder
    there = {path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()}
    assert there - OURS == {entry.file for entry in manifest(folder)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_work_has_its_licence_beside_it_and_a_place_in_the_notice(folder: str) -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    licences = [e.file for e in manifest(folder) if e.file.endswith(("LICENSE", "OFL.txt"))]
    assert licences
    assert [file for file in licences if f"{folder}/{file}" not in notice] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_script_that_fetches_them_names_the_same_versions(folder: str) -> None:
    script = (ROOT / "scripts" / "vendor.sh").read_text()
    assert [entry for entry in manifest(folder) if f"={entry.version} " not in script.replace("\n", " ")] == []


def test_the_front_end_points_at_no_source_map_and_loads_nothing_from_elsewhere() -> None:
    text = (ROOT / "vendorrisk/static/vendor/tabler.min.css").read_text(encoding="utf-8")
    assert "sourceMappingURL" not in text
    assert "@import" not in text
    assert "url(http" not in text
    assert "url(//" not in text
