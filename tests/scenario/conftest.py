"""Fixtures of the scenario tests; tests/fleet.py does the work."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import fleet as fleets  # noqa: E402  (found through the line above)


def pytest_configure(config):
    # tests/events.py has it too, where tests/run brings that in.
    config.addinivalue_line("markers", "deadline(seconds): how long the test may take")


@pytest.fixture
def make_fleet(tmp_path):
    """A function that makes a fleet; each is taken down at the end, and nothing of it may be left."""
    if not shutil.which("apache2", path="/usr/sbin:/usr/bin") or not shutil.which("haproxy", path="/usr/sbin:/usr/bin"):
        pytest.skip("apache2-bin and haproxy are not installed")
    made = []

    def make(folder=None, **settings):
        fleet = fleets.Fleet(folder or tmp_path / f"fleet{len(made) or ''}", **settings)
        made.append(fleet)
        return fleet

    yield make
    problems = []
    for fleet in made:
        try:
            fleet.end()
        except (AssertionError, OSError, subprocess.SubprocessError) as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def fleet(make_fleet):
    """A fleet of two, not up yet."""
    return make_fleet()


@pytest.fixture
def fleet_up(fleet):
    """A fleet of two that is up."""
    fleet.up()
    return fleet


@pytest.fixture(scope="module")
def quiet_fleet(tmp_path_factory):
    """A fleet that is up for all tests of a module that only look."""
    fleet = fleets.Fleet(tmp_path_factory.mktemp("quiet") / "fleet")
    try:
        fleet.up()
        yield fleet
    finally:
        fleet.end()


@pytest.fixture
def as_root():
    if not fleets.is_root():
        pytest.skip("only root can do this")


@pytest.fixture
def fake_httpd():
    """A function that makes an apache2 of a shell script, and returns the environment in which it is found first."""
    with fleets.own_folder() as folder:
        folder.chmod(0o755)      # httpd's user must get there

        def make(script):
            program = folder / "apache2"
            program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            program.chmod(0o755)
            return {"PATH": f"{folder}:{os.environ['PATH']}"}

        yield make
