"""up and down, from any state, and what they leave: everything, or nothing."""
import json
import os
import re
import signal
import time

import pytest

from fleet import HELLO, is_alive, wait_until


def test_up_serves_the_page_from_as_many_as_wanted(fleet):
    done = fleet.up()
    assert re.search(r"^web is up: 2 of 2 instances in service, in \S+ \S+\n" + re.escape(f"http://127.0.0.1:{fleet.port}/"),
                     done.stdout)
    assert fleet.get() == (200, HELLO)
    assert fleet.is_whole()


def test_down_leaves_nothing_running(fleet_up):
    done = fleet_up.down()
    assert re.match(r"web is down, in \S+ \S+\n", done.stdout)
    assert fleet_up.processes() == {}
    assert not fleet_up.is_listening()
    assert not list((fleet_up.state / "instances").iterdir())


def test_up_twice_changes_nothing(fleet_up):
    before = fleet_up.pids()
    fleet_up.up()
    assert fleet_up.pids() == before


def test_down_twice(fleet_up):
    fleet_up.down()
    assert fleet_up.openbell("down", "--yes").returncode == 0
    assert fleet_up.processes() == {}


def test_down_when_nothing_ever_ran(fleet):
    done = fleet.openbell("down", "--yes")
    assert done.returncode == 0, done.stderr
    assert not (fleet.folder / "state").exists()


def test_down_asks_for_the_name(fleet_up):
    done = fleet_up.openbell("down", input="another\n")
    assert done.returncode == 2
    assert "nothing was changed" in done.stderr
    assert fleet_up.is_whole()
    assert fleet_up.openbell("down", input="web\n").returncode == 0


def test_up_down_up_down(fleet):
    seen = set()
    for _ in range(2):
        fleet.up()
        ids = fleet.ids()
        assert len(ids) == 2 and not seen & set(ids), "an id was used again"
        seen.update(ids)
        fleet.down()


def test_up_while_down_runs(fleet_up):
    down = fleet_up.start("down", "--yes")
    wait_until(lambda: down.poll() is not None or not fleet_up.is_listening(), "down has begun")
    fleet_up.up()
    assert down.wait(30) == 0
    assert fleet_up.wait_whole()


def test_down_while_up_runs(fleet):
    up = fleet.start("up")
    wait_until(lambda: (fleet.state / "lock").exists(), "up has begun")
    fleet.down()
    up.wait(30)
    # Who asked last wins: it may be that up had begun anew after down.
    fleet.down()
    fleet.assert_nothing_left()


@pytest.mark.deadline(90)
def test_down_at_any_moment_of_up(fleet):
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
        up = fleet.start("up")
        time.sleep(delay)
        fleet.down()
        up.wait(30)
        fleet.down()
        fleet.assert_nothing_left()


def test_down_when_the_controller_is_dead(fleet_up):
    fleet_up.kill_controller()
    assert fleet_up.get() == (200, HELLO)
    fleet_up.down()
    fleet_up.assert_nothing_left()


def test_down_when_everything_was_killed(fleet_up):
    fleet_up.kill_everything()
    fleet_up.down()
    assert not list((fleet_up.state / "instances").iterdir())


def test_up_when_everything_was_killed(fleet_up):
    """What kill -9 left in the state folder (lock, sockets, instances) is not in the way."""
    before = fleet_up.ids()
    fleet_up.kill_everything()
    assert fleet_up.openbell("status").returncode == 3
    fleet_up.up()
    assert fleet_up.ids() == before
    assert fleet_up.get() == (200, HELLO)


def test_the_next_controller_adopts_what_runs(fleet_up):
    before = fleet_up.instances()
    with fleet_up.load() as load:
        fleet_up.kill_controller()
        load.wait_more()
        assert fleet_up.openbell("status").returncode == 0, "nobody watches, but the fleet serves"
        fleet_up.up()
        load.wait_more()
    load.assert_none_failed()
    after = fleet_up.instances()
    for key in ("id", "pid", "address"):
        assert [instance[key] for instance in after] == [instance[key] for instance in before]
    assert len(fleet_up.events("adopted")) == 2


def test_what_died_while_nobody_watched_comes_back(fleet_up):
    before = fleet_up.pids()
    victim = fleet_up.ids()[0]
    fleet_up.kill_controller()
    os.killpg(before[victim], signal.SIGKILL)
    wait_until(lambda: not is_alive(before[victim]), "it is dead")
    fleet_up.up()
    after = fleet_up.pids()
    assert set(after) == set(before)
    assert after[victim] != before[victim]
    other = next(id for id in before if id != victim)
    assert after[other] == before[other]


