"""Every answer that botocore reads is held against botocore's own service model.

botocore's parsers are lenient: they drop what they do not know and do not miss what is absent.
`watch()` looks at the same bytes before they do. What it finds goes to `FINDINGS`; `conftest.py` and
`services/bench.py` fail the test that caused it. LangChain and pydantic-ai use boto3, so theirs is
watched as well.
"""

import base64
import binascii
import functools
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import datetime

from botocore import parsers
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.utils import parse_timestamp

FINDINGS = []

# What real Bedrock sends and its model does not know: recorded traffic, see the emulator's README.
# Shape and member, and the type it was recorded with.
UNDOCUMENTED = {
    ("TokenUsage", "cacheReadInputTokenCount"): int,
    ("TokenUsage", "cacheWriteInputTokenCount"): int,
    ("TokenUsage", "serverToolUsage"): dict,
    ("ApplyGuardrailResponse", "blockedResponse"): str,
    ("ApplyGuardrailResponse", "output"): list,
}
# What its model requires and real Bedrock leaves out (recorded: traces of Converse and InvokeModel).
# SQS leaves out the empty one of a batch's two lists (observed).
LEFT_OUT = {
    *((f"{batch}BatchResult", name) for name in ("Successful", "Failed")
      for batch in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")),
    ("GuardrailSensitiveInformationPolicyAssessment", "piiEntities"),
    ("GuardrailSensitiveInformationPolicyAssessment", "regexes"),
}
UNDOCUMENTED_VALUES = {
    # Claude's tool uses say `"type": "tool_use"`; the model's enumeration has `server_tool_use` only.
    ("ToolUseType", "tool_use"),
    # Live ListFoundationModels answers of 2026-08.
    ("InferenceType", "INFERENCE_PROFILE"),
    ("ModelModality", "VIDEO"),
    ("ModelModality", "AUDIO"),
}
# Shapes whose length or pattern real answers do not keep.
UNBOUND = {
    # Live lists: "Titan Text Embeddings V2" has more than 20 characters.
    "BrandedName",
    # Recorded: "US Anthropic Claude Sonnet 4.5" and "…in us-east-1, us-east-2 and us-west-2." have dots
    # and commas, and a global profile's first model has no region in its ARN.
    "InferenceProfileName",
    "InferenceProfileDescription",
    "FoundationModelArn",
    # DescribeTable's example in the API reference: "NumberOfDecreasesToday": 0.
    "PositiveLongObject",
}
# Padding of every event, against guessing tokens from lengths.
PADDING = "p"


def watch():
    """Puts itself before botocore's parsers."""
    for parser, look in (
        (parsers.RestJSONParser, look_at_response),
        (parsers.JSONParser, look_at_json),
        (parsers.QueryParser, look_at_query),
        (parsers.RpcV2CBORParser, look_at_cbor),
        (parsers.EventStreamJSONParser, look_at_event),
    ):
        parser.parse = watched(parser.parse, look)


def watched(parse, look):
    def parse_after_look(self, response, shape):
        if shape is not None:
            FINDINGS.extend(look(response, shape))
        return parse(self, response, shape)

    return parse_after_look


def look_at_response(response, shape):
    if response["status_code"] >= 300:
        yield from look_at_error(response)
        return
    header_names = {name.lower() for name in response["headers"]}
    if "x-amzn-requestid" not in header_names:
        yield "the answer has no x-amzn-RequestId"
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        if member.serialization.get("location") == "header":
            header = member.serialization.get("name", name)
            if name in shape.required_members and header.lower() not in header_names:
                yield f"{shape.name}: the header {header} is missing"
    if payload is None:
        body = response["body"]
        if body or shape.required_members:
            yield from compare(shape, json.loads(body), shape.name, in_body_only=True)
    elif shape.members[payload].type_name == "structure" and not shape.members[payload].is_document_type:
        if not shape.members[payload].serialization.get("eventstream"):
            yield from compare(shape.members[payload], json.loads(response["body"]), payload)


def look_at_error(response):
    kind = {name.lower(): value for name, value in response["headers"].items()}.get("x-amzn-errortype")
    if not kind:
        yield f"an answer with status {response['status_code']} has no x-amzn-ErrorType"
    try:
        body = json.loads(response["body"])
    except ValueError:
        yield f"the body of an error is not JSON: {response['body']!r}"
        return
    text = body.get("message", body.get("Message")) if isinstance(body, dict) else None
    if not isinstance(text, str) or not text:
        yield f"an error has no message: {body!r}"


# ---------------------------------------------------------------- awsJson, awsQuery, rpcv2Cbor


def look_at_json(response, shape):
    headers = {name.lower(): value for name, value in response["headers"].items()}
    if "x-amzn-requestid" not in headers:
        yield "the answer has no x-amzn-RequestId"
    if not re.fullmatch(r"application/x-amz-json-1\.[01]", headers.get("content-type", "")):
        yield f"the media type is {headers.get('content-type')!r}"
    body = json.loads(response["body"] or b"{}")
    if response["status_code"] < 300:
        yield from compare(shape, body, shape.name)
        return
    if not isinstance(body.get("__type"), str):
        yield f"an error has no __type: {body!r}"
    if not isinstance(body.get("message", body.get("Message")), str):
        yield f"an error has no message: {body!r}"


def look_at_query(response, shape):
    headers = {name.lower(): value for name, value in response["headers"].items()}
    if headers.get("content-type") != "text/xml":
        yield f"the media type is {headers.get('content-type')!r}"
    root = ElementTree.fromstring(response["body"])
    if response["status_code"] >= 300:
        if tag(root) != "ErrorResponse" or root.find("{*}RequestId") is None:
            yield f"an error is {response['body']!r}"
        if [tag(part) for part in root.find("{*}Error")] != ["Type", "Code", "Message"]:
            yield f"an error is {response['body']!r}"
        return
    if root.find("{*}ResponseMetadata/{*}RequestId") is None:
        yield "the answer has no RequestId"
    wrapper = shape.serialization["resultWrapper"]
    result = root.find("{*}" + wrapper)
    if result is None:
        yield f"{shape.name}: {wrapper} is missing"
    else:
        yield from compare(shape, from_xml(shape, result), shape.name)


def look_at_cbor(response, shape):
    headers = {name.lower(): value for name, value in response["headers"].items()}
    if "x-amzn-requestid" not in headers:
        yield "the answer has no x-amzn-RequestId"
    if (headers.get("smithy-protocol"), headers.get("content-type")) != ("rpc-v2-cbor", "application/cbor"):
        yield f"the headers are not those of the protocol: {headers!r}"
    body = parsers.RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(response["body"])))
    if response["status_code"] < 300:
        yield from compare(shape, seconds(body), shape.name)
    elif not all(isinstance(body.get(name), str) for name in ("__type", "message")):
        yield f"an error is {body!r}"


