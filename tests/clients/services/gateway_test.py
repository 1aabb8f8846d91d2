"""API Gateway's front: what an HTTP client gets, and what botocore's own signer is let in with."""

import json
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench import ACCOUNT, REGION, ServiceTest

FUNCTION = Path(__file__).with_name("function.py")
INTEGRATION = {
    "type": "aws_proxy",
    "httpMethod": "POST",
    "uri": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
           f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo/invocations",
}
QUESTION = {"type": "object", "required": ["statusCode"], "properties": {"statusCode": {"type": "integer"}}}


def method(**more):
    return {"x-amazon-apigateway-integration": INTEGRATION, "responses": {"200": {"description": "ok"}}} | more


DOCUMENT = {
    "openapi": "3.0.1",
    "info": {"title": "echo", "version": "1"},
    "components": {"securitySchemes": {
        "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "sigv4": {"type": "apiKey", "in": "header", "name": "Authorization",
                  "x-amazon-apigateway-authtype": "awsSigv4"},
    }},
    "x-amazon-apigateway-request-validators": {
        "body": {"validateRequestBody": True, "validateRequestParameters": False}},
    "paths": {
        "/keyed": {"get": method(security=[{"api_key": []}])},
        "/signed": {"get": method(security=[{"sigv4": []}])},
        "/checked": {"post": method(**{
            "x-amazon-apigateway-request-validator": "body",
            "requestBody": {"content": {"application/json": {"schema": QUESTION}}},
        })},
    },
}
SETTINGS = {
    "apiId": "echo123456",
    "stage": {"stageName": "v1"},
    "apiKeys": [{"id": "ours", "value": "a-key-of-twenty-letters"}],
    "usagePlans": [{"name": "slow", "keys": ["ours"], "throttle": {"rateLimit": 0.01, "burstLimit": 5}}],
}
LOCAL = f"""
[[function]]
name = "echo"
program = "{FUNCTION}"
timeout = 30

[[api]]
document = "api.json"
settings = "settings.json"
"""


class Gateway(ServiceTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = Path(folder.name)
        (path / "api.json").write_text(json.dumps(DOCUMENT))
        (path / "settings.json").write_text(json.dumps(SETTINGS))
        (path / "local.toml").write_text(LOCAL)
        cls.ARGS = ("--local", str(path / "local.toml"))
        super().setUpClass()

    def url(self, path):
        return f"{self.emulator.url}/_aws/execute-api/{SETTINGS['apiId']}/v1{path}"

    def ask(self, path, headers=(), body=None):
        """Status, headers and JSON of the answer."""
        asked = urllib.request.Request(self.url(path), body, dict(headers))
        try:
            answer = urllib.request.urlopen(asked)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return answer.status, answer.headers, json.loads(answer.read() or b"null")

    def test_a_burst_of_twelve_is_throttled_after_five(self):
        self.assertEqual(self.ask("/keyed")[::2], (403, {"message": "Forbidden"}))
        key = {"x-api-key": "a-key-of-twenty-letters"}
        answers = [self.ask("/keyed", key) for _ in range(12)]
        self.assertEqual([status for status, _, _ in answers], [200] * 5 + [429] * 7)
        _, headers, body = answers[-1]
        self.assertEqual(body, {"message": "Too Many Requests"})
        self.assertEqual(headers["x-amzn-ErrorType"], "TooManyRequestsException")

    def test_botocores_signature_is_let_in_and_another_is_not(self):
        self.assertEqual(self.ask("/signed")[::2], (403, {"message": "Missing Authentication Token"}))
        for secret, status in ((self.keys[1], 200), ("another secret", 403)):
            request = AWSRequest("GET", self.url("/signed"))
            SigV4Auth(Credentials(self.keys[0], secret), "execute-api", REGION).add_auth(request)
            self.assertEqual(self.ask("/signed", request.headers.items())[0], status)

    def test_a_body_is_held_against_its_schema(self):
        said = {"content-type": "application/json"}
        status, headers, body = self.ask("/checked", said, b'{"statusCode": "x"}')
        self.assertEqual((status, body), (400, {"message": "Invalid request body"}))
        self.assertEqual(headers["x-amzn-ErrorType"], "BadRequestException")
        self.assertEqual(self.ask("/checked", said, b'{"statusCode": 1}')[0], 200)

    def test_requests_count_in_cloudwatch(self):
        self.ask("/checked", body=b"{}")
        metrics = self.client("cloudwatch").list_metrics(Namespace="AWS/ApiGateway")["Metrics"]
        self.assertIn("4XXError", {metric["MetricName"] for metric in metrics})


if __name__ == "__main__":
    unittest.main()
