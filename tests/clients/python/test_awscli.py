"""The AWS CLI: what people type first, and what shell scripts use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import MODELS, long_text

CLIENT = "AWS CLI"
HAIKU = MODELS["haiku"]


def aws(*args):
    """`aws bedrock-runtime …`; the environment is the fixture's."""
    command = [sys.executable, "-m", "awscli", "bedrock-runtime", *args]
    return subprocess.run(command, text=True, capture_output=True, check=False, timeout=60)


def answer(*args):
    done = aws(*args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def converse(messages, *args):
    return answer("converse", "--model-id", HAIKU, "--messages", json.dumps(messages), *args)


def ask(text):
    return [{"role": "user", "content": [{"text": text}]}]


def test_plain_converse():
    out = converse(ask("Name one river."), "--inference-config", '{"maxTokens": 100}')
    assert out["stopReason"] == "end_turn"
    assert out["usage"]["totalTokens"] == out["usage"]["inputTokens"] + out["usage"]["outputTokens"]


def test_plain_invoke_model_writes_the_body_to_a_file(tmp_path):
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 40,
            "messages": [{"role": "user", "content": "Hello"}]}
    out = tmp_path / "out.json"
    meta = answer("invoke-model", "--model-id", HAIKU, "--body", json.dumps(body), str(out))
    assert meta["contentType"] == "application/json"
    assert json.loads(out.read_text())["type"] == "message"


def test_stream():
    done = aws("converse-stream", "--model-id", HAIKU, "--messages", json.dumps(ask("x")))
    assert done.returncode != 0 and "Invalid choice" in done.stderr
    pytest.skip("version 1 leaves operations with event streams out (`aws bedrock-runtime help`)")


def test_tools_forced():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = {
        "tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": schema}}}],
        "toolChoice": {"any": {}},
    }
    out = converse(ask("The weather in Lisbon"), "--tool-config", json.dumps(tools))
    [use] = [b["toolUse"] for b in out["output"]["message"]["content"] if "toolUse" in b]
    assert isinstance(use["input"]["city"], str)


def test_structured_output():
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"],
              "additionalProperties": False}
    output = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(schema)}}}}
    out = converse(ask("Ada, 36"), "--output-config", json.dumps(output))
    assert isinstance(json.loads(out["output"]["message"]["content"][0]["text"])["age"], int)


def test_errors_name_code_operation_and_message():
    done = aws("converse", "--model-id", "no.such-model", "--messages", json.dumps(ask("x")))
    assert done.returncode != 0
    assert (
        "An error occurred (ValidationException) when calling the Converse operation: "
        "The provided model identifier is invalid." in done.stderr
    )


def test_retries_are_counted_by_the_journal(own_emulator, monkeypatch):
    own = own_emulator("requests_per_minute = 1\n")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    converse(ask("x"))
    done = aws("converse", "--model-id", HAIKU, "--messages", json.dumps(ask("x")))
    assert "ThrottlingException" in done.stderr
    assert [(e["status"], e["attempt"]) for e in own.requests(3)] == [(200, 1), (429, 1), (429, 2)]


def test_caching_writes_then_reads(tmp_path):
    system = [{"text": long_text(MODELS["cache_minimum"], "shells")}, {"cachePoint": {"type": "default"}}]
    file = Path(tmp_path / "system.json")
    file.write_text(json.dumps(system))
    first, second = (converse(ask(q), "--system", f"file://{file}")["usage"] for q in ("One?", "Two?"))
    assert first["cacheWriteInputTokens"] == second["cacheReadInputTokens"] > 0


def test_thinking():
    out = converse(
        ask("How many legs have two cats?"),
        "--inference-config", '{"maxTokens": 2000}',
        "--additional-model-request-fields", '{"thinking": {"type": "enabled", "budget_tokens": 1024}}',
    )
    thought = out["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"]
    assert thought["text"] and thought["signature"]


def test_counting():
    counted = answer(
        "count-tokens", "--model-id", MODELS["base"],
        "--input", json.dumps({"converse": {"messages": ask("Name one river.")}}),
    )
    assert counted["inputTokens"] == converse(ask("Name one river."))["usage"]["inputTokens"]
