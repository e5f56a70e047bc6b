"""What is broken, missing or killed: the fleet is healed, or a person is told what to do."""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from fleet import HELLO, OPENBELL, fill, group_of, is_alive, is_root, kill, own_folder, wait_until


def error_of(fleet, *arguments, status=1, **options):
    """What a verb that must fail says; and nothing may run after it."""
    done = fleet.openbell(*arguments, **options)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


# Before there is a fleet.


@pytest.mark.parametrize("verb", ["up", "run"])
def test_port_taken(fleet, verb):
    name = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    with socket.create_server(("127.0.0.1", fleet.port)):
        error = error_of(fleet, verb)
        assert f"127.0.0.1:{fleet.port} is taken by {name} (pid {os.getpid()}): stop it or set `listen`" in error
    fleet.assert_nothing_left()
    fleet.up()


def test_port_taken_on_all_addresses(fleet):
    with socket.create_server(("0.0.0.0", fleet.port)):
        assert f"(pid {os.getpid()}): stop it or set `listen`" in error_of(fleet, "up")


def test_port_of_another_fleet(fleet_up, make_fleet):
    other = make_fleet(listen=fleet_up.settings["listen"])
    error = error_of(other, "up")
    assert f"is taken by haproxy (pid {fleet_up.balancer()})" in error
    assert fleet_up.is_whole()
    other.port = 0      # it never had one


def test_not_an_address_of_this_machine(make_fleet):
    fleet = make_fleet(listen="203.0.113.7:8080")
    assert "203.0.113.7:8080 is not an address of this machine" in error_of(fleet, "up")


def test_site_missing(make_fleet):
    fleet = make_fleet(site="nowhere")
    error = error_of(fleet, "up")
    assert f"{fleet.folder}/nowhere does not exist: make it, or set `site`" in error
    fleet.assert_nothing_left()
    fleet.write_site(folder="nowhere")
    fleet.up()
    assert fleet.get() == (200, HELLO)


def test_site_is_a_file(make_fleet):
    fleet = make_fleet(site="site/index.html")
    assert "index.html is not a folder: name the folder that holds index.html" in error_of(fleet, "up")
    fleet.assert_nothing_left()


def test_site_empty(fleet):
    """httpd runs and has nothing to say: nobody must be told that the fleet is up."""
    (fleet.folder / "site/index.html").unlink()
    error = error_of(fleet, "up")
    assert "is there an index.html in the site" in error
    fleet.write_site()
    fleet.up()
    assert fleet.get() == (200, HELLO)


def test_site_with_a_device(fleet, as_root):
    os.mknod(fleet.folder / "site/disk", 0o600 | 0o060000, os.makedev(7, 200))
    assert "site/disk is neither a file nor a folder nor a link" in error_of(fleet, "up")


