"""boto3's `sqs`: digests computed here again, errors by both of their names, real long polls."""

import hashlib
import json
import struct
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from bench import ACCOUNT, REGION, ServiceTest
from botocore.exceptions import ClientError


def digest(text):
    return hashlib.md5(text.encode()).hexdigest()


def attributes_digest(attributes):
    """As the Developer Guide says how to make it."""
    md5 = hashlib.md5()
    for name, attribute in sorted(attributes.items()):
        text = "StringValue" in attribute
        value = attribute["StringValue"].encode() if text else attribute["BinaryValue"]
        for part, before in ((name.encode(), b""), (attribute["DataType"].encode(), b""),
                             (value, b"\x01" if text else b"\x02")):
            md5.update(before + struct.pack("!I", len(part)) + part)
    return md5.hexdigest()


class Sqs(ServiceTest):
    def setUp(self):
        super().setUp()
        self.sqs = self.client("sqs")
        self.name = self.id().rpartition(".")[2].replace("_", "-")

    def queue(self, suffix="", **attributes):
        return self.sqs.create_queue(QueueName=self.name + suffix, Attributes=attributes)["QueueUrl"]

    def fifo(self, **attributes):
        return self.queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true", **attributes)

    def arn(self, url):
        asked = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return asked["Attributes"]["QueueArn"]

    def receive(self, url, **more):
        members = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"],
                   "MessageAttributeNames": ["All"], **more}
        return self.sqs.receive_message(QueueUrl=url, **members).get("Messages", [])

    def test_digests_are_right(self):
        url = self.queue()
        attributes = {
            "kind": {"DataType": "String", "StringValue": "über"},
            "number": {"DataType": "Number.int", "StringValue": "42"},
            "bytes": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
        }
        sent = self.sqs.send_message(QueueUrl=url, MessageBody="Grüße 😀", MessageAttributes=attributes)
        self.assertEqual(sent["MD5OfMessageBody"], digest("Grüße 😀"))
        self.assertEqual(sent["MD5OfMessageAttributes"], attributes_digest(attributes))
        [message] = self.receive(url)
        self.assertEqual(message["MD5OfBody"], digest("Grüße 😀"))
        self.assertEqual(message["MessageAttributes"], attributes)
        self.assertEqual(message["MD5OfMessageAttributes"], attributes_digest(attributes))

    def test_an_empty_receive_has_no_messages(self):
        self.assertNotIn("Messages", self.sqs.receive_message(QueueUrl=self.queue()))

    def test_errors_have_both_names(self):
        message = self.refused("AWS.SimpleQueueService.NonExistentQueue", 400,
                               self.sqs.get_queue_url, QueueName="nowhere")
        self.assertEqual(message, "The specified queue does not exist.")
        with self.assertRaises(self.sqs.exceptions.QueueDoesNotExist) as raised:
            self.sqs.get_queue_url(QueueName="nowhere")
        self.assertEqual(raised.exception.response["Error"]["QueryErrorCode"], "QueueDoesNotExist")

    def test_the_sender_is_the_caller(self):
        url = self.queue()
        self.sqs.send_message(QueueUrl=url, MessageBody="1")
        [message] = self.receive(url)
        caller = self.client("sts").get_caller_identity()["UserId"]
        self.assertEqual(message["Attributes"]["SenderId"], caller)

    def test_a_long_poll_gets_what_comes(self):
        url = self.queue()
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.receive, url, WaitTimeSeconds=20)
            other = self.client("sqs")
            other.send_message(QueueUrl=url, MessageBody="late")
            self.assertEqual([m["Body"] for m in waiting.result(timeout=15)], ["late"])

    def test_many_consumers_share_a_queue(self):
        url = self.queue()
        for start in range(0, 100, 10):
            self.sqs.send_message_batch(QueueUrl=url, Entries=[
                {"Id": str(n), "MessageBody": str(n)} for n in range(start, start + 10)
            ])
        received, lock = [], threading.Lock()

        def consume():
            client = self.client("sqs")
            while messages := client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10
            ).get("Messages"):
                with lock:
                    received.extend(message["Body"] for message in messages)
                client.delete_message_batch(QueueUrl=url, Entries=[
                    {"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in messages
                ])

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(consume) for _ in range(4)]:
                done.result(timeout=30)
        self.assertEqual(sorted(map(int, received)), list(range(100)), "each once")

    def test_a_batch_with_one_poison_message_ends_in_the_dead_letter_queue(self):
        dead = self.queue("-dead")
        policy = {"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": "2"}
        url = self.queue("", RedrivePolicy=json.dumps(policy))
        told = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        self.assertEqual(json.loads(told["Attributes"]["RedrivePolicy"])["maxReceiveCount"], 2)
        self.sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": str(n), "MessageBody": "poison" if n == 3 else "good"} for n in range(10)
        ])
        done = 0
        while messages := self.receive(url):
            for message in messages:
                handle = message["ReceiptHandle"]
                if message["Body"] == "good":
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
                    done += 1
                else:
                    self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        self.assertEqual(done, 9)
        [poison] = self.receive(dead)
        self.assertEqual(poison["Body"], "poison")
        self.assertEqual(poison["Attributes"]["DeadLetterQueueSourceArn"], self.arn(url))

    def test_fifo_keeps_order_and_takes_nothing_twice(self):
        url = self.fifo()
        for body in ("1", "2", "1", "3"):
            self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g")
        messages = self.receive(url)
        self.assertEqual([m["Body"] for m in messages], ["1", "2", "3"])
        self.assertEqual(self.receive(url), [])
        content = hashlib.sha256(b"1").hexdigest()
        self.assertEqual(messages[0]["Attributes"]["MessageDeduplicationId"], content)

    def test_batches_tell_each_entrys_end(self):
        url = self.queue(MaximumMessageSize="1024")
        answer = self.sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": "good", "MessageBody": "1"},
            {"Id": "long", "MessageBody": "a" * 1025},
        ])
        self.assertEqual([entry["Id"] for entry in answer["Successful"]], ["good"])
        [failed] = answer["Failed"]
        self.assertEqual((failed["Id"], failed["Code"], failed["SenderFault"]), ("long", "InvalidParameterValue", True))
        self.refused("AWS.SimpleQueueService.EmptyBatchRequest", 400,
                     self.client("sqs", unchecked=True).send_message_batch, QueueUrl=url, Entries=[])

    def test_queues_attributes_and_tags(self):
        url = self.queue(VisibilityTimeout="5")
        self.assertRegex(url, rf"^http://[^/]+/{ACCOUNT}/{self.name}$")
        self.assertEqual(self.arn(url), f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}")
        pages = self.sqs.get_paginator("list_queues").paginate(
            QueueNamePrefix=self.name, PaginationConfig={"PageSize": 1})
        self.queue("-2")
        self.assertEqual(len([u for page in pages for u in page.get("QueueUrls", [])]), 2)
        self.sqs.tag_queue(QueueUrl=url, Tags={"team": "blue"})
        self.assertEqual(self.sqs.list_queue_tags(QueueUrl=url)["Tags"], {"team": "blue"})
        self.sqs.purge_queue(QueueUrl=url)
        self.refused("AWS.SimpleQueueService.PurgeQueueInProgress", 403, self.sqs.purge_queue, QueueUrl=url)
        self.sqs.delete_queue(QueueUrl=url)
        self.refused("AWS.SimpleQueueService.QueueDeletedRecently", 400,
                     self.sqs.create_queue, QueueName=self.name)

    def test_cloudwatch_counts_it(self):
        url = self.queue()
        for body in ("1", "2", "3"):
            self.sqs.send_message(QueueUrl=url, MessageBody=body)
        received = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=received[0]["ReceiptHandle"])
        cloudwatch = self.client("cloudwatch")
        dimensions = [{"Name": "QueueName", "Value": self.name}]
        listed = cloudwatch.list_metrics(Namespace="AWS/SQS", Dimensions=dimensions)["Metrics"]
        self.assertIn("ApproximateAgeOfOldestMessage", {metric["MetricName"] for metric in listed})
        now = datetime.now(timezone.utc)
        for name, wanted in (("NumberOfMessagesSent", 3), ("NumberOfMessagesReceived", 3),
                             ("NumberOfMessagesDeleted", 1), ("NumberOfEmptyReceives", 0)):
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/SQS", MetricName=name, Dimensions=dimensions, Statistics=["Sum"], Period=3600,
                StartTime=now - timedelta(hours=2), EndTime=now + timedelta(hours=2))["Datapoints"]
            self.assertEqual(sum(point["Sum"] for point in points), wanted, name)

    def test_a_fault_rule_throttles_it(self):
        url = self.queue()
        rule = {"when": {"operation": "SendMessage"}, "error": "ThrottlingException", "count": 1}
        self.control("POST", "/_workshop/faults", {"fault": [rule]})
        self.addCleanup(self.control, "DELETE", "/_workshop/faults")
        with self.assertRaises(ClientError) as raised:
            self.sqs.send_message(QueueUrl=url, MessageBody="1")
        self.assertIn("Throttling", raised.exception.response["Error"]["Code"])
        self.sqs.send_message(QueueUrl=url, MessageBody="1")


if __name__ == "__main__":
    unittest.main()
