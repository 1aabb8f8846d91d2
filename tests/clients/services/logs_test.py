"""boto3's `logs`, `cloudtrail` and `service-quotas`."""

import json
import unittest
from datetime import datetime, timedelta, timezone

from bench import ACCOUNT, MODELS, REGION, ServiceTest, converse, until_throttled

HAIKU = MODELS["haiku"]


def millis(ago=0):
    return int((datetime.now(timezone.utc) - timedelta(seconds=ago)).timestamp() * 1_000)


class Logs(ServiceTest):
    def setUp(self):
        super().setUp()
        self.logs = self.client("logs")
        self.group = "/lesson/" + self.id().rpartition(".")[2]

    def put(self, stream, *messages, ago=60):
        at = millis(ago)
        events = [{"timestamp": at + n, "message": message} for n, message in enumerate(messages)]
        return self.logs.put_log_events(logGroupName=self.group, logStreamName=stream, logEvents=events)

    def start(self, *streams):
        self.logs.create_log_group(logGroupName=self.group)
        for stream in streams:
            self.logs.create_log_stream(logGroupName=self.group, logStreamName=stream)

    def found(self, **asked):
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.group, **asked)
        return [event["message"] for page in pages for event in page["events"]]

    def test_groups_and_streams_come_and_go(self):
        self.start("one", "two")
        self.logs.put_retention_policy(logGroupName=self.group, retentionInDays=7)
        [group] = self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"]
        self.assertEqual((group["logGroupName"], group["retentionInDays"]), (self.group, 7))
        self.assertEqual(group["arn"], f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.group}:*")
        streams = self.logs.describe_log_streams(logGroupName=self.group)["logStreams"]
        self.assertEqual([s["logStreamName"] for s in streams], ["one", "two"])
        self.refused("ResourceAlreadyExistsException", 400, self.logs.create_log_group, logGroupName=self.group)
        self.logs.delete_log_stream(logGroupName=self.group, logStreamName="one")
        streams = self.logs.describe_log_streams(logGroupName=self.group)["logStreams"]
        self.assertEqual([s["logStreamName"] for s in streams], ["two"])
        self.logs.delete_log_group(logGroupName=self.group)
        self.assertEqual(self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"], [])
        for call in (self.logs.describe_log_streams, self.logs.filter_log_events):
            message = self.refused("ResourceNotFoundException", 400, call, logGroupName=self.group)
            self.assertEqual(message, "The specified log group does not exist.")

    def test_events_are_read_back_in_order(self):
        self.start("one", "two")
        self.put("one", "early", ago=120)
        self.put("two", "between", ago=60)
        self.put("one", "late", ago=30)
        self.assertEqual(self.found(), ["early", "between", "late"])
        self.assertEqual(self.found(logStreamNames=["one"]), ["early", "late"])
        self.assertEqual(self.found(logStreamNamePrefix="tw"), ["between"])
        self.assertEqual(self.found(startTime=millis(90)), ["between", "late"])
        self.assertEqual(self.found(endTime=millis(90)), ["early"])
        events = self.logs.get_log_events(logGroupName=self.group, logStreamName="one", startFromHead=True)
        self.assertEqual([event["message"] for event in events["events"]], ["early", "late"])
        again = self.logs.get_log_events(
            logGroupName=self.group, logStreamName="one", nextToken=events["nextForwardToken"]
        )
        self.assertEqual((again["events"], again["nextForwardToken"]), ([], events["nextForwardToken"]))
        [stream, _] = self.logs.describe_log_streams(
            logGroupName=self.group, orderBy="LastEventTime", descending=True
        )["logStreams"]
        self.assertEqual(stream["logStreamName"], "one")

    def test_patterns(self):
        self.start("one")
        lines = [
            json.dumps({"level": "ERROR", "took": 120, "tenant": {"id": "a"}}),
            json.dumps({"level": "INFO", "took": 5, "tenant": {"id": "b"}}),
            "ERROR plain text of tenant c",
            "WARN plain text",
        ]
        self.put("one", *lines)
        for pattern, numbers in (
            ("", [0, 1, 2, 3]),
            ("ERROR", [0, 2]),
            ("ERROR plain", [2]),
            ("?WARN ?INFO", [1, 3]),
            ("plain -ERROR", [3]),
            ('"plain text"', [2, 3]),
            ('{ $.level = "ERROR" }', [0]),
            ("{ $.took > 10 }", [0]),
            ('{ $.tenant.id = "b" && $.took < 10 }', [1]),
            ('{ $.level = "*R*" || $.took = 5 }', [0, 1]),
        ):
            with self.subTest(pattern):
                self.assertEqual(self.found(filterPattern=pattern), [lines[n] for n in numbers])
        self.refused(
            "InvalidParameterException", 400, self.logs.filter_log_events,
            logGroupName=self.group, filterPattern="{ $.took > }",
        )

    def test_pages(self):
        self.start("one")
        self.put("one", *(f"event {n}" for n in range(25)))
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=self.group, PaginationConfig={"PageSize": 10}
        )
        pages = [[event["message"] for event in page["events"]] for page in pages]
        self.assertEqual([len(page) for page in pages], [10, 10, 5])
        self.assertEqual(sum(pages, []), [f"event {n}" for n in range(25)])

    def test_what_a_stream_does_not_take(self):
        self.start("one")
        call = self.logs.put_log_events
        self.refused(
            "ResourceNotFoundException", 400, call, logGroupName=self.group, logStreamName="none",
            logEvents=[{"timestamp": millis(), "message": "x"}],
        )
        later, earlier = {"timestamp": millis(10), "message": "b"}, {"timestamp": millis(20), "message": "a"}
        self.refused(
            "InvalidParameterException", 400, call, logGroupName=self.group, logStreamName="one",
            logEvents=[later, earlier],
        )
        answer = self.put("one", "too old", ago=15 * 86_400)
        self.assertEqual(answer["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"], 1)
        self.assertEqual(self.found(), [])


