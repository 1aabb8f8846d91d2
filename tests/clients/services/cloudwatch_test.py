"""boto3's `cloudwatch`, in each of the three protocols that it can speak."""

import json
import unittest
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from bench import MODELS, ServiceTest, converse

HAIKU = MODELS["haiku"]


def minutes_ago(minutes):
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=minutes)


class Suite:
    """What has to hold whatever the protocol."""

    PROTOCOL = ""
    # How the body of a request begins, or its media type.
    MEDIA_TYPE = ""

    def setUp(self):
        super().setUp()
        with patch("botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (self.PROTOCOL,)):
            self.cloudwatch = self.client("cloudwatch")
        self.sent = []
        events = self.cloudwatch.meta.events
        events.register("before-send", lambda request, **_: self.sent.append(request))
        # What other tests of the class put is no business of this one.
        self.namespace = self.id().rpartition(".")[2]

    def put(self, *data):
        self.cloudwatch.put_metric_data(Namespace=self.namespace, MetricData=list(data))

    def statistics(self, name, period=60, **more):
        points = self.cloudwatch.get_metric_statistics(**{
            "Namespace": self.namespace, "MetricName": name, "Period": period,
            "StartTime": minutes_ago(60), "EndTime": minutes_ago(-1),
            "Statistics": ["SampleCount", "Average", "Sum", "Minimum", "Maximum"],
        } | more)["Datapoints"]
        return sorted(points, key=lambda point: point["Timestamp"])

    def test_the_protocol_is_the_one_of_this_suite(self):
        self.cloudwatch.list_metrics()
        [request] = self.sent
        self.assertTrue(request.headers["Content-Type"].decode().startswith(self.MEDIA_TYPE))

    def test_values_are_read_back_with_their_times(self):
        early, late = minutes_ago(20), minutes_ago(10)
        self.put(
            {"MetricName": "Latency", "Timestamp": early, "Value": 1.5, "Unit": "Milliseconds"},
            {"MetricName": "Latency", "Timestamp": early + timedelta(seconds=30.25), "Value": -4.25, "Unit": "Milliseconds"},
            {"MetricName": "Latency", "Timestamp": late, "Value": 1e9, "Unit": "Milliseconds"},
        )
        first, second = self.statistics("Latency")
        self.assertEqual(first, {
            "Timestamp": early, "SampleCount": 2.0, "Sum": -2.75, "Average": -1.375,
            "Minimum": -4.25, "Maximum": 1.5, "Unit": "Milliseconds",
        })
        self.assertEqual((second["Timestamp"], second["Sum"]), (late, 1e9))
        whole = self.statistics("Latency", 3_600)
        self.assertEqual([point["SampleCount"] for point in whole], [3.0])
        self.assertEqual(self.statistics("Latency", Unit="Seconds"), [])

    def test_arrays_and_sets(self):
        at = minutes_ago(5)
        self.put(
            {"MetricName": "Size", "Timestamp": at, "Values": [1.0, 2.0], "Counts": [3.0, 1.0]},
            {"MetricName": "Size", "Timestamp": at,
             "StatisticValues": {"SampleCount": 3, "Sum": 30, "Minimum": 5, "Maximum": 20}},
        )
        [point] = self.statistics("Size")
        self.assertEqual([point[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")], [7, 35, 1, 20])

    def test_a_datum_without_a_time_is_of_now(self):
        self.put({"MetricName": "Now", "Value": 1})
        [point] = self.statistics("Now")
        self.assertGreaterEqual(point["Timestamp"], minutes_ago(1))

    def test_percentiles(self):
        at = minutes_ago(3)
        self.put(*({"MetricName": "Spread", "Timestamp": at, "Value": n} for n in range(1, 101)))
        [point] = self.statistics("Spread", ExtendedStatistics=["p50", "p99"])
        self.assertAlmostEqual(point["ExtendedStatistics"]["p50"], 50, delta=3)
        self.assertAlmostEqual(point["ExtendedStatistics"]["p99"], 99, delta=3)

    def test_a_request_that_boto3_compresses(self):
        datum = {
            "MetricName": "Many", "Timestamp": minutes_ago(3),
            "Dimensions": [{"Name": "Tenant", "Value": "one of many"}],
        }
        self.put(*(datum | {"Value": n} for n in range(500)))
        self.assertEqual(self.sent[-1].headers["Content-Encoding"], b"gzip")
        [point] = self.statistics("Many", Dimensions=datum["Dimensions"])
        self.assertEqual((point["SampleCount"], point["Sum"]), (500, 124_750))

    def test_metrics_are_listed(self):
        def of(name, tenant):
            return {"MetricName": name, "Value": 1, "Dimensions": [{"Name": "Tenant", "Value": tenant}]}

        self.put(of("Calls", "a"), of("Calls", "b"), of("Errors", "a"))
        listed = self.cloudwatch.get_paginator("list_metrics").paginate(Namespace=self.namespace)
        found = {(m["MetricName"], m["Dimensions"][0]["Value"]) for page in listed for m in page["Metrics"]}
        self.assertEqual(found, {("Calls", "a"), ("Calls", "b"), ("Errors", "a")})

        def names(**filters):
            metrics = self.cloudwatch.list_metrics(Namespace=self.namespace, **filters)["Metrics"]
            return sorted(m["MetricName"] for m in metrics)

        self.assertEqual(names(MetricName="Calls"), ["Calls", "Calls"])
        self.assertEqual(names(Dimensions=[{"Name": "Tenant", "Value": "a"}]), ["Calls", "Errors"])
        self.assertEqual(names(Dimensions=[{"Name": "Tenant"}]), ["Calls", "Calls", "Errors"])
        self.assertEqual(names(RecentlyActive="PT3H"), ["Calls", "Calls", "Errors"])
        self.assertEqual(names(MetricName="Nothing"), [])

    def test_metric_data_in_pages_with_math(self):
        backs = (30, 20, 10)
        times = [minutes_ago(back) for back in backs]
        for back, at in zip(backs, times, strict=True):
            self.put(
                {"MetricName": "Good", "Timestamp": at, "Value": back},
                {"MetricName": "Bad", "Timestamp": at, "Value": 1},
            )

        def stat(id, **more):
            metric = {"Namespace": self.namespace, "MetricName": id.capitalize()}
            return {"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}} | more

        asked = {
            "MetricDataQueries": [
                stat("good", Label="Good ones"),
                stat("bad", ReturnData=False),
                {"Id": "rate", "Expression": "100 * bad / (good + bad)"},
            ],
            "StartTime": minutes_ago(60), "EndTime": minutes_ago(0),
        }
        answer = self.cloudwatch.get_metric_data(**asked, ScanBy="TimestampAscending")
        good, rate = answer["MetricDataResults"]
        self.assertEqual((good["Id"], good["Label"], good["StatusCode"]), ("good", "Good ones", "Complete"))
        self.assertEqual(good["Values"], [30, 20, 10])
        self.assertEqual(good["Timestamps"], times)
        for value, back in zip(rate["Values"], backs, strict=True):
            self.assertAlmostEqual(value, 100 / (back + 1))
        newest_first = self.cloudwatch.get_metric_data(**asked)["MetricDataResults"][0]
        self.assertEqual(newest_first["Values"], [10, 20, 30])
        pages = self.cloudwatch.get_paginator("get_metric_data").paginate(**asked, MaxDatapoints=2)
        pages = list(pages)
        self.assertGreater(len(pages), 1)
        values = [v for page in pages for r in page["MetricDataResults"] if r["Id"] == "good" for v in r["Values"]]
        self.assertEqual(values, [10, 20, 30])

    def test_what_bedrock_did_is_in_its_metrics(self):
        runtime = self.client("bedrock-runtime")

        def sums():
            queries = [
                {"Id": name.lower(), "MetricStat": {
                    "Metric": {"Namespace": "AWS/Bedrock", "MetricName": name,
                               "Dimensions": [{"Name": "ModelId", "Value": HAIKU}]},
                    "Period": 3_600, "Stat": stat}}
                for name, stat in (
                    ("Invocations", "Sum"), ("InputTokenCount", "Sum"), ("OutputTokenCount", "Sum"),
                    ("InvocationLatency", "SampleCount"), ("InvocationClientErrors", "Sum"),
                )
            ]
            answer = self.cloudwatch.get_metric_data(
                MetricDataQueries=queries, StartTime=minutes_ago(120), EndTime=minutes_ago(-2)
            )
            return {r["Id"]: sum(r["Values"]) for r in answer["MetricDataResults"]}

        before = sums()
        usages = [converse(runtime, f"Name {n} rivers.")["usage"] for n in (1, 2, 3)]
        with self.assertRaises(runtime.exceptions.ValidationException):
            runtime.converse(modelId=HAIKU, messages=[])
        after = {name: value - before[name] for name, value in sums().items()}
        self.assertEqual(after["invocations"], 3)
        self.assertEqual(after["invocationlatency"], 3)
        self.assertEqual(after["invocationclienterrors"], 1)
        self.assertEqual(after["inputtokencount"], sum(usage["inputTokens"] for usage in usages))
        self.assertEqual(after["outputtokencount"], sum(usage["outputTokens"] for usage in usages))
        listed = self.cloudwatch.list_metrics(Namespace="AWS/Bedrock", MetricName="Invocations")["Metrics"]
        self.assertIn([{"Name": "ModelId", "Value": HAIKU}], [metric["Dimensions"] for metric in listed])

    def alarm(self, name, **more):
        self.cloudwatch.put_metric_alarm(**{
            "AlarmName": name, "Namespace": self.namespace, "MetricName": "Errors", "Statistic": "Minimum",
            "Period": 60, "EvaluationPeriods": 2, "DatapointsToAlarm": 1, "Threshold": 50.0,
            "ComparisonOperator": "GreaterThanThreshold",
        } | more)

    def described(self, name):
        [alarm] = self.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarm

    def summaries(self, name, kind="StateUpdate"):
        pages = self.cloudwatch.get_paginator("describe_alarm_history").paginate(
            AlarmName=name, HistoryItemType=kind, ScanBy="TimestampAscending")
        return [item["HistorySummary"] for page in pages for item in page["AlarmHistoryItems"]]

    def test_an_alarm_rings_by_itself_and_comes_back(self):
        name, page = self.id(), "arn:aws:sns:us-east-1:123456789012:page"
        self.alarm(name, AlarmActions=[page], AlarmDescription="too slow", Unit="Count",
                   Dimensions=[{"Name": "Tenant", "Value": "a"}], Tags=[{"Key": "team", "Value": "b"}])
        new = self.described(name)
        self.assertEqual((new["StateValue"], new["ActionsEnabled"]), ("INSUFFICIENT_DATA", True))
        self.assertEqual(new["Dimensions"], [{"Name": "Tenant", "Value": "a"}])
        self.assertEqual((new["EvaluationPeriods"], new["Threshold"], new["Unit"]), (2, 50, "Count"))
        tags = self.cloudwatch.list_tags_for_resource(ResourceARN=new["AlarmArn"])["Tags"]
        self.assertEqual(tags, [{"Key": "team", "Value": "b"}])
        datum = {"MetricName": "Errors", "Timestamp": minutes_ago(1), "Unit": "Count",
                 "Dimensions": [{"Name": "Tenant", "Value": "a"}]}
        self.put(datum | {"Value": 99.5})
        ringing = self.described(name)
        self.assertEqual(ringing["StateValue"], "ALARM")
        self.assertRegex(ringing["StateReason"], r"^Threshold Crossed: 1 out of the last 2 datapoints \[99\.5 ")
        self.assertEqual(json.loads(ringing["StateReasonData"])["recentDatapoints"], [99.5])
        self.assertGreaterEqual(ringing["StateUpdatedTimestamp"], new["StateUpdatedTimestamp"])
        # The same minute's minimum falls.
        self.put(datum | {"Value": 10})
        self.assertEqual(self.described(name)["StateValue"], "OK")
        self.assertEqual(self.summaries(name), [
            "Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm updated from ALARM to OK"])
        self.assertEqual(self.summaries(name, "Action"), [f"Successfully executed action {page}"])
        for_metric = self.cloudwatch.describe_alarms_for_metric(
            Namespace=self.namespace, MetricName="Errors", Dimensions=datum["Dimensions"])["MetricAlarms"]
        self.assertEqual([alarm["AlarmName"] for alarm in for_metric], [name])

    def test_an_alarm_on_an_expression(self):
        at, name = minutes_ago(1), self.id()
        self.put({"MetricName": "Calls", "Timestamp": at, "Value": 20}, {"MetricName": "Bad", "Timestamp": at, "Value": 3})

        def stat(id):
            metric = {"Namespace": self.namespace, "MetricName": id.capitalize()}
            return {"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

        metrics = [stat("calls"), stat("bad"), {"Id": "rate", "Expression": "100 * bad / calls", "Label": "Rate"}]
        self.cloudwatch.put_metric_alarm(
            AlarmName=name, Metrics=metrics, EvaluationPeriods=1, Threshold=10,
            ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching")
        alarm = self.described(name)
        self.assertEqual((alarm["StateValue"], alarm["TreatMissingData"]), ("ALARM", "notBreaching"))
        self.assertEqual(alarm["Metrics"][2]["Expression"], "100 * bad / calls")
        self.assertEqual(alarm["Metrics"][0]["MetricStat"]["Period"], 60)

    def test_alarms_are_told_set_switched_and_deleted(self):
        names = [f"{self.id()} {n}" for n in range(3)]
        for name in names:
            self.alarm(name)
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=self.id(), PaginationConfig={"PageSize": 2})
        self.assertEqual([alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]], names)
        self.cloudwatch.disable_alarm_actions(AlarmNames=names)
        self.assertFalse(self.described(names[0])["ActionsEnabled"])
        self.cloudwatch.enable_alarm_actions(AlarmNames=names)
        self.assertTrue(self.described(names[0])["ActionsEnabled"])
        self.cloudwatch.set_alarm_state(AlarmName=names[0], StateValue="ALARM", StateReason="a drill")
        self.assertEqual(self.summaries(names[0])[0], "Alarm updated from INSUFFICIENT_DATA to ALARM")
        self.cloudwatch.delete_alarms(AlarmNames=names)
        self.assertEqual(self.cloudwatch.describe_alarms(AlarmNamePrefix=self.id())["MetricAlarms"], [])
        with self.assertRaises(self.cloudwatch.exceptions.ResourceNotFound):
            self.cloudwatch.set_alarm_state(AlarmName=names[0], StateValue="OK", StateReason="")
        with self.assertRaises(self.cloudwatch.exceptions.InvalidParameterValueException) as raised:
            self.alarm("x", Period=10)
        self.assertIn("multiple of 60", raised.exception.response["Error"]["Message"])

    def test_errors_have_their_old_names_and_their_types(self):
        put = self.cloudwatch.put_metric_data
        datum = {"MetricName": "X", "Value": 1}
        exceptions = self.cloudwatch.exceptions
        for wanted, code, namespace, data in (
            (exceptions.InvalidParameterValueException, "InvalidParameterValue", "AWS/Bedrock", [datum]),
            (exceptions.InvalidParameterCombinationException, "InvalidParameterCombination", "Own", [datum | {"Values": [2]}]),
            (exceptions.MissingRequiredParameterException, "MissingParameter", "Own", []),
            (exceptions.InvalidParameterValueException, "InvalidParameterValue", "Own",
             [datum | {"Timestamp": minutes_ago(20 * 24 * 60)}]),
        ):
            with self.subTest(code), self.assertRaises(wanted) as raised:
                put(Namespace=namespace, MetricData=data)
            self.assertEqual(raised.exception.response["Error"]["Code"], code)
            self.assertEqual(raised.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)

    def test_too_many_points_are_refused(self):
        with self.assertRaises(self.cloudwatch.exceptions.InvalidParameterCombinationException) as raised:
            self.statistics("X", StartTime=minutes_ago(3 * 24 * 60))
        self.assertIn("exceeds the limit of 1440", raised.exception.response["Error"]["Message"].replace(",", ""))


class OverJson(Suite, ServiceTest):
    """The protocol that boto3 chooses by itself."""

    PROTOCOL = "json"
    MEDIA_TYPE = "application/x-amz-json-1.0"

    def test_it_is_what_boto3_chooses(self):
        self.assertEqual(self.client("cloudwatch").meta.service_model.resolved_protocol, "json")


class OverQuery(Suite, ServiceTest):
    """What boto3 spoke before 2025."""

    PROTOCOL = "query"
    MEDIA_TYPE = "application/x-www-form-urlencoded"


class OverCbor(Suite, ServiceTest):
    """What typed SDKs choose."""

    PROTOCOL = "smithy-rpc-v2-cbor"
    MEDIA_TYPE = "application/cbor"


if __name__ == "__main__":
    unittest.main()
