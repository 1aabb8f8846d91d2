"""boto3 through `workshop record`, then offline from `workshop emulator --replay`; and words from a
stand-in model through `--upstream`."""

import http.server
import json
import os
import subprocess
import tempfile
import threading
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

WORKSHOP = os.environ["WORKSHOP_BIN"]


class Running:
    """A `workshop` command that prints its address as JSON when it is ready."""

    def __init__(self, *args, env=None):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        # Nothing of this machine.
        clean |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        self.process = subprocess.Popen(
            [WORKSHOP, *args, "--addr", "127.0.0.1:0", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env=clean | (env or {}),
        )
        ready = self.line()
        self.url = ready.get("emulator") or ready["recorder"]

    def line(self):
        return json.loads(self.process.stdout.readline())

    def env(self):
        addr = self.url.removeprefix("http://")
        printed = subprocess.check_output(
            [WORKSHOP, "env", "--shell", "json", "--emulator-addr", addr], text=True
        )
        return json.loads(printed)

    def client(self):
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(self.env())
        return boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


def ask(client, text, model):
    messages = [{"role": "user", "content": [{"text": text}]}]
    return client.converse(modelId=model, messages=messages)


def stream(client, text, model):
    messages = [{"role": "user", "content": [{"text": text}]}]
    return list(client.converse_stream(modelId=model, messages=messages)["stream"])


class RecordAndReplay(unittest.TestCase):
    def test_what_boto3_got_it_gets_again(self):
        with tempfile.TemporaryDirectory() as folder:
            bedrock = Running("emulator", "--no-latency")
            model = bedrock.env()["ANTHROPIC_DEFAULT_HAIKU_MODEL"]
            keys = {k: v for k, v in bedrock.env().items() if k.startswith("AWS_") and "KEY" in k}
            recorder = Running("record", "--upstream", bedrock.url, "--to", folder, env=keys)
            try:
                client = recorder.client()
                first = ask(client, "Name one river.", model)
                told = stream(client, "Tell me about tides.", model)
                names = [recorder.line()["recorded"] for _ in range(2)]
                self.assertTrue(names[0].startswith("0001-converse-"), names)
            finally:
                recorder.stop()
                bedrock.stop()

            offline = Running("emulator", "--replay", folder)
            try:
                client = offline.client()
                again = ask(client, "Name one river.", model)
                self.assertEqual(again["output"], first["output"])
                self.assertEqual(
                    again["ResponseMetadata"]["RequestId"], first["ResponseMetadata"]["RequestId"]
                )
                self.assertEqual(stream(client, "Tell me about tides.", model), told)
                with self.assertRaises(ClientError) as missed:
                    ask(client, "Name one lake.", model)
                message = missed.exception.response["Error"]["Message"]
                self.assertIn("the nearest is 0001-converse", message)
                self.assertIn('was "Name one river.", this request has "Name one lake."', message)
            finally:
                offline.stop()

    def test_real_bedrock_is_not_called_by_accident(self):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        clean |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

        def record(**env):
            return subprocess.run(
                [WORKSHOP, "record", "--region", "us-east-1"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=clean | env,
            )

        nothing = record()
        self.assertEqual(nothing.returncode, 4)
        self.assertIn("no AWS credentials", nothing.stderr)
        example = record(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="x")
        self.assertIn("the emulator's example key", example.stderr)
        unasked = record(AWS_ACCESS_KEY_ID="AKIASOMEBODYELSE0000", AWS_SECRET_ACCESS_KEY="x")
        self.assertIn("billed to that account", unasked.stderr)
        self.assertIn("add --yes", unasked.stderr)
        self.assertEqual(unasked.returncode, 4)


class StandIn(http.server.BaseHTTPRequestHandler):
    """Speaks chat completions: two words of text, or a call of the tool it is given."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked.get("tools"):
            call = {"name": asked["tools"][0]["function"]["name"], "arguments": '{"city":"Oslo"}'}
            deltas = [{"tool_calls": [{"index": 0, "id": "c", "function": call}]}]
        else:
            deltas = [{"content": "Real "}, {"content": "words."}]
        chunks = [{"choices": [{"delta": delta}]} for delta in deltas]
        chunks.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class Upstream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{cls.server.server_port}/v1"
        cls.emulator = Running("emulator", "--upstream", url, "--upstream-model", "stand-in")
        cls.model = cls.emulator.env()["ANTHROPIC_DEFAULT_HAIKU_MODEL"]
        cls.client = cls.emulator.client()

    @classmethod
    def tearDownClass(cls):
        cls.emulator.stop()
        cls.server.shutdown()
        cls.server.server_close()

    def test_words(self):
        answer = ask(self.client, "Hi", self.model)
        self.assertEqual(answer["output"]["message"]["content"], [{"text": "Real words."}])
        self.assertGreater(answer["usage"]["outputTokens"], 0)

    def test_words_in_a_stream(self):
        events = stream(self.client, "Hi", self.model)
        deltas = [e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e]
        self.assertEqual(deltas, ["Real ", "words."])
        self.assertIn("metadata", events[-1])

    def test_a_tool(self):
        tool = {"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}
        answer = self.client.converse(
            modelId=self.model,
            messages=[{"role": "user", "content": [{"text": "How is it in Oslo?"}]}],
            toolConfig={"tools": [tool]},
        )
        self.assertEqual(answer["stopReason"], "tool_use")
        use = answer["output"]["message"]["content"][0]["toolUse"]
        self.assertEqual((use["name"], use["input"]), ("weather", {"city": "Oslo"}))


if __name__ == "__main__":
    unittest.main()
