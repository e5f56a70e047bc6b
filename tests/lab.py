"""A fleet to measure and to break: what bench/run and tests/soak share.

Everything runs below one temporary folder whose name is in the command line of every process of the fleet; that is how
they are counted, and how they are ended whatever happened. As root it all happens in a network namespace of its own.
"""
import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IN_NAMESPACE = "OPENBELL_TESTS_IN_NAMESPACE"
CONNECTIONS = 64
PAGE = "<!DOCTYPE html>\n<title>Hello</title>\n<h1>Hello World</h1>\n"

# wrk's own summary loses the kinds of errors when they are zero; this one is for programs.
WRK_SCRIPT = """
done = function(summary, latency, requests)
   local e = summary.errors
   io.stderr:write(string.format(
      '{"requests":%d,"us":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,"median_us":%d,"p99_us":%d,"max_us":%d}\\n',
      summary.requests, summary.duration, e.connect, e.read, e.write, e.status, e.timeout,
      latency:percentile(50), latency:percentile(99), latency.max))
end
"""


class LabError(Exception):
    """What the lab itself could not do: no figure of openbell's."""


def enter_namespace(script):
    """Start the script again in a network namespace with nothing but a loopback, and a mount table of its own."""
    if os.geteuid() != 0 or os.environ.get(IN_NAMESPACE) == str(script) or not shutil.which("ip"):
        return
    if subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        print(f"{script}: no namespace to be had here; going on without", file=sys.stderr)
        return
    os.environ[IN_NAMESPACE] = str(script)
    os.execvp("unshare", ["unshare", "--net", "--mount", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
                          sys.executable, str(script), *sys.argv[1:]])


def adopt_orphans():
    """What loses its parent becomes this process's child, so that it can be waited for."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_on_signals():
    """SIGTERM and SIGHUP end a run as Ctrl-C does: through the clean-up."""
    def on_signal(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGHUP, on_signal)


def find_openbell(option=None):
    path = option or os.environ.get("OPENBELL") or os.environ.get("OPENBELL_BIN") or str(ROOT / "build/openbell")
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not there: run make first")
    return os.path.abspath(path)


# Processes


class Process:
    """A row of /proc."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            before, _, after = file.read().rpartition(")")
        fields = after.split()
        self.pid = pid
        self.name = before.partition("(")[2]
        self.state = fields[0]
        self.parent = int(fields[1])
        self.group = int(fields[2])

    def arguments(self):
        with open(f"/proc/{self.pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")[:-1]


def processes():
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                yield Process(int(entry))
            except OSError:
                continue


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill_group(group, number=signal.SIGKILL):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


_ours = set()


def start(command, **options):
    process = subprocess.Popen(command, **options)
    _ours.add(process.pid)
    return process


def reap():
    """Wait for orphans that came to us; for nobody that somebody here waits for."""
    for process in processes():
        if process.parent == os.getpid() and process.state == "Z" and process.pid not in _ours:
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                pass


def private_kb(pid):
    """What a process alone has in memory (USS)."""
    total = 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1])
    return total


def dirty_kb(pid):
    """
    What it wrote to of that. Untouched pages of a library count as its own only while nobody else has loaded the library,
    so that private_kb moves by a megabyte as others come and go.
    """
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:"))


def cpu_ns(pid):
    """Time on a processor of all threads that live, to the nanosecond."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def cpu_ticks(pid):
    """The same as the kernel's coarse counters have it, threads that ended included."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


# Waiting


