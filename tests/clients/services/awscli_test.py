"""The AWS CLI against every service: what people type to look around."""

import json
import os
import subprocess
import sys
import unittest
from datetime import datetime, timedelta, timezone

from bench import ACCOUNT, MODELS, REGION, ServiceTest, converse


class Cli(ServiceTest):
    def aws(self, *args):
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        env |= self.emulator.env | {
            # One address for every service, as `--endpoint-url` does for one command.
            "AWS_ENDPOINT_URL": self.emulator.url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
        }
        command = [sys.executable, "-m", "awscli", *args]
        return subprocess.run(command, text=True, capture_output=True, check=False, timeout=60, env=env)

    def answer(self, *args):
        done = self.aws(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def test_bedrock(self):
        models = self.answer("bedrock", "list-foundation-models", "--by-provider", "anthropic")["modelSummaries"]
        self.assertIn(MODELS["base"], [model["modelId"] for model in models])
        names = self.answer(
            "bedrock", "list-foundation-models", "--by-output-modality", "EMBEDDING",
            "--query", "modelSummaries[].modelId",
        )
        self.assertIn(MODELS["titan_embed"], names)
        profiles = self.answer("bedrock", "list-inference-profiles", "--max-items", "5")
        self.assertEqual(len(profiles["inferenceProfileSummaries"]), 5)
        more = self.answer(
            "bedrock", "list-inference-profiles", "--page-size", "5",
            "--query", "inferenceProfileSummaries[].inferenceProfileId",
        )
        self.assertIn(MODELS["haiku"], more)
        one = self.answer("bedrock", "get-inference-profile", "--inference-profile-identifier", MODELS["haiku"])
        self.assertEqual(one["type"], "SYSTEM_DEFINED")

    def test_a_guardrail_from_beginning_to_end(self):
        made = self.answer(
            "bedrock", "create-guardrail", "--name", "cli", "--blocked-input-messaging", "No.",
            "--blocked-outputs-messaging", "No.", "--sensitive-information-policy-config",
            json.dumps({"piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]}),
        )
        applied = self.answer(
            "bedrock-runtime", "apply-guardrail", "--guardrail-identifier", made["guardrailId"],
            "--guardrail-version", "DRAFT", "--source", "OUTPUT",
            "--content", json.dumps([{"text": {"text": "Ask ada@example.org."}}]),
        )
        self.assertEqual((applied["action"], applied["outputs"]), ("GUARDRAIL_INTERVENED", [{"text": "Ask {EMAIL}."}]))
        self.answer("bedrock", "delete-guardrail", "--guardrail-identifier", made["guardrailId"])
        gone = self.aws("bedrock", "get-guardrail", "--guardrail-identifier", made["guardrailId"])
        self.assertIn("(ResourceNotFoundException) when calling the GetGuardrail operation", gone.stderr)

    def test_sts(self):
        self.assertEqual(self.answer("sts", "get-caller-identity")["Account"], ACCOUNT)

    def test_cloudwatch(self):
        converse(self.client("bedrock-runtime"))
        metrics = self.answer("cloudwatch", "list-metrics", "--namespace", "AWS/Bedrock")["Metrics"]
        self.assertIn("Invocations", [metric["MetricName"] for metric in metrics])
        self.answer("cloudwatch", "put-metric-data", "--namespace", "Own", "--metric-name", "Tries", "--value", "3")
        listed = self.answer("cloudwatch", "list-metrics", "--namespace", "Own")["Metrics"]
        self.assertEqual([metric["MetricName"] for metric in listed], ["Tries"])
        now = datetime.now(timezone.utc)
        points = self.answer(
            "cloudwatch", "get-metric-statistics", "--namespace", "Own", "--metric-name", "Tries",
            "--statistics", "Sum", "Maximum", "--period", "3600",
            "--start-time", (now - timedelta(minutes=30)).isoformat(),
            "--end-time", (now + timedelta(minutes=2)).isoformat(),
        )["Datapoints"]
        self.assertEqual([(point["Sum"], point["Maximum"]) for point in points], [(3, 3)])

    def test_logs(self):
        config = {"cloudWatchConfig": {"logGroupName": "/cli", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/Logs"},
                  "textDataDeliveryEnabled": True}
        self.answer("bedrock", "put-model-invocation-logging-configuration", "--logging-config", json.dumps(config))
        converse(self.client("bedrock-runtime"), "A word for the log: marzipan.")
        found = self.answer("logs", "filter-log-events", "--log-group-name", "/cli", "--filter-pattern", "marzipan")
        self.assertEqual(len(found["events"]), 1)
        groups = self.answer("logs", "describe-log-groups")["logGroups"]
        self.assertEqual([group["logGroupName"] for group in groups], ["/cli"])

    def test_cloudtrail_and_quotas(self):
        converse(self.client("bedrock-runtime"))
        events = self.answer(
            "cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=Converse",
            "--max-items", "1",
        )["Events"]
        self.assertEqual([event["EventName"] for event in events], ["Converse"])
        quotas = self.answer("service-quotas", "list-service-quotas", "--service-code", "bedrock")["Quotas"]
        self.assertGreater(len(quotas), 20)
        self.assertTrue(all(f":{REGION}:{ACCOUNT}:" in quota["QuotaArn"] for quota in quotas))


if __name__ == "__main__":
    unittest.main()
