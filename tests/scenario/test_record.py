"""The record: whatever happens to the file, it is told, kept in memory and written when it can be; the fleet goes on."""
import json
import os
import signal
import sqlite3

import pytest

from fleet import HELLO, wait_until


def sweeps(fleet):
    return [row for row in fleet.history() if row["type"] == "sweep"]


def record_is(fleet, state):
    return lambda: fleet.status()["record"]["state"] == state


def test_sqlite_can_read_it(fleet_up):
    wait_until(lambda: sweeps(fleet_up), "a sweep is recorded")
    with sqlite3.connect(f"file:{fleet_up.state}/record.db?mode=ro", uri=True) as database:
        tables = {name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {"sweeps", "results", "incidents", "events"} <= tables
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM results").fetchone()[0] >= 2


def test_history_is_in_order(fleet_up):
    victim = fleet_up.ids()[0]
    os.killpg(fleet_up.pids()[victim], signal.SIGKILL)
    fleet_up.wait_event("restarted", instance=victim)
    fleet_up.down()
    times = [row.get("at") or row.get("timestamp") or row.get("opened") for row in fleet_up.history()]
    assert times == sorted(times)
    names = [event["event"] for event in fleet_up.events() if event["instance"] == victim]
    assert names[:3] == ["started", "died", "restarted"]
    assert names[-1] == "stopped"
    assert [event["event"] for event in fleet_up.events()][-1] == "down"


def test_a_death_stands_in_it_with_its_reason(fleet_up):
    victim = fleet_up.ids()[0]
    os.killpg(fleet_up.pids()[victim], signal.SIGSEGV)
    assert "killed by signal 11" in fleet_up.wait_event("died", instance=victim)["detail"]
    assert "killed by signal 11" in fleet_up.wait_event("restarted", instance=victim)["detail"]


def test_history_of_one_instance(fleet_up):
    one, other = fleet_up.ids()
    rows = wait_until(lambda: fleet_up.history("--instance", one), "it is recorded")
    assert not any(row["type"] == "event" and row["instance"] == other for row in rows)


def test_it_goes_on_over_down_and_up(fleet):
    for _ in range(2):
        fleet.up()
        fleet.down()
    assert len(fleet.events("started")) == 4
    assert len(fleet.events("down")) == 2


def cut_short(fleet):
    file = fleet.state / "record.db"
    os.truncate(file, file.stat().st_size // 2 + 100)


def test_cut_short_while_nothing_ran(fleet):
    fleet.up()
    wait_until(lambda: sweeps(fleet), "a sweep is recorded")
    fleet.down()
    for name in ("record.db-wal", "record.db-shm"):
        (fleet.state / name).unlink(missing_ok=True)
    cut_short(fleet)
    damaged = (fleet.state / "record.db").read_bytes()
    fleet.up()
    assert fleet.get() == (200, HELLO)
    wait_until(record_is(fleet, "failing"), "it says that the record can't be written")
    assert "record.db" in fleet.status()["record"]["error"]
    assert (fleet.state / "record.db").read_bytes() == damaged, "what may be saved from it is not touched"
    (fleet.state / "record.db").rename(fleet.state / "record.db.damaged")
    wait_until(record_is(fleet, "ok"), "a new one is begun", 40)
    assert fleet.events("started"), "what was kept in memory stands in it"


def test_of_another_program(fleet):
    fleet.state.mkdir(parents=True)
    file = fleet.state / "record.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE invoices (number INTEGER)")
    before = file.read_bytes()
    fleet.up()
    assert fleet.get() == (200, HELLO)
    wait_until(record_is(fleet, "failing"), "it says so")
    assert "record.db" in fleet.openbell("status").stdout
    victim = fleet.ids()[0]
    os.killpg(fleet.pids()[victim], signal.SIGKILL)
    fleet.wait_whole()
    assert file.read_bytes() == before
    done = fleet.openbell("history")
    assert done.returncode == 1 and "record.db" in done.stderr
    fleet.down()
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no database at all\n" * 200, bytes(8192)], ids=["empty", "text", "zeros"])
def test_no_database(fleet, content):
    fleet.state.mkdir(parents=True)
    (fleet.state / "record.db").write_bytes(content)
    fleet.up()
    assert fleet.get() == (200, HELLO)
    if content:
        wait_until(record_is(fleet, "failing"), "it says so")
        assert (fleet.state / "record.db").read_bytes() == content
    else:
        fleet.wait_event("started")


def test_deleted_while_it_runs(fleet_up):
    wait_until(lambda: sweeps(fleet_up), "a sweep is recorded")
    for file in fleet_up.state.glob("record.db*"):
        file.unlink()
    wait_until(lambda: (fleet_up.state / "record.db").exists() and sweeps(fleet_up), "the next sweep begins a new one")
    assert record_is(fleet_up, "ok")()


def test_cut_short_while_it_runs(fleet_up):
    wait_until(lambda: len(sweeps(fleet_up)) > 1, "sweeps are recorded")
    os.truncate(fleet_up.state / "record.db", 4096)
    wait_until(record_is(fleet_up, "failing"), "it says so", 30)
    assert fleet_up.get() == (200, HELLO)
    for file in fleet_up.state.glob("record.db*"):
        file.rename(f"{file}.damaged")
    wait_until(record_is(fleet_up, "ok"), "a new one is begun", 40)


def test_locked_by_somebody(fleet_up):
    """A person with sqlite3 in the middle of a transaction: nothing waits for them, and nothing is lost."""
    wait_until(lambda: sweeps(fleet_up), "a sweep is recorded")
    database = sqlite3.connect(fleet_up.state / "record.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        victim = fleet_up.ids()[0]
        os.killpg(fleet_up.pids()[victim], signal.SIGKILL)
        fleet_up.wait_whole()
    finally:
        database.close()
    fleet_up.wait_event("restarted", instance=victim)


def test_a_sweep_without_a_controller_is_recorded(fleet_up):
    wait_until(lambda: sweeps(fleet_up), "a sweep is recorded")
    fleet_up.kill_controller()
    before = len(sweeps(fleet_up))
    done = fleet_up.do("sweep", "--json")
    assert len(sweeps(fleet_up)) == before + 1
    recorded, told = (sorted(sweep["response"], key=lambda entry: entry["id"])
                      for sweep in (sweeps(fleet_up)[-1], json.loads(done.stdout)))
    assert recorded == told


def test_a_sweep_by_the_controller_is_recorded_once(make_fleet):
    fleet = make_fleet(monitor={"every": "1h"})
    fleet.up()
    fleet.do("sweep")
    wait_until(lambda: sweeps(fleet), "it is recorded")
    before = len(sweeps(fleet))
    fleet.do("sweep")
    wait_until(lambda: len(sweeps(fleet)) == before + 1, "and the next")


def test_a_failure_stands_in_the_sweep(make_fleet):
    """With what was done about it."""
    fleet = make_fleet(monitor={"restart": False, "replace_after": 100}, health={"every": "1h"})
    fleet.up()
    victim = fleet.instances()[0]
    os.killpg(victim["pid"], signal.SIGSTOP)
    done = fleet.openbell("sweep", "--json")
    [entry] = [entry for entry in json.loads(done.stdout)["response"] if entry["id"] == victim["id"]]
    assert (entry["code"], entry["result"], entry["reason"]) == (0, "Failed to get web content", "timeout")
    assert entry["action"] == "none"
