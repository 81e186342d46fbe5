"""The units that a plant copies are ones that systemd takes, and what they call is there."""

import re
import shutil
import subprocess
import sys

import pytest

from pipeline.paths import PROJECT

DEPLOY = PROJECT / "deploy"
PROGRAM = "/opt/firstpass/.venv/bin/python"


# A unit that systemd refuses is found out in the first night, by nobody.
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd: apt install systemd")
def test_systemd_takes_the_units(tmp_path):
    for file in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]:
        (tmp_path / file.name).write_text(file.read_text().replace(PROGRAM, sys.executable))
    names = ["firstpass.service", "firstpass.timer", "firstpass-failed@firstpass.service.service"]
    command = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in names)]
    found = subprocess.run(
        command, env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("name", ["firstpass.service", "firstpass.cron"])
def test_units_call_commands_that_are_there(name):
    called = re.findall(r"bin/python -m (\w+) (\w+)", DEPLOY.joinpath(name).read_text())
    assert called == [("pipeline", "run"), ("ingest", "status")]
    for module, command in called:
        subprocess.run([sys.executable, "-m", module, command, "--help"], cwd=PROJECT, check=True, capture_output=True)


# The job is one shell command in one line of a table; a % would end it.
def test_the_cron_line_tells_what_failed(tmp_path):
    job = DEPLOY.joinpath("firstpass.cron").read_text().splitlines()[-1].split(maxsplit=6)[6]
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "secrets.env").write_text("MES_URL='a b'\n")
    python = tmp_path / ".venv" / "bin" / "python"
    job = job.replace("/opt/firstpass", str(tmp_path)).replace("/srv/firstpass", str(tmp_path))
    job = job.replace("/etc/firstpass", str(tmp_path))
    assert "%" not in job
    for code, said in ((0, ""), (1, "-m pipeline run a b\n")):
        python.write_text(f'#!/bin/sh\necho "$@" "$MES_URL"\nexit {code}\n')
        python.chmod(0o755)
        assert subprocess.run(["sh", "-c", job], capture_output=True, text=True, check=False).stdout == said