@pytest.fixture
def nobody():
    """(a folder of theirs, the words in front of a command that make it theirs)"""
    if not is_root():
        with own_folder() as folder:
            yield folder, ()
        return
    wrapper = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if subprocess.run([*wrapper, OPENBELL, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("another user can't run this openbell")
    with own_folder() as folder:
        os.chown(folder, 65534, 65534)
        yield folder, wrapper


def give(path):
    """To nobody, with all that is in it."""
    if is_root():
        subprocess.run(["chown", "-R", "65534:65534", path], check=True)


def test_as_an_ordinary_user(nobody, make_fleet):
    folder, wrapper = nobody
    fleet = make_fleet(folder / "fleet")
    give(folder)
    fleet.do("up", wrapper=wrapper)
    assert fleet.get() == (200, HELLO)
    victim = fleet.ids()[0]
    os.killpg(fleet.pids()[victim], signal.SIGKILL)
    fleet.wait_event("restarted", instance=victim)
    fleet.do("down", "--yes", wrapper=wrapper)
    fleet.assert_nothing_left()


@pytest.mark.parametrize("name", ["site", "site/index.html"])
def test_site_unreadable(nobody, make_fleet, name):
    folder, wrapper = nobody
    fleet = make_fleet(folder / "fleet")
    give(folder)
    (fleet.folder / name).chmod(0)
    error = error_of(fleet, "up", wrapper=wrapper)
    assert str(fleet.folder / name) in error and "can't be read" in error
    (fleet.folder / name).chmod(0o755)


def test_state_folder_not_writable(nobody, make_fleet):
    folder, wrapper = nobody
    fleet = make_fleet(folder / "fleet")
    give(folder)
    (fleet.folder / "state").mkdir(mode=0o555)
    error = error_of(fleet, "up", wrapper=wrapper)
    assert f"{fleet.folder}/state/web can't be written: Permission denied" in error
    assert "make it writable, or name another folder with `state`" in error


def test_state_folder_is_a_file(fleet):
    (fleet.folder / "state").write_text("", encoding="ascii")
    assert "name another folder with `state`" in error_of(fleet, "up")


def test_state_folder_of_another_users_controller(nobody, make_fleet, as_root):
    """Who may not speak with the controller is told so."""
    folder, wrapper = nobody
    fleet = make_fleet(folder / "fleet")
    fleet.up()
    for verb in (["status"], ["down", "--yes"], ["up"], ["deploy", fleet.folder / "site"]):
        done = fleet.openbell(*verb, wrapper=wrapper)
        assert done.returncode == 1, (verb, done.stdout, done.stderr)
        assert done.stderr.strip(), verb
    assert fleet.is_whole()


@pytest.mark.parametrize("program, package", [("apache2", "apache2-bin"), ("haproxy", "haproxy")])
def test_not_installed(fleet, as_root, program, package):
    hide = ("unshare", "--mount", "sh", "-c", f'mount --bind /dev/null /usr/sbin/{program} && exec "$@"', "sh")
    error = error_of(fleet, "up", wrapper=hide)
    assert f"is not installed: apt-get install {package}" in error
    fleet.assert_nothing_left()


@pytest.mark.parametrize("program", ["apache2", "haproxy"])
def test_down_without_what_was_uninstalled(fleet_up, as_root, program):
    hide = ("unshare", "--mount", "sh", "-c", f'mount --bind /dev/null /usr/sbin/{program} && exec "$@"', "sh")
    fleet_up.kill_controller()
    fleet_up.do("down", "--yes", wrapper=hide)
    fleet_up.assert_nothing_left()


def test_a_broken_module(fleet, as_root):
    """The real httpd, which says what is wrong and exits."""
    broken = ("unshare", "--mount", "sh", "-c",
              'mount --bind /dev/null /usr/lib/apache2/modules/mod_dir.so && exec "$@"', "sh")
    error = error_of(fleet, "up", wrapper=broken)
    assert "mod_dir.so" in error
    fleet.down()
    fleet.up()


def test_httpd_that_exits_at_once(fleet, fake_httpd):
    environment = fake_httpd("echo 'the reason why' >&2; exit 3")
    error = error_of(fleet, "up", env=environment)
    assert "exit status 3: the reason why" in error
    assert "openbell goes on trying; `openbell down` ends that" in error
    assert fleet.openbell("status").returncode == 3
    fleet.down()
    fleet.assert_nothing_left()


def test_httpd_that_is_no_program(fleet, fake_httpd):
    environment = fake_httpd("")
    Path(environment["PATH"].split(":")[0], "apache2").write_bytes(b"\x7fELF and then nothing")
    assert "apache2: Exec format error" in error_of(fleet, "up", env=environment)


def test_haproxy_that_exits_at_once(fleet, fake_httpd):
    environment = fake_httpd("exit 1")
    folder = Path(environment["PATH"].split(":")[0])
    (folder / "apache2").rename(folder / "haproxy")
    error = error_of(fleet, "up", env=environment)
    assert "HAProxy did not start (exit status 1)" in error
    fleet.down()
    assert fleet.processes() == {}


# The disk.


def test_state_on_a_full_disk(fleet, as_root):
    disk = fleet.small_disk("1m")
    ballast = fill(disk)
    error = error_of(fleet, "up")
    assert "No space left on device" in error
    assert str(disk) in error
    ballast.unlink()
    fleet.up()
    assert fleet.get() == (200, HELLO)


def test_disk_that_fills_up(fleet, as_root):
    """Served and healed on, the record waits in memory; down works, too."""
    disk = fleet.small_disk("4m")
    fleet.up()
    ballast = fill(disk)

    def is_waiting():
        record = fleet.status()["record"]
        return record["state"] == "failing" and record["pending"] > 0 and "can't be written" in fleet.openbell("status").stdout

    wait_until(is_waiting, "the record waits in memory")
    victim = fleet.ids()[0]
    before = fleet.pids()[victim]
    os.killpg(before, signal.SIGKILL)
    wait_until(lambda: fleet.is_whole() and before not in fleet.pids().values(), "it is healed")
    assert fleet.get() == (200, HELLO)
    ballast.unlink()
    wait_until(lambda: fleet.status()["record"]["state"] == "ok", "the record is written again", 30)
    fleet.wait_event("died", instance=victim)


def test_down_on_a_full_disk(fleet, as_root):
    disk = fleet.small_disk("4m")
    fleet.up()
    fill(disk)
    fleet.down()
    fleet.assert_nothing_left()


# Once there is one.


def test_leader_killed(fleet_up):
    """Its worker stays and holds the port."""
    before = fleet_up.instances()
    with fleet_up.load() as load:
        kill(before[0]["pid"])
        fleet_up.wait_event("restarted", instance=before[0]["id"])
        load.wait_more()
    load.assert_none_failed()
    after = fleet_up.wait_whole()["instances"]
    assert [i["id"] for i in after] == [i["id"] for i in before]
    assert after[0]["pid"] != before[0]["pid"]
    assert after[0]["since"] > before[0]["since"]
    assert after[1]["pid"] == before[1]["pid"]
    assert fleet_up.events("died")[0]["detail"] == "killed by signal 9"


def test_whole_group_killed(fleet_up):
    before = fleet_up.pids()
    victim = fleet_up.ids()[1]
    with fleet_up.load() as load:
        os.killpg(before[victim], signal.SIGKILL)
        fleet_up.wait_event("restarted", instance=victim)
        load.wait_more()
    load.assert_none_failed()
    assert set(fleet_up.pids()) == set(before)


def test_worker_killed(fleet_up):
    """Its leader starts another one, or openbell is quicker."""
    before = fleet_up.ids()
    worker = group_of(fleet_up.instances()[0]["pid"])[1]
    with fleet_up.load() as load:
        kill(worker)
        wait_until(lambda: not is_alive(worker), "it is dead")
        load.wait_more()
        wait_until(lambda: fleet_up.is_whole() and all(len(group_of(pid)) >= 2 for pid in fleet_up.pids().values()),
                   "each instance has a worker")
        load.wait_more()
    load.assert_none_failed()
    assert fleet_up.ids() == before


def test_all_httpd_killed(fleet_up):
    before = fleet_up.pids()
    for pid in before.values():
        os.killpg(pid, signal.SIGKILL)
    wait_until(lambda: fleet_up.is_whole() and not set(before.values()) & set(fleet_up.pids().values()), "both are back")
    assert set(fleet_up.pids()) == set(before)
    assert fleet_up.get() == (200, HELLO)


def test_httpd_asked_to_end(fleet_up):
    """A SIGTERM from somebody else is a death as well."""
    victim = fleet_up.instances()[0]
    kill(victim["pid"], signal.SIGTERM)
    fleet_up.wait_event("restarted", instance=victim["id"])


def test_httpd_that_keeps_dying(fleet, fake_httpd):
    """It is started with growing pauses, and is well again when what ails it is over."""
    environment = fake_httpd('folder=$(dirname "$0"); echo >> "$folder/starts"; test ! -e "$folder/broken" || exit 1\n'
                             'exec /usr/sbin/apache2 "$@"')
    folder = Path(environment["PATH"].split(":")[0])
    starts = folder / "starts"
    starts.touch(mode=0o666)
    starts.chmod(0o666)
    fleet.up(env=environment)
    (folder / "broken").touch()
    for pid in fleet.pids().values():
        os.killpg(pid, signal.SIGKILL)
    before = len(starts.read_text(encoding="ascii"))
    began = time.monotonic()
    fleet.wait_event("backing-off")
    wait_until(lambda: time.monotonic() - began > 4, "four seconds of it")
    count = len(starts.read_text(encoding="ascii")) - before
    assert 4 <= count <= 24, f"{count} starts of two instances in four seconds"
    (folder / "broken").unlink()
    fleet.wait_whole()
    assert fleet.get() == (200, HELLO)


def test_haproxy_killed(fleet_up):
    before = fleet_up.pids()
    balancer = fleet_up.balancer()
    began = time.monotonic()
    kill(balancer)
    wait_until(fleet_up.serves, "the page is served again", 5)
    assert time.monotonic() - began < 2
    assert fleet_up.balancer() != balancer
    fleet_up.wait_whole()
    assert fleet_up.pids() == before
    assert fleet_up.wait_event("balancer-died")["detail"] == "killed by signal 9"
    fleet_up.wait_event("balancer-started")


def test_haproxy_killed_again_and_again(fleet_up):
    for _ in range(4):
        balancer = fleet_up.balancer()
        kill(balancer)
        wait_until(lambda: fleet_up.serves() and fleet_up.balancer() != balancer, "the next balancer serves")


def test_everything_but_the_controller_killed(fleet_up):
    before = fleet_up.ids()
    controller = fleet_up.controller()
    for pid in fleet_up.processes():
        if pid != controller:
            kill(pid)
    fleet_up.wait_event("balancer-started")
    fleet_up.wait_whole()
    assert fleet_up.ids() == before
    assert fleet_up.get() == (200, HELLO)
    assert fleet_up.controller() == controller


def test_httpd_that_hangs(make_fleet):
    """No request is lost: those that the hung one has are given to another."""
    fleet = make_fleet(capacity={"open": 3})
    fleet.up()
    victim = fleet.instances()[0]
    with fleet.load() as load:
        os.killpg(victim["pid"], signal.SIGSTOP)
        fleet.wait_event("failing", instance=victim["id"])
        wait_until(lambda: not is_alive(victim["pid"]), "the one that hangs is ended")
        fleet.wait_whole()
        load.wait_more()
    load.assert_none_failed()


def test_httpd_that_hangs_and_goes_on(fleet_up):
    """However far openbell came in between, the fleet is whole."""
    victim = fleet_up.instances()[0]["pid"]
    os.killpg(victim, signal.SIGSTOP)
    fleet_up.wait_event("failing")
    if is_alive(victim):
        os.killpg(victim, signal.SIGCONT)
    fleet_up.wait_whole()


def test_haproxy_that_hangs(fleet_up):
    before = fleet_up.pids()
    balancer = fleet_up.balancer()
    kill(balancer, signal.SIGSTOP)
    wait_until(lambda: not is_alive(balancer), "it is ended")
    wait_until(fleet_up.serves, "the page is served again")
    fleet_up.wait_whole()
    assert fleet_up.pids() == before


def test_down_when_haproxy_hangs(fleet_up):
    kill(fleet_up.balancer(), signal.SIGSTOP)
    fleet_up.down()
    fleet_up.assert_nothing_left()


def test_down_when_haproxy_hangs_and_nobody_watches(fleet_up):
    fleet_up.kill_controller()
    kill(fleet_up.balancer(), signal.SIGSTOP)
    fleet_up.down()
    fleet_up.assert_nothing_left()


def test_up_when_haproxy_hangs_and_nobody_watches(fleet_up):
    fleet_up.kill_controller()
    kill(fleet_up.balancer(), signal.SIGSTOP)
    fleet_up.up()
    assert fleet_up.get() == (200, HELLO)


def test_haproxy_that_never_answers(fleet, fake_httpd):
    environment = fake_httpd("exec sleep 1000")
    folder = Path(environment["PATH"].split(":")[0])
    (folder / "apache2").rename(folder / "haproxy")
    assert "HAProxy did not start (no answer on its socket)" in error_of(fleet, "up", env=environment)
    fleet.assert_nothing_left()


def test_down_when_httpd_hangs(fleet_up):
    for pid in fleet_up.pids().values():
        os.killpg(pid, signal.SIGSTOP)
    fleet_up.down()
    fleet_up.assert_nothing_left()


def test_controller_that_hangs(fleet_up):
    """Nobody can speak with it, and each verb says so in time."""
    controller = fleet_up.controller()
    kill(controller, signal.SIGSTOP)
    done = fleet_up.openbell("status")
    assert done.returncode == 1 and "does not answer" in done.stderr
    assert fleet_up.openbell("down", "--yes", "--timeout", "1s").returncode == 6
    assert fleet_up.openbell("up", "--timeout", "1s").returncode == 6
    assert fleet_up.get() == (200, HELLO)
    kill(controller, signal.SIGCONT)


def test_answers_wrongly_everywhere(fleet_up):
    """The content or the check is wrong, not the instances: what serves is kept, however long that lasts."""
    before = fleet_up.pids()
    fleet_up.configure(monitor={"http": {"body": "not to be found"}})
    with fleet_up.load() as load:
        kill(fleet_up.controller(), signal.SIGHUP)
        fleet_up.wait_event("braked")
        began = len([row for row in fleet_up.history() if row["type"] == "sweep"])
        wait_until(lambda: len([row for row in fleet_up.history() if row["type"] == "sweep"]) > began + 2, "more sweeps")
        assert set(before) <= set(fleet_up.ids())
        assert {id: pid for id, pid in fleet_up.pids().items() if id in before} == before
        assert fleet_up.openbell("status").returncode == 3
        fleet_up.configure(monitor={"http": {"body": "Hello"}})
        kill(fleet_up.controller(), signal.SIGHUP)
        fleet_up.wait_whole()
        load.wait_more()
    load.assert_none_failed()


def test_one_that_answers_wrongly_is_replaced(make_fleet):
    """Its own fault: restarted once, then replaced, and nobody notices."""
    fleet = make_fleet(capacity={"open": 3}, monitor={"replace_after": 3})
    fleet.up()
    before = fleet.ids()
    victim = before[0]
    link = fleet.state / "instances" / victim / "site"
    with fleet.load() as load:
        link.unlink()
        link.symlink_to("nowhere")
        fleet.wait_event("stopped", instance=victim)
        fleet.wait_whole()
        load.wait_more()
    after = fleet.ids()
    assert victim not in after and len(after) == 3
    assert set(before[1:]) < set(after)
    [replaced] = fleet.events("replaced")
    assert replaced["instance"] in after and victim in replaced["detail"]
