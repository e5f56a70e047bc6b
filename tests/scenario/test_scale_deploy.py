"""More, fewer, and other content, without a request that fails."""
import http.client
import os
import signal

import pytest

from fleet import free_port, kill, wait_until

A = "<h1>A</h1>\n"
B = "<h1>B</h1>\n"
LARGE = 8 * 1024 * 1024


@pytest.fixture
def fleet_of(make_fleet):
    """A function that brings up a fleet of so many that serve A; B lies in the folder `b`."""
    def bring_up(count, **settings):
        fleet = make_fleet(capacity={"open": count, "max": 6}, **settings)
        fleet.write_site(A)
        fleet.write_site(B, "b")
        fleet.up()
        return fleet
    return bring_up


def page_of(instance):
    """What it serves, asked without the balancer."""
    host, port = instance["address"].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_more_and_fewer(fleet_of):
    fleet = fleet_of(2)
    first = fleet.pids()
    with fleet.load() as load:
        fleet.configure(capacity={"open": 4})
        fleet.up()
        more = fleet.pids()
        assert len(more) == 4 and first.items() <= more.items(), "those that were there are left alone"
        fleet.configure(capacity={"open": 1})
        fleet.up()
        fewer = fleet.pids()
        assert len(fewer) == 1 and fewer.items() <= more.items()
        load.wait_more()
    load.assert_none_failed()
    assert len(fleet.events("drained")) == 3
    assert len(fleet.events("stopped")) == 3


def test_ids_are_never_used_again(fleet_of):
    fleet = fleet_of(1)
    seen = fleet.ids()
    for count in (4, 1, 4, 1, 4):
        fleet.configure(capacity={"open": count})
        fleet.up()
        now = fleet.ids()
        seen += [id for id in now if id not in seen]
        assert len(now) == count
    started = [event["instance"] for event in fleet.events("started")]
    assert len(started) == len(set(started)) == len(seen) == 10


def start_downloads(fleet, count):
    """Somebody with a slow line at each of the instances."""
    (fleet.folder / "site/large").write_bytes(bytes(LARGE))
    fleet.up()
    downloads = []
    for _ in range(count):
        connection = http.client.HTTPConnection(fleet.host, fleet.port, timeout=30)
        connection.request("GET", "/large")
        response = connection.getresponse()
        downloads.append((connection, response, len(response.read(1000))))
    return downloads


def finish_downloads(downloads):
    for connection, response, got in downloads:
        assert got + len(response.read()) == LARGE
        connection.close()


def test_a_slow_download_ends_before_its_instance_does(fleet_of):
    fleet = fleet_of(2)
    downloads = start_downloads(fleet, 2)
    fleet.configure(capacity={"open": 1})
    up = fleet.start("up")
    wait_until(lambda: any(i["state"] == "draining" for i in fleet.instances()), "one is drained")
    finish_downloads(downloads)
    assert up.wait(30) == 0
    assert len(fleet.ids()) == 1


def test_a_slow_download_outlives_a_deployment(fleet_of):
    """It gets the file that it asked for, from an instance that is drained meanwhile."""
    fleet = fleet_of(2)
    downloads = start_downloads(fleet, 2)
    deploy = fleet.start("deploy", str(fleet.folder / "b"))
    wait_until(lambda: any(i["state"] == "draining" for i in fleet.instances()), "the first one is drained")
    finish_downloads(downloads)
    assert deploy.wait(30) == 0
    assert [page_of(instance) for instance in fleet.instances()] == [B, B]


def test_deploy(fleet_of):
    fleet = fleet_of(3)
    before = fleet.pids()
    with fleet.load() as load:
        done = fleet.do("deploy", fleet.folder / "b")
        load.wait_more()
    load.assert_none_failed()
    assert load.pages() == {A, B}
    assert "is deployed to web" in done.stdout
    with fleet.load() as load:
        load.wait_more()
    assert load.pages() == {B}
    assert fleet.pids() == before, "no httpd was restarted for it"
    assert {event["instance"] for event in fleet.events("deployed")} == {*before, None}


def test_deploy_goes_instance_by_instance(fleet_of):
    """At no time are fewer than two of three in service."""
    fleet = fleet_of(3)
    deploy = fleet.start("deploy", str(fleet.folder / "b"))
    least = 3
    while deploy.poll() is None:
        least = min(least, fleet.status()["capacity"]["in_service"])
    assert deploy.returncode == 0
    assert least >= 2


