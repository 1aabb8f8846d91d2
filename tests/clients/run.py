#!/usr/bin/env python3
"""Proof by real clients: every client, every behaviour, one table.

    python3 tests/clients/run.py                 all of them
    python3 tests/clients/run.py --only litellm  one; the name may be a part of the client's name
    python3 tests/clients/run.py --services      boto3 and the AWS CLI on the services beside the runtime

It installs the pinned clients below --dir (default: clients/ in cargo's target folder), starts
emulators from the built binary ($WORKSHOP_BIN, default: debug/workshop in cargo's target folder)
as the tests ask for them, runs the tests and prints a table. The first word of a test's name says
which behaviour it proves. A test that cannot exist because the client lacks the feature is a skip
with the reason, and every reason is printed; a client with neither a test nor a reason for a
behaviour fails. Exit code 0: all passed, 1: something failed, 2: the run could not start.

Needs python 3.11, node 20 and, for the Rust SDK, cargo. Nothing but packages is fetched.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))

BEHAVIOURS = (
    "plain", "stream", "tools", "structured", "errors", "retries", "caching", "thinking", "counting",
)

# Who is tested, and where: the client's name as its tests give it, and what runs them.
CLIENTS = {
    "boto3": "python/test_boto3.py",
    "AWS CLI": "python/test_awscli.py",
    "AWS SDK for JavaScript, HTTP/2": "node/aws-sdk.test.mjs",
    "AWS SDK for JavaScript, HTTP/1.1": "node/aws-sdk.test.mjs",
    "AWS SDK for Rust": "cargo",
    "anthropic (Python), AnthropicBedrock": "python/test_anthropic_bedrock.py",
    "anthropic (Python), AnthropicBedrockMantle": "python/test_anthropic_mantle.py",
    "anthropic (TypeScript), AnthropicBedrock": "node/anthropic-bedrock.test.mjs",
    "anthropic (TypeScript), AnthropicBedrockMantle": "node/anthropic-mantle.test.mjs",
    "LangChain, ChatBedrockConverse": "python/test_langchain.py",
    "LiteLLM": "python/test_litellm.py",
    "pydantic-ai": "python/test_pydantic_ai.py",
    "Vercel AI SDK": "node/ai-sdk.test.mjs",
}


def main():
    args = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    args.add_argument("--dir", type=Path, default=TARGET / "clients", help="where clients are installed")
    args.add_argument("--only", action="append", metavar="CLIENT", help="only clients with this in their name")
    args.add_argument("--services", action="store_true", help="the suites of services/, and nothing else")
    args = args.parse_args()

    chosen = {
        name: where for name, where in CLIENTS.items()
        if not args.only or any(part.lower() in name.lower() for part in args.only)
    }
    if not chosen:
        sys.exit(f"no client is called {args.only}; there are: {', '.join(CLIENTS)}")
    binary = Path(os.environ.get("WORKSHOP_BIN", TARGET / "debug" / "workshop"))
    if not binary.is_file():
        print(f"no workshop binary at {binary}: build it with `cargo build`, or set WORKSHOP_BIN")
        return 2

    place = args.dir.resolve()
    place.mkdir(parents=True, exist_ok=True)
    if args.services:
        install(place, {"python"})
        os.environ["WORKSHOP_BIN"] = str(binary.resolve())
        return 0 if run_services(place) else 1
    install(place, {where.split("/")[0] for where in chosen.values()})
    report = place / "report.jsonl"
    report.unlink(missing_ok=True)
    os.environ.update(
        WORKSHOP_BIN=str(binary.resolve()),
        CLIENTS_REPORT=str(report),
        CLIENTS_MODELS=json.dumps(models()),
        # LiteLLM otherwise fetches its price list from the network.
        LITELLM_LOCAL_MODEL_COST_MAP="True",
        # LangChain's tracing.
        LANGSMITH_TRACING="false",
        # A line about the node of 2027, in every process.
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED="true",
    )
    clean = run_tests(place, chosen)
    results = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
    return summary(chosen, results, clean)


# ---------------------------------------------------------------- what is installed


def install(place, kinds):
    jobs = []
    with ThreadPoolExecutor() as pool:
        if "python" in kinds:
            jobs.append(pool.submit(install_python, place))
        if "node" in kinds:
            jobs.append(pool.submit(install_node, place))
    for job in jobs:
        job.result()


def install_python(place):
    wanted = HERE / "requirements.txt"
    if fresh(place / "python.stamp", wanted):
        return
    shutil.rmtree(place / "python", ignore_errors=True)
    venv.create(place / "python", with_pip=True)
    # Byte code is made for what is imported, when it is imported: a third of pip's time.
    subprocess.run(
        [python(place), "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check",
         "-r", wanted],
        check=True,
    )
    stamp(place / "python.stamp", wanted)


def install_node(place):
    wanted = HERE / "package-lock.json"
    if fresh(place / "node.stamp", wanted):
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, place / name)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=place, check=True)
    stamp(place / "node.stamp", wanted)


def python(place):
    return place / "python" / "bin" / "python"


def fresh(stamp_file, wanted):
    return stamp_file.exists() and stamp_file.read_text() == digest(wanted)


def stamp(stamp_file, wanted):
    stamp_file.write_text(digest(wanted))


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


# ---------------------------------------------------------------- which models are asked


def models():
    """Ids by role, from the emulator's own catalogue: no test spells a model id."""
    catalogue = tomllib.loads((ROOT / "crates/bedrock-emulator/models.toml").read_text())["model"]
    today = date.today().isoformat()

    def eol(model):
        return model.get("lifecycle", {}).get("eol")

    def quirk(model, name):
        return model.get("quirks", {}).get(name, False)

    claude = [m for m in catalogue if m["provider"] == "anthropic"]
    alive = [
        m for m in claude
        if not m.get("lifecycle", {}).get("retired") and not (eol(m) and eol(m) <= today)
    ]
    by_alias = {m["alias"]: m for m in alive if "alias" in m}
    current = next(m for m in alive if quirk(m, "no_sampling") and not quirk(m, "no_forced_tool"))
    ended = next(m for m in claude if eol(m) and eol(m) <= today and "us" in m["profiles"])
    return {
        # The tiers that `workshop env` names, as the profiles it prints.
        **{alias: "us." + m["id"] for alias, m in by_alias.items()},
        # Where only a base id is accepted (CountTokens), or a profile is needed instead.
        "base": by_alias["haiku"]["id"],
        "cache_minimum": by_alias["haiku"]["min_cache_tokens"],
        # Newest API version, no sampling parameters.
        "current": "us." + current["id"],
        "current_base": current["id"],
        "current_cache_minimum": current["min_cache_tokens"],
        "ended": "us." + ended["id"],
        "ended_on": eol(ended),
        # Of other families, by what Amazon and Cohere call them.
        **{
            role: next(m["id"] for m in catalogue if m["name"] == name)
            for role, name in {
                "nova": "Nova Lite",
                "titan_text": "Titan Text G1 - Express",
                "titan_embed": "Titan Text Embeddings V2",
                "titan_embed_1": "Titan Embeddings G1 - Text",
                "cohere_embed": "Embed Multilingual",
                "cohere_embed_4": "Embed v4",
                "nova_embed": "Amazon Nova Multimodal Embeddings",
            }.items()
        },
    }


