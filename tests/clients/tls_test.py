"""boto3 over TLS: `workshop emulator --tls` and what `workshop env --tls` prints are all it gets."""

import json
import os
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, SSLError

WORKSHOP = os.environ["WORKSHOP_BIN"]
API_KEY = "ABSKtest-key-of-this-test-only"


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        cls.env["WORKSHOP_STATE_DIR"] = cls.folder.name + "/state"
        config = cls.folder.name + "/emulator.toml"
        with open(config, "w") as f:
            f.write(
                "tls = true\n[[api_key]]\n"
                f'token = "{API_KEY}"\n'
                'arn = "arn:aws:iam::123456789012:user/key"\n'
            )
        cls.process = subprocess.Popen(
            [WORKSHOP, "emulator", "--addr", "127.0.0.1:0", "--json", "--no-latency"]
            + ["--config", config],
            stdout=subprocess.PIPE,
            text=True,
            env=cls.env,
        )
        ready = json.loads(cls.process.stdout.readline())
        cls.url, cls.tls_url = ready["emulator"], ready["tls"]
        printed = subprocess.check_output(
            [WORKSHOP, "env", "--tls", "--shell", "json"]
            + ["--emulator-addr", cls.url.removeprefix("http://")],
            text=True,
            env=cls.env,
        )
        cls.printed = json.loads(printed)

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait(10)
        cls.process.stdout.close()
        cls.folder.cleanup()

    def client(self, **changes):
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(self.printed)
        for name, value in changes.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        return boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))

    def ask(self, client):
        return client.converse(
            modelId=self.printed["ANTHROPIC_DEFAULT_HAIKU_MODEL"],
            messages=[{"role": "user", "content": [{"text": "Name one river."}]}],
        )

    def test_env_gives_https_and_the_authority(self):
        self.assertEqual(self.printed["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"], self.tls_url)
        self.assertTrue(self.tls_url.startswith("https://"))
        with open(self.printed["AWS_CA_BUNDLE"]) as f:
            self.assertIn("BEGIN CERTIFICATE", f.read())

    def test_signed_requests_over_tls(self):
        self.assertEqual(self.ask(self.client())["ResponseMetadata"]["HTTPStatusCode"], 200)

    def test_an_api_key_works_over_tls(self):
        keyed = self.client(
            AWS_BEARER_TOKEN_BEDROCK=API_KEY, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None
        )
        self.assertTrue(self.ask(keyed)["output"]["message"]["content"][0]["text"])

    def test_a_wrong_api_key_is_refused(self):
        keyed = self.client(AWS_BEARER_TOKEN_BEDROCK="ABSKwrong")
        with self.assertRaises(ClientError) as refused:
            self.ask(keyed)
        self.assertEqual(refused.exception.response["ResponseMetadata"]["HTTPStatusCode"], 403)

    def test_a_stream_over_tls(self):
        stream = self.client().converse_stream(
            modelId=self.printed["ANTHROPIC_DEFAULT_HAIKU_MODEL"],
            messages=[{"role": "user", "content": [{"text": "Tell me about tides."}]}],
        )["stream"]
        self.assertIn("metadata", [next(iter(event)) for event in stream])

    def test_who_does_not_trust_the_authority_gets_nothing(self):
        with self.assertRaises(SSLError):
            self.ask(self.client(AWS_CA_BUNDLE=None))

    def test_the_certificate_passes_the_strictest_checks_of_openssl(self):
        context = ssl.create_default_context(cafile=self.printed["AWS_CA_BUNDLE"])
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        for host in ["127.0.0.1", "localhost"]:
            url = self.tls_url.replace("127.0.0.1", host) + "/nothing"
            with self.assertRaises(urllib.error.HTTPError) as answered:
                urllib.request.urlopen(url, context=context)
            self.assertEqual(answered.exception.code, 404)
            answered.exception.close()

    def test_the_same_port_still_speaks_cleartext(self):
        with self.assertRaises(urllib.error.HTTPError) as answered:
            urllib.request.urlopen(self.url + "/nothing")
        self.assertEqual(answered.exception.code, 404)
        answered.exception.close()


if __name__ == "__main__":
    unittest.main()