class Trail(ServiceTest):
    def setUp(self):
        super().setUp()
        self.trail = self.client("cloudtrail")

    def lookup(self, **attribute):
        asked = [{"AttributeKey": k, "AttributeValue": v} for k, v in attribute.items()]
        pages = self.trail.get_paginator("lookup_events").paginate(LookupAttributes=asked)
        return [event for page in pages for event in page["Events"]]

    def test_calls_leave_events_without_their_words(self):
        runtime = self.client("bedrock-runtime")
        answer = converse(runtime, "The secret word is marzipan.")
        with self.assertRaises(runtime.exceptions.ValidationException):
            runtime.converse(modelId=HAIKU, messages=[])
        self.client("bedrock").list_guardrails()

        failed, good = self.lookup(EventName="Converse")[:2]
        self.assertEqual((good["EventSource"], good["ReadOnly"]), ("bedrock.amazonaws.com", "true"))
        event = json.loads(good["CloudTrailEvent"])
        self.assertEqual(event["requestID"], answer["ResponseMetadata"]["RequestId"])
        self.assertEqual(event["requestParameters"], {"modelId": HAIKU})
        self.assertEqual(event["recipientAccountId"], ACCOUNT)
        self.assertEqual(event["userIdentity"]["accountId"], ACCOUNT)
        self.assertIn("Boto3", event["userAgent"])
        self.assertNotIn("marzipan", good["CloudTrailEvent"])
        self.assertEqual(good["Resources"][0]["ResourceName"], HAIKU)
        self.assertEqual(json.loads(failed["CloudTrailEvent"])["errorCode"], "ValidationException")
        self.assertEqual(event["eventID"], good["EventId"])
        self.assertEqual([e["EventId"] for e in self.lookup(EventId=good["EventId"])], [good["EventId"]])
        self.assertIn("ListGuardrails", {e["EventName"] for e in self.lookup(EventSource="bedrock.amazonaws.com")})

    def test_who_and_when(self):
        runtime = self.client("bedrock-runtime")
        converse(runtime)
        me = self.client("sts").get_caller_identity()["Arn"].rpartition("/")[2]
        mine = self.lookup(Username=me)
        self.assertTrue(mine)
        self.assertTrue(self.lookup(AccessKeyId=self.keys[0]))
        self.assertEqual(self.lookup(Username="nobody"), [])
        hour = timedelta(hours=1)
        now = datetime.now(timezone.utc)
        self.assertEqual(self.trail.lookup_events(StartTime=now + hour, EndTime=now + 2 * hour)["Events"], [])
        times = [event["EventTime"] for event in mine]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertLess(abs(times[0] - now), timedelta(minutes=1))

    def test_pages(self):
        runtime = self.client("bedrock-runtime")
        for _ in range(5):
            converse(runtime)
        pages = self.trail.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "Converse"}],
            PaginationConfig={"PageSize": 2},
        )
        pages = [[event["EventId"] for event in page["Events"]] for page in pages]
        self.assertTrue(all(len(page) <= 2 for page in pages))
        ids = sum(pages, [])
        self.assertGreaterEqual(len(ids), 5)
        self.assertEqual(len(ids), len(set(ids)))