# ---------------------------------------------------------------- running


def run_tests(place, chosen):
    """Runs every file once; `False` when a runner ended badly, whatever it reported."""
    files = sorted(set(chosen.values()))
    clean = True
    in_python = [HERE / f for f in files if f.startswith("python/")]
    if in_python:
        clean &= run(
            [python(place), "-m", "pytest", "-c", HERE / "python" / "pytest.ini",
             "--rootdir", HERE / "python", *in_python],
        )
    for file in files:
        if file.startswith("node/"):
            # Node looks for packages beside the file: the tests are linked beside the packages.
            tests = place / "node"
            if not tests.exists():
                tests.symlink_to(HERE / "node")
            clean &= run(
                ["node", "--preserve-symlinks", "--preserve-symlinks-main", "--test-reporter",
                 tests / "report.mjs", "--test", place / file],
                cwd=place,
            )
    if "cargo" in files:
        clean &= run_rust()
    return clean


def run_services(place):
    """Control plane, guardrails, STS, CloudWatch, Logs and the rest: one line for each test."""
    return run([python(place), "-m", "unittest", "discover", "-v", "-p", "*_test.py", "-s", HERE / "services"])


def run(command, **options):
    print("\n==", *(Path(c).name if isinstance(c, Path) else c for c in command[:1]), *command[-1:], flush=True)
    return subprocess.run(command, check=False, **options).returncode == 0


