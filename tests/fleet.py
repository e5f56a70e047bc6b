"""A fleet in a folder of its own, for tests: brought up, broken, and always taken down again.

Everything that belongs to a fleet carries its folder in its command line: httpd in its mark, HAProxy in the name of its
file, the controller in --config. That is how its processes are found, and how a test proves that none is left.
"""
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPENBELL = os.environ.get("OPENBELL", str(ROOT / "build/openbell"))
HELLO = "<h1>Hello World</h1>\n"
PATIENCE = 20        # seconds that anything which must happen may take on a busy machine
POLL = 0.02


def wait_until(condition, what, seconds=PATIENCE):
    """The first true value of condition(); a failure that says `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(POLL)


def free_port(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def is_root():
    return os.geteuid() == 0


def processes_with(text):
    """{pid: command line} of all processes with `text` in an argument; zombies have none."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{entry}/cmdline").read_bytes()
            if os.fsencode(text) in command and int(entry) != os.getpid():
                found[int(entry)] = os.fsdecode(command.replace(b"\0", b" ").strip())
    return found


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def group_of(leader):
    """The pids of a process group, leader first."""
    members = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                if int(fields[2]) == leader and fields[0] != "Z":
                    members.append(int(entry))
    return sorted(members, key=lambda pid: (pid != leader, pid))


def run(*arguments, timeout=60, wrapper=(), **options):
    """openbell, to its end."""
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "XDG_CONFIG_HOME")}
    environment.update(options.pop("env", {}))
    return subprocess.run([*wrapper, OPENBELL, *map(str, arguments)], env=environment, capture_output=True, text=True,
                          errors="surrogateescape", check=False, timeout=timeout, **options)