def seconds(value):
    """The value with its times as JSON would have them."""
    if isinstance(value, dict):
        return {name: seconds(item) for name, item in value.items()}
    if isinstance(value, list):
        return [seconds(item) for item in value]
    return value.timestamp() if isinstance(value, datetime) else value


def tag(element):
    return element.tag.rpartition("}")[2]


def from_xml(shape, element):
    """The element as JSON would have it; text where the shape wants none stays text."""
    children = list(element)
    kind = shape.type_name
    if kind == "structure":
        members = {m.serialization.get("name", name): m for name, m in shape.members.items()}
        return {
            tag(child): from_xml(members[tag(child)], child) if tag(child) in members else child.text
            for child in children
        }
    if kind == "list":
        item = shape.member.serialization.get("name", "member")
        if any(tag(child) != item for child in children):
            return f"elements {[tag(child) for child in children]} instead of {item}"
        return [from_xml(shape.member, child) for child in children]
    if kind == "map":
        if any([tag(part) for part in child] != ["key", "value"] for child in children):
            return f"elements {[tag(child) for child in children]} instead of entries with key and value"
        return {key.text: from_xml(shape.value, value) for key, value in children}
    text = element.text or ""
    readers = {"boolean": json.loads, "integer": int, "long": int, "float": float, "double": float}
    if kind == "timestamp":
        # XML has times as text only; JSON, here, as seconds.
        return parse_timestamp(text).timestamp() if ISO_8601.fullmatch(text) else text
    try:
        return readers[kind](text) if kind in readers else text
    except ValueError:
        return text