def test_deploy_to_a_fleet_of_one(fleet_of):
    """Another one comes first."""
    fleet = fleet_of(1)
    before = fleet.ids()
    with fleet.load() as load:
        fleet.do("deploy", fleet.folder / "b")
        load.wait_more()
    load.assert_none_failed()
    assert load.pages() == {A, B}
    fleet.wait_whole()
    assert fleet.get() == (200, B)
    assert len(fleet.ids()) == 1 and fleet.ids() != before


def test_deploy_to_a_fleet_of_one_is_over_when_it_says_so(fleet_of):
    fleet = fleet_of(1)
    fleet.write_site(A, "a")
    for _ in range(4):
        for folder, page in (("b", B), ("a", A)):
            fleet.do("deploy", fleet.folder / folder)
            assert fleet.get() == (200, page)


@pytest.mark.parametrize("count", [1, 3])
def test_deploy_without_a_page_is_undone(fleet_of, count):
    fleet = fleet_of(count)
    (fleet.folder / "empty").mkdir()
    before = fleet.pids()
    with fleet.load() as load:
        done = fleet.openbell("deploy", fleet.folder / "empty")
        load.wait_more()
    load.assert_none_failed()
    assert load.pages() == {A}
    assert done.returncode == 1
    assert "what was deployed before is served" in done.stderr
    fleet.wait_whole()
    assert [page_of(instance) for instance in fleet.instances()] == [A] * count
    assert fleet.pids() == before
    fleet.wait_event("deploy-failed")
    fleet.do("deploy", fleet.folder / "b")
    wait_until(lambda: fleet.serves(B), "the next deployment is served")


def test_deploy_of_something_unreadable_is_refused(fleet_of):
    fleet = fleet_of(2)
    os.mkfifo(fleet.folder / "b/pipe")
    done = fleet.openbell("deploy", fleet.folder / "b")
    assert done.returncode == 1
    assert "b/pipe is neither a file nor a folder nor a link: take it out of the site" in done.stderr
    assert [page_of(instance) for instance in fleet.instances()] == [A, A]


def test_deploy_of_a_folder_that_is_not_there(fleet_of):
    fleet = fleet_of(1)
    done = fleet.openbell("deploy", fleet.folder / "nowhere")
    assert done.returncode in (1, 2)
    assert "nowhere can't be deployed: No such file or directory" in done.stderr


def test_deploy_without_a_controller(fleet):
    done = fleet.openbell("deploy", fleet.folder / "site")
    assert done.returncode == 1
    assert "bring it up first with `openbell up`" in done.stderr


def test_two_deployments_at_once(fleet_of):
    """The second is told to wait, or comes after the first; never a mixture."""
    fleet = fleet_of(3)
    fleet.write_site("<h1>C</h1>\n", "c")
    first = fleet.start("deploy", str(fleet.folder / "b"))
    second = fleet.start("deploy", str(fleet.folder / "c"))
    exits = {first.wait(30), second.wait(30)}
    assert 0 in exits and exits <= {0, 1}
    assert len({page_of(instance) for instance in fleet.instances()}) == 1


def test_what_is_new_serves_what_was_deployed(fleet_of):
    """Deployed content is the fleet's: of an instance that is added, restarted or replaced, and of the next controller."""
    fleet = fleet_of(2)
    fleet.do("deploy", fleet.folder / "b")
    fleet.configure(capacity={"open": 3})
    fleet.up()
    victim = fleet.ids()[0]
    os.killpg(fleet.pids()[victim], signal.SIGKILL)
    fleet.wait_event("restarted", instance=victim)
    fleet.wait_whole()
    assert [page_of(instance) for instance in fleet.instances()] == [B, B, B]
    fleet.kill_everything()
    fleet.up()
    assert [page_of(instance) for instance in fleet.instances()] == [B, B, B]


def test_a_replacement_serves_what_was_deployed(fleet_of):
    fleet = fleet_of(3)
    fleet.do("deploy", fleet.folder / "b")
    victim = fleet.ids()[0]
    link = fleet.state / "instances" / victim / "site"
    link.unlink()
    link.symlink_to("nowhere")
    fleet.wait_event("stopped", instance=victim)
    fleet.wait_whole()
    assert [page_of(instance) for instance in fleet.instances()] == [B, B, B]