class Fleet:
    """openbell.yaml, site/ and state/ in one folder."""

    def __init__(self, folder, host="127.0.0.1", **settings):
        self.folder = Path(folder)
        self.host = host
        self.port = free_port(host)
        self.started = []
        self.disks = []
        self.settings = {
            "fleet": "web",
            "site": "site",
            "state": "state",
            "listen": f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}",
            "capacity": {"open": 2, "min": 1, "max": 4},
            "health": {"every": "500ms", "timeout": "400ms"},
            "monitor": {"every": "1s", "timeout": "500ms"},
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_site()
        self.configure(**settings)

    # Files.

    @property
    def file(self):
        return self.folder / "openbell.yaml"

    @property
    def state(self):
        """Where this fleet keeps its things."""
        return self.folder / self.settings["state"] / self.settings["fleet"]

    def configure(self, **changes):
        """Change keys, folders of keys by what is in them, and write the file; JSON is YAML."""
        for key, value in changes.items():
            if isinstance(value, dict):
                self.settings[key] = {**self.settings.get(key, {}), **value}
            elif value is None:
                self.settings.pop(key, None)
            else:
                self.settings[key] = value
        self.file.write_text(json.dumps(self.settings, indent=1), encoding="utf-8")

    def write_site(self, page=HELLO, folder="site"):
        site = self.folder / folder
        site.mkdir(exist_ok=True)
        (site / "index.html").write_text(page, encoding="utf-8")
        return site

    def small_disk(self, size, name="state"):
        """A disk of its own in the fleet's folder (root), until the fleet ends."""
        disk = self.folder / name
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "openbell-test", disk], check=True)
        self.disks.append(disk)
        return disk

    # Verbs.

    def openbell(self, *arguments, **options):
        return run(*arguments, "--config", self.file, **options)

    def do(self, *arguments, **options):
        """A verb that must work."""
        done = self.openbell(*arguments, **options)
        assert done.returncode == 0, f"openbell {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def up(self, **options):
        return self.do("up", **options)

    def down(self, **options):
        return self.do("down", "--yes", **options)

    def start(self, *arguments, **options):
        """openbell in the background; ended with the fleet."""
        process = subprocess.Popen([OPENBELL, *map(str, arguments), "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                   stdout=options.pop("stdout", subprocess.PIPE),
                                   stderr=options.pop("stderr", subprocess.PIPE), text=True, errors="surrogateescape",
                                   **options)
        self.started.append(process)
        return process

    def run_up(self):
        """`openbell run`, once the page is served."""
        with open(self.folder / "run.log", "a", encoding="utf-8") as log:
            process = self.start("run", stdout=log, stderr=log)
        wait_until(lambda: process.poll() is not None or self.is_whole(), "the fleet of `run` is whole")
        assert process.poll() is None, self.run_log()
        return process

    def run_log(self):
        return (self.folder / "run.log").read_text(encoding="utf-8", errors="surrogateescape")

    def status(self):
        done = self.openbell("status", "--json")
        assert done.returncode in (0, 3), done.stderr
        return json.loads(done.stdout)

    def instances(self):
        return self.status()["instances"]

    def ids(self):
        return [instance["id"] for instance in self.instances()]

    def pids(self):
        return {instance["id"]: instance["pid"] for instance in self.instances()}

    def history(self, *arguments):
        return [json.loads(line) for line in self.do("history", "--json", *arguments).stdout.splitlines()]

    def events(self, name=None):
        return [row for row in self.history() if row["type"] == "event" and name in (None, row["event"])]

    # What can be seen.

    def is_whole(self):
        """As many in service as wanted, none besides, and a balancer."""
        done = self.openbell("status", "--json")
        if done.returncode != 0:
            return None
        status = json.loads(done.stdout)
        states = [instance["state"] for instance in status["instances"]]
        whole = status["balancer"]["up"] and states == ["in-service"] * status["capacity"]["desired"]
        return status if whole else None

    def wait_whole(self, seconds=PATIENCE):
        return wait_until(self.is_whole, "the fleet is whole", seconds)

    def wait_event(self, name, seconds=PATIENCE, **fields):
        """The first such event, once it is in the record."""
        def find():
            for event in self.events(name):
                if all(event[key] == value for key, value in fields.items()):
                    return event
            return None
        return wait_until(find, f"an event {name} {fields or ''}", seconds)

    def get(self, path="/", timeout=PATIENCE, method="GET"):
        """(status, body) through the balancer, over a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def serves(self, page=HELLO):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get(timeout=2) == (200, page)
        return False

    def is_listening(self):
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def processes(self):
        """All that belong to the fleet but for the verbs that a test runs right now."""
        return processes_with(os.path.realpath(self.folder) + "/")

    def controller(self):
        """The pid of the one that watches."""
        pids = [pid for pid, command in self.processes().items() if re.match(r"\S*openbell run ", command)]
        assert len(pids) == 1, self.processes()
        return pids[0]

    def balancer(self):
        pids = [pid for pid, command in self.processes().items() if "haproxy.cfg" in command]
        assert len(pids) == 1, self.processes()
        return pids[0]

    def load(self, **options):
        return Load(self, **options)

    # The end.

    def kill_controller(self):
        pid = self.controller()
        kill(pid)
        wait_until(lambda: not is_alive(pid), "the controller is gone")

    def kill_everything(self):
        pids = list(self.processes())
        for pid in pids:
            kill(pid)
        wait_until(lambda: not self.processes(), "all of it is gone")

    def assert_nothing_left(self):
        wait_until(lambda: not self.processes() or None, f"nothing is left running: {self.processes()}", 5)
        assert not self.is_listening(), "something still listens"

    def end(self):
        """Take it down as a person would, then see that nothing is left; what is, is ended all the same."""
        problem = None
        try:
            for pid in self.processes():
                kill(pid, signal.SIGCONT)
            if self.file.exists() and self.processes():
                done = self.openbell("down", "--yes", "--timeout", "30s", timeout=45)
                if done.returncode != 0:
                    problem = f"openbell down: exit {done.returncode}\n{done.stdout}{done.stderr}"
            for process in self.started:
                process.kill() if process.poll() is None and not self.processes() else None
            left = self.processes()
            if left:
                problem = f"{problem or ''}\nleft running: {left}"
        finally:
            for pid in self.processes():
                kill(pid)
            for process in self.started:
                if process.poll() is None:
                    process.kill()
                process.communicate()
            for disk in self.disks:
                subprocess.run(["umount", "-l", disk], check=False)
        assert problem is None, problem
        assert not self.is_listening(), "something still listens"


class Load:
    """Plain clients that ask for the page again and again, each time over a new connection."""

    def __init__(self, fleet, clients=2, pause=0.005, path="/"):
        self.fleet = fleet
        self.pause = pause
        self.path = path
        self.answers = []        # (when, status, body)
        self.failures = []       # (when, what)
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def _ask(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                status, body = self.fleet.get(self.path, timeout=30)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append((began, repr(error)))
            else:
                self.answers.append((began, status, body))
                if status != 200:
                    self.failures.append((began, f"status {status}"))
            self.stopping.wait(self.pause)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: self.answers or self.failures, "a first answer")
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(35)

    def wait_more(self, count=20):
        """Until so many more were answered."""
        goal = len(self.answers) + count
        wait_until(lambda: len(self.answers) >= goal or self.failures, f"{count} more answers")

    def pages(self):
        return {body for _, status, body in self.answers if status == 200}

    def assert_none_failed(self):
        assert not self.failures, f"{len(self.failures)} of {len(self.answers)} failed: {self.failures[:5]}"
        assert len(self.answers) > 10, "there was hardly any load"


def fill(folder):
    """Write until the disk is full; returns the file."""
    file = folder / "ballast"
    with open(file, "wb", buffering=0) as out:
        with contextlib.suppress(OSError):
            while True:
                out.write(bytes(4096))
        with contextlib.suppress(OSError):
            while True:
                out.write(b"\0")
    return file


@contextlib.contextmanager
def own_folder():
    """A short path, whatever pytest's is."""
    path = tempfile.mkdtemp(prefix="openbell-")
    try:
        yield Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
