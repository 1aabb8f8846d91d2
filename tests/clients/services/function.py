#!/usr/bin/env python3
"""A Lambda function as small as can be: the Runtime API's loop, with nothing but the standard library.

It answers with what it is told, and does what `do` says; of a batch of messages it does not take those
that say "poison".
"""

import json
import os
import urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def handle(event):
    if "Records" in event:
        poison = [record["messageId"] for record in event["Records"] if record["body"] == "poison"]
        print(f"{len(event['Records'])} messages", flush=True)
        return {"batchItemFailures": [{"itemIdentifier": message} for message in poison]}
    if "httpMethod" in event:
        return {"statusCode": 200, "body": json.dumps({"path": event["path"]})}
    if event.get("do") == "fail":
        raise ValueError("it failed")
    if event.get("do") == "environment":
        return dict(os.environ)
    if "print" in event:
        print(event["print"], flush=True)
    return event


while True:
    with urllib.request.urlopen(f"{API}/next") as answer:
        request, body = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
    try:
        where, told = "response", handle(body)
    except ValueError as error:
        where, told = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
    posted = urllib.request.Request(f"{API}/{request}/{where}", json.dumps(told).encode())
    urllib.request.urlopen(posted).close()
