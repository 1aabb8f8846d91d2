"""What the suites of services share: an emulator for each class, clients, the validation.

A client gets the address and the key pair that `workshop env` prints, and nothing else of the machine.
Whatever botocore reads is held against botocore's own service model (`python/service_model.py`).
"""

import json
import os
import sys
import unittest
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "python")]

import run  # noqa: E402

os.environ.setdefault("WORKSHOP_BIN", str(run.TARGET / "debug" / "workshop"))
os.environ.setdefault("CLIENTS_MODELS", json.dumps(run.models()))

import boto3  # noqa: E402
import service_model  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from emulator import MODELS, Emulator  # noqa: E402

service_model.watch()

REGION = "us-east-1"
ACCOUNT = "123456789012"


class ServiceTest(unittest.TestCase):
    """One emulator for all tests of a class, with the class's settings file and arguments."""

    SETTINGS = ""
    ARGS = ()

    @classmethod
    def setUpClass(cls):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        # No file of the machine decides what is tested.
        os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
        cls.emulator = Emulator(cls.SETTINGS, args=cls.ARGS)
        cls.addClassCleanup(cls.emulator.stop)
        env = cls.emulator.env
        cls.keys = (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], None)

    def setUp(self):
        service_model.FINDINGS.clear()
        self.addCleanup(self.answers_fit_the_service_model)

    def answers_fit_the_service_model(self):
        found = dict.fromkeys(service_model.FINDINGS)
        if found:
            self.fail("The service model does not describe:\n" + "\n".join(list(found)[:20]))

    def client(self, service, keys=None, region=REGION, unchecked=False):
        """A boto3 client that does not retry; `unchecked`, it sends what its model forbids."""
        access_key, secret_key, token = keys or self.keys
        client = boto3.session.Session().client(
            service,
            endpoint_url=self.emulator.url,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            config=Config(
                retries={"total_max_attempts": 1},
                parameter_validation=not unchecked,
                # Some operations of Logs put `stream-` before the host; here it is an address.
                inject_host_prefix=False,
            ),
        )
        self.addCleanup(client.close)
        return client

    def refused(self, code, status, call, **members):
        """The message of the error with which the call must end."""
        with self.assertRaises(ClientError) as raised:
            call(**members)
        answer = raised.exception.response
        self.assertEqual(answer["Error"]["Code"], code, answer)
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], status, answer)
        # What `except client.exceptions.X` catches, where the model knows the error.
        modelled = getattr(call.__self__.exceptions, code, None) if has(call, code) else None
        if modelled:
            self.assertIsInstance(raised.exception, modelled)
        return answer["Error"]["Message"]

    def control(self, method, path, body=None):
        """The emulator's own control API, with nothing but the standard library."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        asked = urllib.request.Request(self.emulator.url + path, data, headers, method=method)
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)


def has(call, code):
    return code in {shape.error_code for shape in call.__self__.meta.service_model.error_shapes}


def converse(client, text="Name one river.", model=MODELS["haiku"], **more):
    return client.converse(modelId=model, messages=[{"role": "user", "content": [{"text": text}]}], **more)


def until_throttled(client, **more):
    """How many answers come before a ThrottlingException. Quotas refill while one asks, so there may
    be a few more than a minute's worth."""
    for answers in range(100):
        try:
            converse(client, **more)
        except client.exceptions.ThrottlingException as throttled:
            return answers, throttled.response["Error"]["Message"]
    raise AssertionError("a hundred answers, and nothing was throttled")


def text_of(answer):
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])