class Quotas(ServiceTest):
    SETTINGS = f"""
[[quota]]
model = "{HAIKU}"
requests_per_minute = 3
tokens_per_minute = 12345
"""

    def setUp(self):
        super().setUp()
        self.quotas = self.client("service-quotas")

    def all(self, operation, **members):
        key = "Services" if operation == "list_services" else "Quotas"
        pages = self.quotas.get_paginator(operation).paginate(**members)
        return [quota for page in pages for quota in page[key]]

    def test_bedrock_is_a_service(self):
        services = self.all("list_services")
        self.assertIn({"ServiceCode": "bedrock", "ServiceName": "Amazon Bedrock"}, services)

    def test_quotas_have_names_values_and_pages(self):
        quotas = self.all("list_service_quotas", ServiceCode="bedrock", PaginationConfig={"PageSize": 10})
        self.assertGreater(len(quotas), 20)
        codes = [quota["QuotaCode"] for quota in quotas]
        self.assertEqual(len(codes), len(set(codes)))
        names = " ".join(quota["QuotaName"] for quota in quotas)
        self.assertIn("Cross-region model inference requests per minute for Anthropic Claude", names)
        defaults = self.all("list_aws_default_service_quotas", ServiceCode="bedrock")
        self.assertEqual({quota["QuotaCode"] for quota in defaults}, set(codes))

    def test_the_settings_are_what_the_account_has(self):
        quotas = self.all("list_service_quotas", ServiceCode="bedrock")
        defaults = {q["QuotaCode"]: q for q in self.all("list_aws_default_service_quotas", ServiceCode="bedrock")}
        changed = {q["Value"]: q for q in quotas if q["Value"] != defaults[q["QuotaCode"]]["Value"]}
        self.assertEqual(sorted(changed), [3, 12_345])
        requests = changed[3]
        self.assertIn("requests per minute", requests["QuotaName"])
        one = self.quotas.get_service_quota(ServiceCode="bedrock", QuotaCode=requests["QuotaCode"])["Quota"]
        self.assertEqual(one, requests)
        default = self.quotas.get_aws_default_service_quota(
            ServiceCode="bedrock", QuotaCode=requests["QuotaCode"]
        )["Quota"]
        self.assertEqual(default, defaults[requests["QuotaCode"]])
        # And it is the quota that throttles.
        runtime = self.client("bedrock-runtime")
        # What a request may write is reserved.
        answers, message = until_throttled(runtime, inferenceConfig={"maxTokens": 10})
        self.assertGreaterEqual(answers, 3)
        self.assertIn("Too many requests", message)

    def test_what_is_not_there(self):
        call = self.quotas.get_service_quota
        self.refused("NoSuchResourceException", 400, call, ServiceCode="bedrock", QuotaCode="L-00000000")
        self.refused(
            "NoSuchResourceException", 400, self.quotas.list_service_quotas, ServiceCode="nothing"
        )


if __name__ == "__main__":
    unittest.main()