def wait_for(condition, seconds, what, every=0.02):
    """The first true value of condition(), polled; past the deadline an error that says what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {seconds:g} s")
        time.sleep(every)


# Load


class Load:
    """wrk with 64 connections, from `with` to its end; then .result, what it counted."""

    def __init__(self, fleet, seconds=600, delay_ms=0, timeout_s=2):
        self.fleet = fleet
        self.seconds = seconds
        self.delay_ms = delay_ms
        self.timeout_s = timeout_s
        self.result = None

    def __enter__(self):
        script = self.fleet.folder / "wrk.lua"
        text = WRK_SCRIPT
        if self.delay_ms:
            text += f"\nfunction delay() return {self.delay_ms} end\n"
        script.write_text(text)
        self.process = start(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{self.seconds}s", "--timeout", f"{self.timeout_s}s",
                              "-s", str(script), f"http://127.0.0.1:{self.fleet.port}/"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.3)  # until it has all of its connections
        return self

    def __exit__(self, kind, value, trace):
        kill(self.process.pid, signal.SIGINT)
        try:
            _, text = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, text = self.process.communicate()
        if kind is None:
            try:
                self.result = json.loads(text.strip().splitlines()[-1])
            except (ValueError, IndexError):
                raise LabError(f"wrk said nothing that counts: {text!r}") from None
            result = self.result
            result["late"] = result.pop("timeout")  # no answer for the time-out; it may have come after that
            result["failed"] = result["connect"] + result["read"] + result["write"] + result["status"]
        return False


# The fleet


class Fleet:
    """A configuration, a site and a state folder; verbs of openbell on them, and what can be seen from outside."""

    NAME = "lab"

    def __init__(self, openbell, count=3, **settings):
        self.openbell = openbell
        self.folder = Path(tempfile.mkdtemp(prefix="openbell-lab-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.state = self.folder / "state" / self.NAME
        self.file = self.folder / "openbell.yaml"
        self.count = count
        self.settings = settings
        self.site = self.folder / "site"
        self.site.mkdir()
        (self.site / "index.html").write_text(PAGE)
        self.configure()

    def configure(self, count=None, **settings):
        if count is not None:
            self.count = count
        self.settings.update(settings)
        lines = [f"fleet: {self.NAME}", "site: site", "state: state", f"listen: 127.0.0.1:{self.port}",
                 f"capacity: {{open: {self.count}, min: 1, max: {max(self.count, 10)}}}"]
        lines += [f"{key}: {value}" for key, value in self.settings.items()]
        self.file.write_text("\n".join(lines) + "\n")

    def run(self, *arguments, timeout=60, check=True):
        process = start([self.openbell, *arguments, "--config", str(self.file)], stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise LabError(f"openbell {' '.join(arguments)}: no end after {timeout} s") from None
        if check and process.returncode != 0:
            raise LabError(f"openbell {' '.join(arguments)}: exit status {process.returncode}: {errors.strip()}")
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def up(self, **options):
        return self.run("up", "--quiet", **options)

    def down(self, **options):
        return self.run("down", "--yes", "--quiet", **options)

    def ask(self, verb, timeout=5, **request):
        """The controller, without a process of its own for each question; None when nobody answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            try:
                connection.connect(str(self.state / "control.sock"))
                connection.sendall(json.dumps({"verb": verb, **request}).encode() + b"\n")
                for line in connection.makefile("r", encoding="utf-8"):
                    answer = json.loads(line)
                    if "exit" in answer:
                        return answer["result"]
            except (OSError, ValueError):
                pass
        return None

    def status(self):
        return self.ask("status")

    def balancer_rows(self):
        """`show stat` of HAProxy by server; {} when it does not answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.state / "haproxy.sock"))
                connection.sendall(b"show stat web 4 -1\n")
                text = connection.makefile("r", encoding="utf-8").read()
            except OSError:
                return {}
        lines = text.strip().splitlines()
        if not lines or not lines[0].startswith("# "):
            return {}
        names = lines[0][2:].split(",")
        rows = [dict(zip(names, line.split(","))) for line in lines[1:]]
        return {row["svname"]: row for row in rows}

    def page(self, timeout=1):
        """The status code of the page through the balancer, on a new connection; 0: no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def events(self, since=None):
        """Sweeps, incidents and events of the history, oldest first."""
        arguments = ["history", "--json", "--limit", "100000"] + (["--since", since] if since else [])
        return [json.loads(line) for line in self.run(*arguments).stdout.splitlines()]

    # Its processes

    def processes(self):
        """What runs below our folder, by role; zombies have no command line and count for nothing."""
        found = {"controller": [], "balancer": [], "leader": [], "worker": [], "other": []}
        mark = f"openbell={self.state}/instances/"
        for process in processes():
            try:
                arguments = process.arguments()
            except OSError:
                continue
            if not any(str(self.folder) in argument for argument in arguments) or process.name == "wrk":
                continue
            process.instance = next((word[len(mark):] for word in arguments if word.startswith(mark)), None)
            if process.instance:
                found["leader" if process.group == process.pid else "worker"].append(process)
            elif f"{self.state}/haproxy.cfg" in arguments:
                found["balancer"].append(process)
            elif "run" in arguments and str(self.file) in arguments:
                found["controller"].append(process)
            else:
                found["other"].append(process)
        return found

    def controller(self):
        pids = [process.pid for process in self.processes()["controller"]]
        return pids[0] if len(pids) == 1 else None

    def not_whole(self):
        """Why the fleet is not as wanted, or None."""
        reap()
        status = self.status()
        if status is None:
            return "no controller answers"
        capacity = status["capacity"]
        if capacity["desired"] != self.count or capacity["in_service"] != self.count:
            return f"{capacity['in_service']} of {capacity['desired']} in service, {self.count} wanted"
        states = [instance["state"] for instance in status["instances"]]
        if states != ["in-service"] * self.count:
            return f"states: {', '.join(states)}"
        rows = self.balancer_rows()
        serving = [row for row in rows.values() if row["status"].startswith("UP")]
        if len(rows) != self.count or len(serving) != self.count:
            return "the balancer has " + ", ".join(f"{name} {row['status']}" for name, row in rows.items())
        found = self.processes()
        counts = {role: len(list_) for role, list_ in found.items()}
        wanted = {"controller": 1, "balancer": 1, "leader": self.count, "worker": self.count, "other": 0}
        if counts != wanted:
            return "processes: " + ", ".join(f"{counts[role]} {role}" for role in counts)
        pids = {instance["id"]: instance["pid"] for instance in status["instances"]}
        if pids != {process.instance: process.pid for process in found["leader"]}:
            return "other pids than status says"
        code = self.page()
        return None if code == 200 else f"the page answers {code}"

    def wait_whole(self, seconds=30):
        """Seconds until the fleet was whole."""
        began = time.monotonic()
        why = None

        def whole():
            nonlocal why
            why = self.not_whole()
            return why is None

        try:
            wait_for(whole, seconds, "whole", every=0.05)
        except LabError:
            raise LabError(f"the fleet is not whole after {seconds:g} s: {why}") from None
        return time.monotonic() - began

    def end_processes(self):
        """End whatever of the fleet runs, the controller first, so that it heals nothing meanwhile."""
        for _ in range(50):
            found = self.processes()
            left = found["controller"] or [process for list_ in found.values() for process in list_]
            if not left:
                break
            for process in left:
                kill(process.pid)
            time.sleep(0.02)
            reap()
        reap()

    def close(self):
        self.end_processes()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def free_port():
    """In a namespace of our own every port is free; one that the kernel also gives to clients could meet itself."""
    if os.environ.get(IN_NAMESPACE):
        return 8080
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
