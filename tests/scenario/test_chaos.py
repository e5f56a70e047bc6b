"""A few rounds of tests/soak, which runs a hundred and more: random faults under load, and nothing left behind."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPENBELL = os.environ.get("OPENBELL", str(ROOT / "build/openbell"))
ROUNDS = 5
SEED = 2


@pytest.mark.deadline(180)
@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
@pytest.mark.skipif("build-asan" in OPENBELL, reason="a sanitizer's memory is not openbell's")
def test_rounds_of_random_faults():
    done = subprocess.run([sys.executable, ROOT / "tests/soak", "--rounds", str(ROUNDS), "--seed", str(SEED),
                           "--delay-ms", "10", "--openbell", OPENBELL], capture_output=True, text=True, check=False)
    last = done.stdout.rstrip().rpartition("\n")[2]
    assert re.fullmatch(rf"{ROUNDS} passed, 0 failed", last), done.stdout + done.stderr
    assert done.returncode == 0
