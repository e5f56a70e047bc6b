"""A pytest plugin for tests/run: one JSON line a test on the descriptor OPENBELL_TEST_EVENTS, and a deadline a test.

A test that takes longer than DEADLINE seconds fails where it stands, fixtures included; @pytest.mark.deadline(SECONDS)
gives one another deadline. pytest alone (python3 -m pytest tests/scenario) works without this file.
"""
import json
import os
import signal

import pytest

DEADLINE = 60

_seconds = {}
_ended = set()


class DeadlinePassed(BaseException):
    """No `except Exception` of a test may swallow it."""


def pytest_configure(config):
    config.addinivalue_line("markers", "deadline(seconds): how long the test may take, instead of %d s" % DEADLINE)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    marker = item.get_closest_marker("deadline")
    deadline = marker.args[0] if marker else DEADLINE

    def on_alarm(signum, frame):
        # Once more later, for the fixtures that clean up.
        signal.setitimer(signal.ITIMER_REAL, DEADLINE)
        raise DeadlinePassed("no end after %g s" % deadline)

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, deadline)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    # pytest takes a BaseException for the end of the whole run; this one ends the test only.
    if call.excinfo is not None and call.excinfo.errisinstance(DeadlinePassed):
        call.excinfo = pytest.ExceptionInfo.from_exc_info(_as_failure(call.excinfo))
    yield


def _as_failure(info):
    failure = AssertionError(str(info.value)).with_traceback(info.tb)
    return (AssertionError, failure, info.tb)


def pytest_collectreport(report):
    if report.failed:
        _send(report.nodeid or "collection", "failed", 0, str(report.longrepr))


def pytest_runtest_logreport(report):
    """A test ends with its teardown; what failed on the way decides."""
    name = report.nodeid
    _seconds[name] = _seconds.get(name, 0) + report.duration
    if report.failed:
        text = report.longreprtext
        for title, section in report.sections:
            text += "\n--- %s\n%s" % (title, section.rstrip())
        if name not in _ended:
            _ended.add(name)
            _send(name, "failed", _seconds[name], text)
    elif report.skipped and name not in _ended:
        _ended.add(name)
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else "expected to fail"
        _send(name, "skipped", _seconds[name], why.replace("Skipped: ", "", 1))
    elif report.when == "teardown" and name not in _ended:
        _ended.add(name)
        _send(name, "passed", _seconds[name], "")


def _send(name, outcome, seconds, detail):
    descriptor = os.environ.get("OPENBELL_TEST_EVENTS")
    if descriptor is None:
        return
    line = json.dumps({"name": name, "outcome": outcome, "seconds": seconds, "detail": detail}) + "\n"
    data = line.encode()
    while data:
        data = data[os.write(int(descriptor), data):]
