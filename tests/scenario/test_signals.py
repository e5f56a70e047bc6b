"""SIGTERM, SIGINT and SIGHUP to `run` and to the controller that `up` left, as the contract says, at any moment."""
import os
import pty
import select
import signal
import time

import pytest

from fleet import HELLO, OPENBELL, kill, wait_until


def test_sigterm_leaves_the_fleet_serving(fleet):
    process = fleet.run_up()
    before = fleet.pids()
    with fleet.load() as load:
        kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
        load.wait_more()
    load.assert_none_failed()
    assert fleet.pids() == before
    assert "the fleet goes on serving" in fleet.run_log()


def test_sigint_takes_down_what_this_run_brought_up(fleet):
    process = fleet.run_up()
    kill(process.pid, signal.SIGINT)
    assert process.wait(20) == 0
    assert fleet.processes() == {}
    assert not fleet.is_listening()


def test_sigint_leaves_what_was_there_before(fleet_up):
    before = fleet_up.pids()
    fleet_up.kill_controller()
    process = fleet_up.run_up()
    kill(process.pid, signal.SIGINT)
    assert process.wait(10) == 0
    assert fleet_up.pids() == before
    assert fleet_up.get() == (200, HELLO)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_controller_that_up_left(fleet_up, number):
    before = fleet_up.pids()
    controller = fleet_up.controller()
    kill(controller, number)
    wait_until(lambda: controller not in fleet_up.processes(), "it ends")
    assert fleet_up.pids() == before
    assert fleet_up.get() == (200, HELLO)


def test_sigint_twice(fleet):
    process = fleet.run_up()
    kill(process.pid, signal.SIGINT)
    kill(process.pid, signal.SIGINT)
    assert process.wait(20) == 0
    assert fleet.processes() == {}


def test_sigterm_while_it_goes_down(fleet):
    """It was told to take the fleet down, and does."""
    process = fleet.run_up()
    kill(process.pid, signal.SIGINT)
    kill(process.pid, signal.SIGTERM)
    assert process.wait(20) == 0
    fleet.down()
    fleet.assert_nothing_left()


def test_sighup_with_a_good_configuration(fleet_up):
    before = fleet_up.pids()
    fleet_up.configure(capacity={"open": 3})
    kill(fleet_up.controller(), signal.SIGHUP)
    wait_until(lambda: (fleet_up.is_whole() or {}).get("capacity", {}).get("in_service") == 3, "three are in service")
    assert before.items() < fleet_up.pids().items()


def test_sighup_with_a_bad_configuration(fleet):
    process = fleet.run_up()
    before = fleet.pids()
    good = fleet.file.read_text(encoding="utf-8")
    fleet.file.write_text("capacity: {open: 3}\nintervall: 5\n", encoding="utf-8")
    kill(process.pid, signal.SIGHUP)
    wait_until(lambda: "the one before goes on" in fleet.run_log(), "it says so")
    assert ':2:1: unknown key "intervall"' in fleet.run_log()
    fleet.file.write_text(good, encoding="utf-8")
    assert fleet.pids() == before
    assert fleet.is_whole()


def test_sighup_of_a_file_that_is_gone(fleet):
    process = fleet.run_up()
    fleet.file.rename(fleet.folder / "elsewhere.yaml")
    kill(process.pid, signal.SIGHUP)
    wait_until(lambda: "the one before goes on" in fleet.run_log(), "it says so")
    (fleet.folder / "elsewhere.yaml").rename(fleet.file)
    assert fleet.is_whole()


def test_many_sighups(fleet_up):
    controller = fleet_up.controller()
    with fleet_up.load() as load:
        for number in range(20):
            fleet_up.configure(capacity={"open": 2 + number % 2})
            kill(controller, signal.SIGHUP)
        load.wait_more()
    load.assert_none_failed()
    assert fleet_up.controller() == controller
    fleet_up.up()
    assert len(fleet_up.ids()) == 3


@pytest.mark.deadline(120)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name)
def test_at_any_moment_of_the_start(fleet, number):
    """Whatever it was about to do: it ends, and `down` finds all of it."""
    for delay_ms in (0, 3, 6, 10, 15, 25, 40, 60, 90, 130, 200, 300):
        with open(fleet.folder / "run.log", "a", encoding="utf-8") as log:
            process = fleet.start("run", stdout=log, stderr=log)
        time.sleep(delay_ms / 1000)
        kill(process.pid, number)
        if number == signal.SIGHUP:
            time.sleep(0.02)
            kill(process.pid, signal.SIGTERM)
        # Before its handlers are set up the signal ends it.
        assert process.wait(20) in (0, -number, -signal.SIGTERM), fleet.run_log()
        if number == signal.SIGINT and process.returncode == 0:
            assert fleet.processes() == {}, f"SIGINT after {delay_ms} ms"
        fleet.down()
        assert fleet.processes() == {}, f"{number.name} after {delay_ms} ms"
        assert not fleet.is_listening()


@pytest.mark.deadline(90)
def test_at_any_moment_of_the_end(fleet):
    """SIGKILL while it goes down; the next `down` ends the rest."""
    for delay_ms in (0, 5, 10, 20, 40, 80):
        process = fleet.run_up()
        kill(process.pid, signal.SIGINT)
        time.sleep(delay_ms / 1000)
        kill(process.pid)
        process.wait(10)
        fleet.down()
        assert fleet.processes() == {}, f"killed {delay_ms} ms after SIGINT"


def test_ctrl_c_on_a_terminal(fleet):
    """As a person would: the terminal sends SIGINT to all in front; httpd and HAProxy are not among them."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(OPENBELL, [OPENBELL, "run", "--config", str(fleet.file)])
    output = b""
    try:
        deadline = time.monotonic() + 20
        while b"is up: http://" not in output and time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.1)[0]:
                output += os.read(terminal, 65536)
        assert b"is up: http://" in output, output
        os.write(terminal, b"\x03")
        wait_until(lambda: fleet.processes() == {}, "all of it is gone")
    finally:
        kill(pid)
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
