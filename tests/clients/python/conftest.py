"""What all Python suites share: the emulator, the environment, the report, the validation."""

import json
import os
import re
from pathlib import Path

import pytest

import service_model
from emulator import Emulator

service_model.watch()


@pytest.fixture(scope="session")
def emulator():
    """Shared by all tests that neither throttle nor count requests."""
    with Emulator() as shared:
        yield shared


@pytest.fixture(autouse=True)
def printed_environment(monkeypatch, emulator):
    """A client finds the emulator by the printed variables and nothing else."""
    use(monkeypatch, emulator)


def use(monkeypatch, emulator):
    for name in list(os.environ):
        if name.startswith(("AWS_", "ANTHROPIC_")):
            monkeypatch.delenv(name)
    for name, value in emulator.env.items():
        monkeypatch.setenv(name, value)
    # No file of the machine decides what is tested.
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def own_emulator(monkeypatch):
    """An emulator for one test: `own_emulator(settings)`; the environment names it from then on."""
    running = []

    def start(settings="", **options):
        running.append(Emulator(settings, **options))
        use(monkeypatch, running[-1])
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(autouse=True)
def answers_fit_the_service_model():
    """Fails the test whose answers botocore's own model does not describe."""
    service_model.FINDINGS.clear()
    yield
    assert not service_model.FINDINGS, "\n".join(service_model.FINDINGS)


# ---------------------------------------------------------------- the report


def behaviour(item):
    """The first word of the test's name, or what the module's BEHAVIOURS says about it."""
    table = getattr(item.module, "BEHAVIOURS", {})
    name = item.originalname or item.name
    return table.get(name) or re.match(r"test_([a-z]+)", name)[1]


def pytest_collection_modifyitems(items):
    """A module's NOT_RUN names tests of a published suite that are left out, and why."""
    for item in items:
        reason = getattr(item.module, "NOT_RUN", {}).get(item.originalname)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" or report.outcome != "passed":
        outcome = {"passed": "pass", "failed": "fail", "skipped": "n.a."}[report.outcome]
        if hasattr(report, "wasxfail"):
            outcome = "fail"
        reason = ""
        if report.skipped:
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        line = {
            "client": item.module.CLIENT,
            "behaviour": behaviour(item),
            "test": item.name,
            "outcome": outcome,
            "reason": reason,
        }
        with Path(os.environ["CLIENTS_REPORT"]).open("a") as file:
            file.write(json.dumps(line) + "\n")