def test_an_edit_is_served_after_up(fleet_of):
    """A half-written page is nobody's to see."""
    fleet = fleet_of(2)
    fleet.write_site(B)
    kill(fleet.pids()[fleet.ids()[0]])
    fleet.wait_event("restarted")
    fleet.wait_whole()
    assert [page_of(instance) for instance in fleet.instances()] == [A, A]
    with fleet.load() as load:
        fleet.up()
        load.wait_more()
    load.assert_none_failed()
    assert [page_of(instance) for instance in fleet.instances()] == [B, B]


def test_an_edit_that_breaks_the_page_is_not_served(fleet_of):
    fleet = fleet_of(2)
    (fleet.folder / "site/index.html").unlink()
    with fleet.load() as load:
        done = fleet.openbell("up")
        load.wait_more()
    load.assert_none_failed()
    assert done.returncode == 1
    assert "is there an index.html in the site" in done.stderr
    assert load.pages() == {A}


def test_an_edit_after_a_deployment(fleet_of):
    """`up` brings the configuration's site again only when that has changed."""
    fleet = fleet_of(2)
    fleet.do("deploy", fleet.folder / "b")
    fleet.up()
    assert fleet.get() == (200, B)
    fleet.write_site("<h1>C</h1>\n")
    fleet.up()
    assert fleet.get() == (200, "<h1>C</h1>\n")


def test_an_httpd_killed_while_it_is_deployed_to(fleet_of):
    fleet = fleet_of(3)
    deploy = fleet.start("deploy", str(fleet.folder / "b"))
    wait_until(lambda: deploy.poll() is not None or fleet.events("drained"), "it has begun")
    os.killpg(fleet.pids()[fleet.ids()[0]], signal.SIGKILL)
    assert deploy.wait(40) in (0, 1)
    fleet.wait_whole()
    pages = {page_of(instance) for instance in fleet.instances()}
    assert pages == ({B} if deploy.returncode == 0 else {A})


def test_the_controller_killed_while_it_deploys(fleet_of):
    """The next one makes the fleet of one mind again, whatever comes to it later."""
    fleet = fleet_of(3)
    downloads = start_downloads(fleet, 3)
    deploy = fleet.start("deploy", str(fleet.folder / "b"))
    wait_until(lambda: any(i["state"] == "draining" for i in fleet.instances()), "the first one is drained")
    fleet.kill_controller()
    deploy.wait(30)
    finish_downloads(downloads)
    fleet.configure(capacity={"open": 4})
    fleet.up()
    assert len({page_of(instance) for instance in fleet.instances()}) == 1


def test_down_while_it_deploys(fleet_of):
    fleet = fleet_of(3)
    deploy = fleet.start("deploy", str(fleet.folder / "b"))
    fleet.down()
    assert deploy.wait(30) in (0, 1)
    fleet.assert_nothing_left()


def test_a_listening_address_that_changes(fleet_of):
    fleet = fleet_of(2)
    before = fleet.pids()
    old = fleet.port
    fleet.port = free_port()
    fleet.configure(listen=f"127.0.0.1:{fleet.port}")
    fleet.up()
    assert fleet.get() == (200, A)
    assert fleet.pids() == before
    new, fleet.port = fleet.port, old
    wait_until(lambda: not fleet.is_listening(), "nobody listens where it did")
    fleet.port = new


def test_what_can_not_change_while_it_is_up(fleet_up):
    fleet_up.configure(state="elsewhere")
    done = fleet_up.openbell("up", "--timeout", "1s")
    # Another folder is another fleet, and the port is this one's.
    assert done.returncode == 1
    assert "is taken by haproxy" in done.stderr
    fleet_up.configure(state="state")
    assert fleet_up.is_whole()


def test_releases_that_nobody_serves_go(fleet_of):
    fleet = fleet_of(2)
    for number in range(4):
        fleet.do("deploy", fleet.write_site(f"<h1>{number}</h1>\n", "next"))
    wait_until(lambda: len(list((fleet.state / "releases").iterdir())) <= 2, "the one that is served and the one before")
    assert fleet.get() == (200, "<h1>3</h1>\n")
