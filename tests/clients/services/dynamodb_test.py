"""DynamoDB as boto3 sees it: the client, the resource with its Python types, waiters and paginators."""

import unittest
import zlib
from decimal import Decimal

import boto3
from bench import REGION, ServiceTest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

JOBS = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
TURNS = {
    "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    "AttributeDefinitions": [
        {"AttributeName": "chat", "AttributeType": "S"},
        {"AttributeName": "n", "AttributeType": "N"},
        {"AttributeName": "user", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "chat", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [{
        "IndexName": "by-user",
        "KeySchema": [{"AttributeName": "user", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }],
    "LocalSecondaryIndexes": [{
        "IndexName": "by-chat-user",
        "KeySchema": [{"AttributeName": "chat", "KeyType": "HASH"}, {"AttributeName": "user", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]},
    }],
}


class DynamoDb(ServiceTest):
    def setUp(self):
        super().setUp()
        self.ddb = self.client("dynamodb")
        for name in self.ddb.list_tables()["TableNames"]:
            self.ddb.delete_table(TableName=name)

    def table(self, name, definition):
        """A table as boto3's resource, whose values are Python's."""
        self.ddb.create_table(TableName=name, **definition)
        self.ddb.get_waiter("table_exists").wait(TableName=name)
        key, secret, token = self.keys
        resource = boto3.resource(
            "dynamodb", endpoint_url=self.emulator.url, region_name=REGION,
            aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
        )
        self.addCleanup(resource.meta.client.close)
        return resource.Table(name)

    def raised(self, call, *arguments, **members):
        with self.assertRaises(ClientError) as caught:
            call(*arguments, **members)
        return caught.exception.response

    def test_a_table_from_its_making_to_its_end(self):
        made = self.ddb.create_table(TableName="turns", **TURNS)["TableDescription"]
        table = self.ddb.describe_table(TableName="turns")["Table"]
        self.assertEqual(table["TableArn"], made["TableArn"])
        self.assertEqual(table["TableStatus"], "ACTIVE")
        self.assertEqual(table["GlobalSecondaryIndexes"][0]["Projection"], {"ProjectionType": "KEYS_ONLY"})
        self.assertEqual(table["LocalSecondaryIndexes"][0]["IndexName"], "by-chat-user")
        changed = self.ddb.update_table(TableName="turns", BillingMode="PAY_PER_REQUEST")["TableDescription"]
        self.assertEqual(changed["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.refused("ResourceInUseException", 400, self.ddb.create_table, TableName="turns", **TURNS)
        self.ddb.delete_table(TableName="turns")
        self.ddb.get_waiter("table_not_exists").wait(TableName="turns")
        self.refused("ResourceNotFoundException", 400, self.ddb.delete_table, TableName="turns")

    def test_python_values_come_back(self):
        jobs = self.table("jobs", JOBS)
        item = {
            "id": "1", "n": Decimal("12.50"), "big": Decimal("1" * 38), "small": Decimal("1E-130"),
            "yes": True, "none": None, "bytes": b"\0\1", "list": [1, "x", {"deep": []}],
            "words": {"a", "b"}, "numbers": {Decimal(1), Decimal("2.5")}, "empty": "",
        }
        jobs.put_item(Item=item)
        read = jobs.get_item(Key={"id": "1"}, ConsistentRead=True)["Item"]
        self.assertEqual(read, item)
        self.assertNotIn("Item", jobs.get_item(Key={"id": "2"}))

    def test_answers_carry_their_checksum(self):
        jobs = self.table("jobs", JOBS)
        answer = jobs.scan()
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        self.assertEqual(headers["content-type"], "application/x-amz-json-1.0")
        body = b'{"Count":0,"Items":[],"ScannedCount":0}'
        self.assertEqual(headers["x-amz-crc32"], str(zlib.crc32(body)))

    def test_conditions_as_boto3_builds_them(self):
        jobs = self.table("jobs", JOBS)
        jobs.put_item(Item={"id": "1", "status": "NEW"}, ConditionExpression=Attr("id").not_exists())
        taken = self.raised(
            jobs.put_item, Item={"id": "1"}, ConditionExpression=Attr("id").not_exists(),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        self.assertEqual(taken["Error"]["Code"], "ConditionalCheckFailedException")
        self.assertEqual(taken["Item"], {"id": {"S": "1"}, "status": {"S": "NEW"}})
        done = jobs.update_item(
            Key={"id": "1"},
            UpdateExpression="SET #s = :done, tries = if_not_exists(tries, :zero) + :one ADD tags :tags",
            ConditionExpression="#s IN (:new, :running) AND NOT contains(#s, :done)",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={
                ":done": "DONE", ":new": "NEW", ":running": "RUNNING", ":zero": 0, ":one": 1, ":tags": {"a"},
            },
            ReturnValues="ALL_NEW", ReturnConsumedCapacity="TOTAL",
        )
        self.assertEqual(done["Attributes"], {"id": "1", "status": "DONE", "tries": 1, "tags": {"a"}})
        self.assertEqual(done["ConsumedCapacity"], {"TableName": "jobs", "CapacityUnits": 1.0})
        found = jobs.scan(FilterExpression=Attr("tries").between(1, 2) & ~Attr("status").eq("NEW"))
        self.assertEqual((found["Count"], found["ScannedCount"]), (1, 1))

    def test_mistakes_are_named_as_on_aws(self):
        jobs = self.table("jobs", JOBS)
        update = {"Key": {"id": "1"}, "ExpressionAttributeValues": {":v": 1}}
        for expression, message in (
            ("INVALID SYNTAX HERE",
             'Invalid UpdateExpression: Syntax error; token: "INVALID", near: "INVALID SYNTAX"'),
            ("SET size = :v", "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: size"),
            ("SET a = :v, a = :v",
             "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of "
             "these paths; path one: [a], path two: [a]"),
            ("SET id = :v",
             "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key"),
            ("SET a = :w",
             "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute "
             "value: :w"),
        ):
            error = self.raised(jobs.update_item, UpdateExpression=expression, **update)["Error"]
            self.assertEqual((error["Code"], error["Message"]), ("ValidationException", message))
        unchecked = self.client("dynamodb", unchecked=True)
        message = self.refused("ValidationException", 400, unchecked.put_item, Item={"id": {"S": "1"}})
        self.assertEqual(
            message,
            "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be "
            "null",
        )
        self.refused("SerializationException", 400, unchecked.get_item, TableName="jobs", Key={"id": {"S": 5}})
        legacy = self.refused(
            "ValidationException", 400, self.ddb.scan, TableName="jobs", AttributesToGet=["id"],
        )
        self.assertIn("AttributesToGet is a legacy parameter", legacy)

    def test_queries_and_pages(self):
        turns = self.table("turns", TURNS)
        with turns.batch_writer(overwrite_by_pkeys=["chat", "n"]) as batch:
            for n in range(60):
                batch.put_item(Item={"chat": "a", "n": n, "user": f"u{n % 3}", "text": "x" * n})
            batch.delete_item(Key={"chat": "a", "n": 59})
        found = turns.query(KeyConditionExpression=Key("chat").eq("a") & Key("n").between(5, 7))
        self.assertEqual([item["n"] for item in found["Items"]], [5, 6, 7])
        back = turns.query(
            KeyConditionExpression=Key("chat").eq("a"), ScanIndexForward=False, Limit=1, ProjectionExpression="n",
        )
        self.assertEqual(back["Items"], [{"n": 58}])
        self.assertEqual(back["LastEvaluatedKey"], {"chat": "a", "n": 58})
        index = turns.query(IndexName="by-user", KeyConditionExpression=Key("user").eq("u1"))
        self.assertEqual(index["Items"][0], {"chat": "a", "n": 1, "user": "u1"})
        local = turns.query(
            IndexName="by-chat-user", KeyConditionExpression=Key("chat").eq("a") & Key("user").begins_with("u2"),
        )
        self.assertEqual(local["Count"], 19)
        pages = self.ddb.get_paginator("scan").paginate(TableName="turns", PaginationConfig={"PageSize": 7})
        counts = [page["Count"] for page in pages]
        self.assertEqual(sum(counts), 59)
        self.assertEqual(len(counts), 9)
        segments = [
            self.ddb.scan(TableName="turns", Segment=n, TotalSegments=3, Select="COUNT")["Count"] for n in range(3)
        ]
        self.assertEqual(sum(segments), 59)

    def test_batches_and_transactions(self):
        self.table("jobs", JOBS)
        ids = [{"id": {"S": str(n)}} for n in range(3)]
        put = {"jobs": [{"PutRequest": {"Item": key}} for key in ids]}
        self.assertEqual(self.ddb.batch_write_item(RequestItems=put)["UnprocessedItems"], {})
        read = self.ddb.batch_get_item(RequestItems={"jobs": {"Keys": ids + [{"id": {"S": "gone"}}]}})
        self.assertEqual(len(read["Responses"]["jobs"]), 3)

        parts = [
            {"Put": {"TableName": "jobs", "Item": {"id": {"S": "new"}}}},
            {"ConditionCheck": {
                "TableName": "jobs", "Key": ids[0], "ConditionExpression": "attribute_not_exists(id)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }},
        ]
        canceled = self.raised(self.ddb.transact_write_items, TransactItems=parts)
        self.assertEqual(canceled["Error"]["Code"], "TransactionCanceledException")
        self.assertEqual(canceled["CancellationReasons"], [
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": ids[0]},
        ])
        self.ddb.transact_write_items(TransactItems=parts[:1], ClientRequestToken="token")
        self.ddb.transact_write_items(TransactItems=parts[:1], ClientRequestToken="token")
        other = [{"Delete": {"TableName": "jobs", "Key": ids[0]}}]
        self.refused(
            "IdempotentParameterMismatchException", 400, self.ddb.transact_write_items,
            TransactItems=other, ClientRequestToken="token",
        )
        gets = [{"Get": {"TableName": "jobs", "Key": {"id": {"S": name}}}} for name in ("new", "gone")]
        self.assertEqual(
            self.ddb.transact_get_items(TransactItems=gets)["Responses"], [{"Item": {"id": {"S": "new"}}}, {}]
        )

    def test_time_to_live_tags_and_limits(self):
        arn = self.ddb.create_table(TableName="jobs", **JOBS)["TableDescription"]["TableArn"]
        specification = {"Enabled": True, "AttributeName": "expires"}
        self.ddb.update_time_to_live(TableName="jobs", TimeToLiveSpecification=specification)
        described = self.ddb.describe_time_to_live(TableName="jobs")["TimeToLiveDescription"]
        self.assertEqual(described, {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"})
        # Past its time and still there, as on AWS until the service comes by.
        self.ddb.put_item(TableName="jobs", Item={"id": {"S": "1"}, "expires": {"N": "1"}})
        self.assertIn("Item", self.ddb.get_item(TableName="jobs", Key={"id": {"S": "1"}}))
        self.ddb.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "blue"}])
        self.assertEqual(self.ddb.list_tags_of_resource(ResourceArn=arn)["Tags"], [{"Key": "team", "Value": "blue"}])
        self.ddb.untag_resource(ResourceArn=arn, TagKeys=["team"])
        self.assertEqual(self.ddb.list_tags_of_resource(ResourceArn=arn)["Tags"], [])
        self.assertGreater(self.ddb.describe_limits()["TableMaxReadCapacityUnits"], 0)
        self.assertEqual(self.ddb.describe_endpoints()["Endpoints"][0]["CachePeriodInMinutes"], 1440)


if __name__ == "__main__":
    unittest.main()