def test_a_worker_whose_leader_died_while_nobody_watched(fleet_up):
    """It still serves and holds the port; the next controller must not be stopped by that."""
    before = fleet_up.pids()
    victim = fleet_up.ids()[0]
    fleet_up.kill_controller()
    os.kill(before[victim], signal.SIGKILL)
    wait_until(lambda: not is_alive(before[victim]), "its leader is dead")
    fleet_up.up()
    assert set(fleet_up.pids()) == set(before)
    assert fleet_up.wait_whole()


def test_a_second_run_names_the_first(fleet):
    first = fleet.run_up()
    done = fleet.openbell("run")
    assert done.returncode == 5
    assert f"(pid {first.pid})" in done.stderr
    assert fleet.is_whole()


def test_run_while_up_holds_the_fleet(fleet_up):
    done = fleet_up.openbell("run")
    assert done.returncode == 5
    assert f"(pid {fleet_up.controller()})" in done.stderr


def test_up_beside_a_run_uses_its_controller(fleet):
    first = fleet.run_up()
    fleet.up()
    assert fleet.controller() == first.pid


def test_a_lock_file_that_nobody_holds(fleet):
    fleet.state.mkdir(parents=True)
    (fleet.state / "lock").write_text("4711\n", encoding="ascii")
    fleet.up()
    assert fleet.is_whole()


def test_two_fleets_in_one_state_folder(make_fleet, tmp_path):
    one = make_fleet(state=str(tmp_path / "state"), fleet="one")
    two = make_fleet(state=str(tmp_path / "state"), fleet="two")
    one.up()
    two.up()
    assert not {i["address"] for i in one.instances()} & {i["address"] for i in two.instances()}
    one.down()
    assert two.get() == (200, HELLO)
    assert two.is_whole()


def test_up_with_a_timeout(fleet, fake_httpd):
    """An httpd that does not listen is waited for as long as the person wants."""
    done = fleet.openbell("up", "--timeout", "1s", env=fake_httpd("exec sleep 1000"))
    assert done.returncode == 6
    assert "not up yet" in done.stderr


def test_instances_are_unprivileged_below_a_closed_folder(make_fleet, as_root, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    fleet = make_fleet(folder=home / "fleet")
    fleet.up()
    assert fleet.get() == (200, HELLO)
    seen = 0
    for pid, command in fleet.processes().items():
        if "apache2" in command.split()[0]:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                uids = re.search(r"^Uid:\s+(.*)$", file.read(), re.MULTILINE)[1].split()
            assert "0" not in uids, command
            seen += 1
    assert seen >= 4, "two leaders and their workers"


def test_the_balancer_is_unprivileged(fleet_up, as_root):
    with open(f"/proc/{fleet_up.balancer()}/status", encoding="utf-8") as file:
        assert "0" not in re.search(r"^Uid:\s+(.*)$", file.read(), re.MULTILINE)[1].split()


def test_an_ipv6_address(make_fleet):
    fleet = make_fleet(host="::1")
    done = fleet.up()
    assert f"http://[::1]:{fleet.port}/" in done.stdout
    assert fleet.get() == (200, HELLO)
    fleet.down()


@pytest.mark.parametrize("name", [
    pytest.param(b"with a space", id="space"),
    pytest.param("Börse, ein 'Name' mit \"Zeichen\" $HOME %d".encode(), id="utf8"),
    pytest.param(b"not\xffutf8\xfe", id="not-utf8"),
    pytest.param(b"/".join([b"d" * 60] * 4), id="long"),
])
def test_any_path(make_fleet, tmp_path, name):
    """Site and state in it; longer than a socket's address may be, and names that are no text."""
    fleet = make_fleet(folder=tmp_path / os.fsdecode(name))
    fleet.do("up", "--timeout", "10s")
    assert fleet.get() == (200, HELLO)
    victim = fleet.ids()[0]
    os.killpg(fleet.pids()[victim], signal.SIGKILL)
    fleet.wait_event("restarted", instance=victim)
    fleet.up()
    fleet.down()
    fleet.assert_nothing_left()


def test_without_a_configuration_hello_world_is_served(make_fleet, tmp_path):
    fleet = make_fleet(site=None)
    fleet.up()
    assert fleet.get() == (200, HELLO)


def test_json_of_up_and_down(fleet):
    document = json.loads(fleet.do("up", "--json").stdout)
    assert document["schema"] == 1 and document["capacity"]["in_service"] == 2
    assert json.loads(fleet.do("down", "--yes", "--json").stdout) == {"schema": 1, "fleet": "web", "down": True}