def run_rust():
    """The Rust SDK's tests are a cargo target; their lines become the report's."""
    command = ["cargo", "test", "-q", "-p", "workshop-testkit", "--test", "behaviours", "--",
               "--format", "pretty"]
    print("\n== cargo test -p workshop-testkit --test behaviours", flush=True)
    done = subprocess.run(command, cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE)
    print(done.stdout, end="")
    with open(os.environ["CLIENTS_REPORT"], "a") as report:
        for name, outcome in re.findall(r"^test (\w+) \.\.\. (ok|FAILED)$", done.stdout, re.MULTILINE):
            line = {"client": "AWS SDK for Rust", "behaviour": name.split("_")[0], "test": name,
                    "outcome": "pass" if outcome == "ok" else "fail", "reason": ""}
            report.write(json.dumps(line) + "\n")
    return done.returncode == 0


# ---------------------------------------------------------------- the table


def summary(chosen, results, clean):
    rows, notes, failed = [], [], []
    for client in chosen:
        row = []
        for behaviour in BEHAVIOURS:
            cell, note, bad = judge(client, behaviour, results)
            row.append(cell)
            notes.extend(note)
            failed.extend(bad)
        rows.append((client, row))
    print_table(rows)
    if notes:
        print("\nn.a., and single tests left out, because:")
        print("\n".join(f"  {line}" for line in notes))
    if failed:
        print("\nFailed:")
        print("\n".join(f"  {line}" for line in failed))
    strangers = {r["client"] for r in results} - set(CLIENTS)
    if strangers:
        failed.append(f"unknown clients: {strangers}")
        print(f"\nTests of clients that run.py does not know: {strangers}")
    passed = sum(r["outcome"] == "pass" for r in results)
    print(f"\n{passed} passed, {len(failed)} failed")
    if not clean and not failed:
        print("A test runner ended badly although no test failed; its own output says why.")
        return 1
    return 1 if failed else 0


def judge(client, behaviour, results):
    """A cell's text, its footnotes, its failures."""
    here = [r for r in results if (r["client"], r["behaviour"]) == (client, behaviour)]
    passed = [r for r in here if r["outcome"] == "pass"]
    failed = [r for r in here if r["outcome"] == "fail"]
    reasons = dict.fromkeys(r["reason"] for r in here if r["outcome"] == "n.a.")
    notes = [f"{client}, {behaviour}: {reason}" for reason in reasons]
    if failed:
        bad = [f"{client}, {behaviour}: {r['test']}" for r in failed]
        return f"FAIL {len(failed)}/{len(here)}", notes, bad
    if passed:
        return f"ok {len(passed)}", notes, []
    if here:
        return "n.a.", notes, []
    return "FAIL none", notes, [f"{client}, {behaviour}: neither a test nor a reason"]


def print_table(rows):
    width = max(len(client) for client, _ in rows)
    columns = [max(len(name), 6) for name in BEHAVIOURS]
    head = "  ".join(f"{name:<{w}}" for name, w in zip(BEHAVIOURS, columns))
    print(f"\n{'client':<{width}}  {head}".rstrip())
    for client, row in rows:
        cells = "  ".join(f"{cell:<{w}}" for cell, w in zip(row, columns))
        print(f"{client:<{width}}  {cells}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
