"""boto3 as a judge of the emulator: the printed `workshop env` is all it gets."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

WORKSHOP = os.environ["WORKSHOP_BIN"]


class Emulator:
    """`workshop emulator` on a free port, with the variables `workshop env` prints for it."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [WORKSHOP, "emulator", "--addr", "127.0.0.1:0", "--json", *args],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = json.loads(self.process.stdout.readline())["emulator"]
        addr = self.url.removeprefix("http://")
        env = subprocess.check_output(
            [WORKSHOP, "env", "--shell", "json", "--emulator-addr", addr], text=True
        )
        self.env = json.loads(env)

    def client(self):
        for name in list(os.environ):
            if name.startswith("AWS_"):
                del os.environ[name]
        os.environ.update(self.env)
        return boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


def ask(text):
    return [{"role": "user", "content": [{"text": text}]}]


class Boto3(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator()
        cls.client = cls.emulator.client()
        cls.model = cls.emulator.env["ANTHROPIC_DEFAULT_HAIKU_MODEL"]

    @classmethod
    def tearDownClass(cls):
        cls.emulator.stop()

    def test_converse(self):
        out = self.client.converse(
            modelId=self.model,
            messages=ask("Name one river in one sentence."),
            inferenceConfig={"maxTokens": 60},
        )
        self.assertEqual(out["ResponseMetadata"]["HTTPStatusCode"], 200)
        self.assertTrue(out["output"]["message"]["content"][0]["text"])
        usage = out["usage"]
        self.assertEqual(usage["totalTokens"], usage["inputTokens"] + usage["outputTokens"])

    def test_converse_stream_is_paced(self):
        stream = self.client.converse_stream(
            modelId=self.model, messages=ask("Tell me about tides in five sentences.")
        )["stream"]
        arrivals, events = [], []
        for event in stream:
            arrivals.append(time.monotonic())
            events.append(next(iter(event)))
        self.assertEqual(events[0], "messageStart")
        self.assertEqual(events[-2:], ["messageStop", "metadata"])
        self.assertNotIn("contentBlockStart", events)
        self.assertGreater(events.count("contentBlockDelta"), 2)
        # One gap is enough to know that the frames did not come in one piece.
        self.assertGreater(arrivals[-1] - arrivals[0], 0.02)

    def test_invoke_model(self):
        body = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 40,
            "messages": [{"role": "user", "content": "Hello"}],
        }
        out = self.client.invoke_model(modelId=self.model, body=json.dumps(body))
        answer = json.loads(out["body"].read())
        self.assertEqual(answer["type"], "message")
        self.assertIn(answer["stop_reason"], ("end_turn", "max_tokens"))

    def test_invoke_model_with_response_stream(self):
        body = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 40,
            "messages": [{"role": "user", "content": "Hello"}],
        }
        out = self.client.invoke_model_with_response_stream(
            modelId=self.model, body=json.dumps(body)
        )
        chunks = [json.loads(e["chunk"]["bytes"]) for e in out["body"]]
        self.assertEqual(chunks[0]["type"], "message_start")
        self.assertEqual(chunks[-1]["type"], "message_stop")
        self.assertIn("amazon-bedrock-invocationMetrics", chunks[-1])

    def test_forced_tool_choice(self):
        schema = {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city", "days"],
        }
        tool = {"name": "forecast", "inputSchema": {"json": schema}}
        out = self.client.converse(
            modelId=self.model,
            messages=ask("Forecast for Lisbon, 3 days"),
            toolConfig={"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": "forecast"}}},
        )
        self.assertEqual(out["stopReason"], "tool_use")
        blocks = out["output"]["message"]["content"]
        use = next(b["toolUse"] for b in blocks if "toolUse" in b)
        self.assertIsInstance(use["input"]["city"], str)
        self.assertGreaterEqual(use["input"]["days"], 1)

    def test_errors_are_typed(self):
        with self.assertRaises(self.client.exceptions.ValidationException) as caught:
            self.client.converse(modelId="no.such-model", messages=ask("x"))
        self.assertEqual(
            caught.exception.response["Error"]["Message"],
            "The provided model identifier is invalid.",
        )

    def test_the_aws_cli_follows_the_same_variables(self):
        out = subprocess.check_output(
            [sys.executable, "-m", "awscli", "bedrock-runtime", "converse", "--model-id", self.model,
             "--messages", json.dumps(ask("Hello"))],
            env={**os.environ, **self.emulator.env}, text=True,
        )
        self.assertEqual(json.loads(out)["stopReason"], "end_turn")

    def test_a_wrong_secret_is_refused(self):
        client = boto3.client("bedrock-runtime", aws_secret_access_key="wrong",
                              aws_access_key_id=self.emulator.env["AWS_ACCESS_KEY_ID"])
        with self.assertRaises(ClientError) as caught:
            client.converse(modelId=self.model, messages=ask("x"))
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidSignatureException")


class Throttled(unittest.TestCase):
    def test_the_quota_throttles(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as settings:
            settings.write("requests_per_minute = 1\n")
            settings.flush()
            emulator = Emulator("--config", settings.name)
            try:
                client = emulator.client()
                model = emulator.env["ANTHROPIC_DEFAULT_HAIKU_MODEL"]
                client.converse(modelId=model, messages=ask("x"))
                with self.assertRaises(client.exceptions.ThrottlingException):
                    client.converse(modelId=model, messages=ask("x"))
            finally:
                emulator.stop()


if __name__ == "__main__":
    unittest.main()