# ---------------------------------------------------------------- events


def look_at_event(response, shape):
    headers = response["headers"]
    kind = headers.get(":event-type") or headers.get(":exception-type")
    if kind not in shape.members and shape.name == "ResponseStream":
        # LiteLLM borrows the parser for ConverseStream, with the shape of the other stream.
        shape = runtime_model().shape_for("ConverseStreamOutput")
    if kind not in shape.members:
        yield f"{shape.name} has no event {kind!r}"
        return
    event = shape.members[kind]
    body = json.loads(response["body"])
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != PADDING}
    yield from compare(event, body, kind)


@functools.cache
def runtime_model():
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))


def compare(shape, value, path, in_body_only=False):
    """What `value` has that `shape` does not allow."""
    if getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if kind == "structure":
        yield from compare_structure(shape, value, path, in_body_only)
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{path}: {value!r} is not a list"
            return
        for n, item in enumerate(value):
            yield from compare(shape.member, item, f"{path}[{n}]")
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is not a map"
            return
        for key, item in value.items():
            yield from compare(shape.value, item, f"{path}.{key}")
    elif kind == "timestamp":
        if not is_timestamp(value, shape.serialization.get("timestampFormat")):
            yield f"{path}: {value!r} is not a time in the form that the model asks for"
    elif not SCALARS[kind](value):
        yield f"{path}: {value!r} is not a {kind}"
    elif kind == "string" and getattr(shape, "enum", None):
        if value not in shape.enum and (shape.name, value) not in UNDOCUMENTED_VALUES:
            yield f"{path}: {value!r} is none of {shape.enum}"
    yield from compare_bounds(shape, value, path)


def compare_bounds(shape, value, path):
    """Length, range and pattern, which botocore itself never asks of an answer."""
    if shape.name in UNBOUND:
        return
    size = value if is_number(value) else len(value) if isinstance(value, (str, list)) else None
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if size is not None and least is not None and size < least:
        yield f"{path}: {value!r} is less than {least}"
    if size is not None and most is not None and size > most:
        yield f"{path}: {value!r} is more than {most}"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not re.fullmatch(pattern, value):
        yield f"{path}: {value!r} does not match {pattern}"


def compare_structure(shape, value, path, in_body_only):
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not a structure"
        return
    known = {}
    for name, member in shape.members.items():
        if in_body_only and member.serialization.get("location"):
            continue
        known[member.serialization.get("name", name)] = (name, member)
    # An explicit null is an absent member (recorded: ApplyGuardrail, GetInferenceProfile).
    present = {name: item for name, item in value.items() if item is not None}
    for wire_name, (name, _) in known.items():
        if name in shape.required_members and wire_name not in present:
            if (shape.name, name) not in LEFT_OUT:
                yield f"{path}: {wire_name} is missing"
    if shape.is_tagged_union and len(present) != 1:
        yield f"{path}: a union has one member, this one has {sorted(present)}"
    for name, item in present.items():
        if name in known:
            yield from compare(known[name][1], item, f"{path}.{name}")
        elif (shape.name, name) in UNDOCUMENTED:
            if not isinstance(item, UNDOCUMENTED[shape.name, name]):
                yield f"{path}.{name}: {item!r} is not what was recorded"
        else:
            yield f"{path}: {name} is not in the service model"


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_blob(value):
    if not isinstance(value, str):
        return False
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return True


ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def is_timestamp(value, form):
    """Text where the model says so, otherwise seconds: typed SDKs refuse the other."""
    if form == "iso8601":
        return isinstance(value, str) and ISO_8601.fullmatch(value) is not None
    return is_number(value)


SCALARS = {
    "string": lambda value: isinstance(value, str),
    "character": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": is_integer,
    "long": is_integer,
    "float": is_number,
    "double": is_number,
    "blob": is_blob,
}
