"""The control API's accounts, seen by boto3: made, used with their own keys, isolated, dropped."""

import unittest
import urllib.error

from bench import MODELS, ServiceTest, converse, text_of, until_throttled
from emulator import long_text

HAIKU = MODELS["haiku"]


class Accounts(ServiceTest):
    SETTINGS = "requests_per_minute = 6\n"

    def account(self, **asked):
        made = self.control("POST", "/_workshop/accounts", asked)
        return made["id"], (made["access_key_id"], made["secret_access_key"], None)

    def setUp(self):
        super().setUp()
        (self.one, self.keys_of_one), (self.two, self.keys_of_two) = self.account(), self.account()
        self.a = self.client("bedrock-runtime", self.keys_of_one)
        self.b = self.client("bedrock-runtime", self.keys_of_two)

    def requests(self, account):
        return self.control("GET", f"/_workshop/requests?account={account}")["requests"]

    def test_keys_sign_for_their_account(self):
        for account, keys in ((self.one, self.keys_of_one), (self.two, self.keys_of_two)):
            answer = self.client("sts", keys).get_caller_identity()
            self.assertEqual((answer["Account"], answer["Arn"]), (account, f"arn:aws:iam::{account}:user/student"))
        mixed = self.client("sts", (self.keys_of_one[0], self.keys_of_two[1], None))
        self.refused("SignatureDoesNotMatch", 403, mixed.get_caller_identity)

    def test_quotas(self):
        answers, _ = until_throttled(self.a)
        self.assertGreaterEqual(answers, 6)
        self.assertTrue(text_of(converse(self.b)))

    def test_caches(self):
        system = [{"text": long_text(MODELS["cache_minimum"])}, {"cachePoint": {"type": "default"}}]
        usages = [converse(client, system=system)["usage"] for client in (self.a, self.b, self.a)]
        self.assertGreater(usages[0]["cacheWriteInputTokens"], 0)
        self.assertEqual(usages[1]["cacheWriteInputTokens"], usages[0]["cacheWriteInputTokens"])
        self.assertEqual(usages[1]["cacheReadInputTokens"], 0)
        self.assertEqual(usages[2]["cacheReadInputTokens"], usages[0]["cacheWriteInputTokens"])

    def test_journals(self):
        converse(self.a)
        converse(self.a)
        converse(self.b)
        self.assertEqual((len(self.requests(self.one)), len(self.requests(self.two))), (2, 1))
        [entry] = self.requests(self.two)
        self.assertEqual((entry["operation"], entry["status"]), ("Converse", 200))

    def test_faults(self):
        self.control("POST", f"/_workshop/faults?account={self.one}", {
            "fault": [{"error": "ServiceUnavailableException", "count": 1}]
        })
        self.assertTrue(text_of(converse(self.b)))
        with self.assertRaises(self.a.exceptions.ServiceUnavailableException):
            converse(self.a)
        self.assertTrue(text_of(converse(self.a)))

    def test_scripts(self):
        self.control("POST", f"/_workshop/script?account={self.one}", {"reply": [{"text": "Only for one."}]})
        self.assertNotEqual(text_of(converse(self.b)), "Only for one.")
        self.assertEqual(text_of(converse(self.a)), "Only for one.")

    def test_guardrails_and_profiles(self):
        mine, others = (self.client("bedrock", keys) for keys in (self.keys_of_one, self.keys_of_two))
        made = mine.create_guardrail(
            name="mine", blockedInputMessaging="No.", blockedOutputsMessaging="No.",
            wordPolicyConfig={"wordsConfig": [{"text": "skunkworks"}]},
        )
        self.assertIn(f":{self.one}:guardrail/", made["guardrailArn"])
        self.assertEqual(others.list_guardrails()["guardrails"], [])
        get = others.get_guardrail
        self.refused("ResourceNotFoundException", 404, get, guardrailIdentifier=made["guardrailId"])
        source = mine.get_inference_profile(inferenceProfileIdentifier=HAIKU)["inferenceProfileArn"]
        mine.create_inference_profile(inferenceProfileName="mine", modelSource={"copyFrom": source})
        names = [
            profile["inferenceProfileName"]
            for profile in others.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]
        ]
        self.assertNotIn("mine", names)

    def test_metrics_logs_and_trails(self):
        converse(self.a)
        for keys, count in ((self.keys_of_one, 1), (self.keys_of_two, 0)):
            found = self.client("cloudwatch", keys).list_metrics(Namespace="AWS/Bedrock", MetricName="Invocations")
            self.assertEqual(len(found["Metrics"]) > 0, count == 1)
            events = self.client("cloudtrail", keys).lookup_events(
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "Converse"}]
            )
            self.assertEqual(len(events["Events"]), count)
        self.client("logs", self.keys_of_one).create_log_group(logGroupName="/mine")
        self.assertEqual(self.client("logs", self.keys_of_two).describe_log_groups()["logGroups"], [])

    def test_policies_of_an_account(self):
        _, keys = self.account(policies=[{
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "bedrock:List*", "Resource": "*"}],
        }])
        self.client("bedrock", keys).list_guardrails()
        runtime = self.client("bedrock-runtime", keys)
        with self.assertRaises(runtime.exceptions.AccessDeniedException):
            converse(runtime)

    def test_a_dropped_account_is_nobody(self):
        converse(self.a)
        self.assertEqual(self.control("DELETE", f"/_workshop/accounts/{self.one}"), {"deleted": self.one})
        user = [{"role": "user", "content": [{"text": "Hi"}]}]
        self.refused("UnrecognizedClientException", 403, self.a.converse, modelId=HAIKU, messages=user)
        self.assertTrue(text_of(converse(self.b)))
        with self.assertRaises(urllib.error.HTTPError) as missing:
            self.requests(self.one)
        self.assertEqual(missing.exception.code, 404)
        missing.exception.close()

    def test_a_reset_empties_one_account(self):
        converse(self.a)
        converse(self.b)
        self.control("POST", f"/_workshop/reset?account={self.one}")
        self.assertEqual((len(self.requests(self.one)), len(self.requests(self.two))), (0, 1))
        self.assertTrue(text_of(converse(self.a)))

    def test_a_chosen_id_is_given_once(self):
        self.account(id="555555555555")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.account(id="555555555555")
        self.assertEqual(refused.exception.code, 400)
        self.assertIn(b"exists already", refused.exception.read())
        refused.exception.close()


if __name__ == "__main__":
    unittest.main()
