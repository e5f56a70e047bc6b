"""What a person and a program see of a fleet that is up: shapes, exit statuses, terminals and pipes."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from fleet import HELLO, OPENBELL, kill, wait_until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
ID = re.compile(r"web-[0-9a-f]{8}")


class Text:
    """A string, all of which matches."""

    def __init__(self, pattern):
        self.pattern = re.compile(pattern)

    def __repr__(self):
        return f"text like {self.pattern.pattern}"


AT = Text(TIME.pattern)
INSTANCE = Text(ID.pattern)
CHECK = {"at": AT, "code": int, "result": str, "reason": str, "ssh": None, "latency_ms": (float, None)}
STATUS = {
    "schema": 1, "fleet": "web", "provider": "local", "url": Text(r"http://127\.0\.0\.1:\d+/"),
    "market": {"calendar": "always", "open": True, "until": None, "override": None},
    "capacity": {"desired": 2, "in_service": int, "min": 1, "max": 4},
    "instances": [{"id": INSTANCE, "address": Text(r"127\.0\.[1-4]\.\d+:8090"), "pid": (int, None),
                   "state": Text("pending|in-service|unhealthy|draining|terminating"), "since": AT,
                   "check": (CHECK, None)}],
    "last_sweep": ({"at": AT, "instances": int, "failed": int, "duration_ms": float}, None),
    "archive": dict, "incidents": list,
}
SWEEP = {
    "schema": 1, "type": "sweep", "timestamp": AT, "market": "open", "duration_ms": float,
    "response": [{"id": INSTANCE, "ip": Text(r"127\.0\.[1-4]\.\d+"), "code": int, "result": str, "reason": str, "ssh": None,
                  "latency_ms": (float, None), "action": Text("none|restarted|replaced|braked")}],
}
EVENT = {"schema": 1, "type": "event", "at": AT, "event": str, "instance": (INSTANCE, None), "detail": (str, None)}


def mismatch(value, shape, where="$"):
    """What of a JSON value is not as the shape says, or None.  A tuple: one of several.  More keys than named are fine."""
    if isinstance(shape, tuple):
        found = [mismatch(value, each, where) for each in shape]
        return None if None in found else found[0]
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{where} is {value!r}, not an object"
        for key, inner in shape.items():
            problem = f"{where} has no {key}" if key not in value else mismatch(value[key], inner, f"{where}.{key}")
            if problem:
                return problem
        return None
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is {value!r}, not a list"
        problems = [mismatch(item, shape[0], f"{where}[{i}]") for i, item in enumerate(value)]
        return next((problem for problem in problems if problem), None)
    if isinstance(shape, Text):
        return None if isinstance(value, str) and shape.pattern.fullmatch(value) else f"{where} is {value!r}, not {shape}"
    if shape is float:
        return None if isinstance(value, (int, float)) and not isinstance(value, bool) else f"{where} is {value!r}, no number"
    if isinstance(shape, type):
        return None if type(value) is shape else f"{where} is {value!r}, not {shape.__name__}"
    return None if value == shape and type(value) is type(shape) else f"{where} is {value!r}, not {shape!r}"


def assert_shape(value, shape):
    problem = mismatch(value, shape)
    assert problem is None, problem


def document(done):
    """One document on standard output, and nothing else."""
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout
    return json.loads(lines[0])


# JSON and exit statuses.


def test_the_shape_checker_can_fail():
    assert mismatch({"a": 1}, {"a": 1}) is None
    assert mismatch({"a": 1}, {"b": int}) == "$ has no b"
    assert mismatch({"a": True}, {"a": int}) is not None
    assert mismatch([{"a": "x"}], [{"a": Text("y")}]) == "$[0].a is 'x', not text like y"
    assert mismatch(None, ({"a": 1}, None)) is None


def test_status(quiet_fleet):
    wait_until(lambda: quiet_fleet.status()["last_sweep"], "a sweep")
    done = quiet_fleet.do("status", "--json")
    status = document(done)
    assert_shape(status, STATUS)
    assert done.stderr == ""
    assert status["capacity"]["in_service"] == len(status["instances"]) == 2
    check = status["instances"][0]["check"]
    assert (check["code"], check["result"], check["reason"]) == (200, "success", "ok")
    for instance in status["instances"]:
        assert os.path.exists(f"/proc/{instance['pid']}")


def test_status_for_people(quiet_fleet):
    text = quiet_fleet.do("status").stdout
    assert f"http://127.0.0.1:{quiet_fleet.port}/" in text
    assert "2 of 2 in service" in text
    for id in quiet_fleet.ids():
        assert re.search(rf"^{id} +127\.0\.\S+ +\d+ +in-service +.* ok 200 +\d+\.\d ms$", text, re.MULTILINE), text
    assert max(map(len, text.splitlines())) <= 100


def test_sweep(quiet_fleet):
    sweep = document(quiet_fleet.do("sweep", "--json"))
    assert_shape(sweep, SWEEP)
    assert {entry["id"] for entry in sweep["response"]} == set(quiet_fleet.ids())
    assert all(entry["result"] == "success" and entry["action"] == "none" for entry in sweep["response"])


def test_sweep_for_people(quiet_fleet):
    text = quiet_fleet.do("sweep").stdout
    assert all(id in text for id in quiet_fleet.ids())
    assert re.search(r"^2 checked, 0 failed, in \d+\.\d ms$", text, re.MULTILINE)


def test_history(quiet_fleet):
    quiet_fleet.do("sweep")
    wait_until(lambda: any(row["type"] == "sweep" for row in quiet_fleet.history()), "a sweep is recorded")
    rows = quiet_fleet.history()
    for row in rows:
        assert row["type"] in ("sweep", "event", "incident")
        assert_shape(row, SWEEP if row["type"] == "sweep" else EVENT if row["type"] == "event" else {})
    assert {"started"} <= {row.get("event") for row in rows}


def test_status_of_nothing(fleet):
    done = fleet.openbell("status", "--json")
    assert done.returncode == 3
    status = document(done)
    assert_shape(status, STATUS)
    assert status["instances"] == [] and status["last_sweep"] is None and status["capacity"]["in_service"] == 0
    assert "nothing is up: start it with `openbell up`" in fleet.openbell("status").stdout
    assert not fleet.state.exists(), "to look changes nothing"


def test_sweep_of_nothing(fleet):
    done = fleet.openbell("sweep", "--json")
    assert done.returncode == 3
    sweep = document(done)
    assert_shape(sweep, SWEEP)
    assert sweep["response"] == []


def test_history_of_nothing(fleet):
    done = fleet.openbell("history", "--json")
    assert (done.returncode, done.stdout) == (0, "")
    assert not fleet.state.exists()


def test_without_a_controller(fleet_up):
    fleet_up.kill_controller()
    done = fleet_up.openbell("status", "--json")
    assert done.returncode == 0
    assert_shape(document(done), STATUS)
    assert "no controller runs" in fleet_up.openbell("status").stdout
    assert fleet_up.openbell("sweep", "--json").returncode == 0


@pytest.mark.parametrize("watched", [True, False], ids=["watched", "alone"])
def test_fewer_than_min(make_fleet, watched):
    fleet = make_fleet(capacity={"open": 2, "min": 2}, monitor={"restart": False, "replace_after": 100}, health={"every": "1h"})
    fleet.up()
    os.killpg(fleet.instances()[0]["pid"], signal.SIGSTOP)
    if not watched:
        fleet.kill_controller()
    done = fleet.openbell("sweep", "--json")
    assert done.returncode == 3, done.stdout
    assert [entry["reason"] for entry in document(done)["response"]] == ["timeout", "ok"]
    if watched:
        assert fleet.openbell("status").returncode == 3
        assert fleet.status()["instances"][0]["state"] == "unhealthy"


def test_a_restart_keeps_the_id(fleet_up):
    """New pid, new `since`."""
    before = fleet_up.instances()[0]
    os.killpg(before["pid"], signal.SIGKILL)
    fleet_up.wait_event("restarted", instance=before["id"])
    after = fleet_up.wait_whole()["instances"][0]
    assert after["id"] == before["id"] and after["address"] == before["address"]
    assert after["pid"] != before["pid"] and after["since"] > before["since"]


# What is served.


@pytest.mark.parametrize("path", ["/.git/config", "/.htaccess", "/.env", "/sub/.hidden", "/%2egit/config"])
def test_hidden_files_are_nobodys_to_see(quiet_fleet, path):
    site = quiet_fleet.write_site()
    for name in (".git/config", ".htaccess", ".env", "sub/.hidden", ".well-known/security.txt"):
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text("secret\n", encoding="ascii")
    quiet_fleet.up()
    assert quiet_fleet.get("/.well-known/security.txt") == (200, "secret\n")
    assert quiet_fleet.get(path)[0] in (403, 404)


def test_no_way_out_of_the_site(quiet_fleet):
    for path in ("/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd"):
        assert quiet_fleet.get(path)[0] in (400, 403, 404), path


def test_head_and_post(quiet_fleet):
    assert quiet_fleet.get(method="HEAD") == (200, "")
    assert quiet_fleet.get(method="TRACE")[0] in (405, 501)


# Pipes and terminals.


def on_terminal(*arguments, until=None, seconds=20, **environment):
    """What openbell prints on a terminal, and its exit status; `until` is there, it is ended."""
    variables = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    variables.update(environment, TERM="xterm")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(OPENBELL, [OPENBELL, *map(str, arguments)], variables)
    output = b""
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline and (until is None or until not in output):
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    piece = os.read(terminal, 65536)
                except OSError:
                    break
                output += piece
    finally:
        if until is not None or time.monotonic() >= deadline:
            kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    return output.decode(errors="replace"), os.waitstatus_to_exitcode(status)


def test_progress_is_plain_lines_in_a_file(fleet):
    done = fleet.up()
    assert "\033" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    assert re.search(r"^web-[0-9a-f]{8} started: 127\.0\.", done.stderr, re.MULTILINE)


def test_progress_shows_the_time_on_a_terminal(fleet, fake_httpd):
    text, status = on_terminal("up", "--timeout", "1500ms", "--config", fleet.file, **fake_httpd("exec sleep 1000"))
    assert status == 6, text
    assert re.search(r"bringing web up … 1\.\d s", text), text
    assert text.endswith("\n")


def test_quiet(fleet):
    done = fleet.do("up", "--quiet")
    assert done.stderr == ""
    done = fleet.do("down", "--yes", "--quiet")
    assert done.stderr == ""


def test_colour_on_a_terminal_alone(quiet_fleet):
    arguments = ["deploy", quiet_fleet.folder / "nowhere", "--config", quiet_fleet.file]
    colour = re.compile(r"\033\[[0-9;]*m")
    assert colour.search(on_terminal(*arguments)[0])
    assert not colour.search(on_terminal(*arguments, NO_COLOR="1")[0])
    assert not colour.search(quiet_fleet.openbell(*arguments[:2]).stderr)


def test_a_reader_that_leaves(quiet_fleet):
    """`openbell status | head -1`"""
    for verb in (["status"], ["history", "--json"], ["status", "--json"]):
        command = " ".join([OPENBELL, *verb, "--config", str(quiet_fleet.file)]) + " | head -1"
        done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False, timeout=20)
        assert done.stdout.count("\n") == 1
        assert done.stderr == ""


@pytest.mark.parametrize("verb", [["status"], ["status", "--json"], ["history"], ["history", "--json"], ["config"]], ids=" ".join)
def test_a_reader_that_has_left_before(quiet_fleet, verb):
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([OPENBELL, *verb, "--config", quiet_fleet.file], stdout=write_end, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=20)
    os.close(write_end)
    assert done.stderr == ""
    assert done.returncode in (0, -signal.SIGPIPE)


def test_status_watch(quiet_fleet):
    text, _ = on_terminal("status", "--watch", "--config", quiet_fleet.file, until=b"in service (min 1, max 4)")
    assert "2 of 2 in service" in text


def test_status_watch_ends_when_nobody_reads(quiet_fleet):
    command = f"{OPENBELL} status --watch --json --config {quiet_fleet.file} | head -2"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=20)
    for line in done.stdout.splitlines():
        assert_shape(json.loads(line), STATUS)
    assert done.stdout.count("\n") == 2


def test_output_that_can_not_be_written(quiet_fleet):
    """A full disk under `> file` is a failure, not a success."""
    for verb in (["status"], ["status", "--json"], ["sweep"], ["history"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([OPENBELL, *verb, "--config", quiet_fleet.file], stdout=full, stderr=subprocess.PIPE,
                                  check=False, timeout=20)
        assert done.returncode == 1, verb


@pytest.mark.parametrize("arguments", [["up", "now"], ["down", "--maybe"], ["status", "--often"], ["sweep", "all"], ["deploy"],
                                       ["up", "--timeout", "soon"], ["up", "--timeout"], ["frobnicate"]])
def test_words_that_are_not_understood(fleet, arguments):
    done = fleet.openbell(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--help" in done.stderr or "takes a duration" in done.stderr
    assert not fleet.state.exists()


@pytest.mark.parametrize("verb", ["up", "down", "run", "status", "sweep", "history", "deploy"])
def test_a_bad_configuration(fleet, verb):
    fleet.file.write_text("intervall: 5\n", encoding="utf-8")
    done = fleet.openbell(verb, *([fleet.folder] if verb == "deploy" else []))
    assert done.returncode == 2
    assert f'{fleet.file}:1:1: unknown key "intervall"' in done.stderr
    fleet.configure()


def test_what_is_not_built_yet_is_refused(make_fleet):
    fleet = make_fleet(provider="hosts", hosts=[{"address": "127.0.0.1"}])
    done = fleet.openbell("up")
    assert done.returncode == 2
    assert "not built yet" in done.stderr
    fleet.configure(provider="local", hosts=None)


def test_hello(quiet_fleet):
    assert quiet_fleet.get() == (200, HELLO)
