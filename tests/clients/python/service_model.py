"""Every answer that botocore reads is held against botocore's own service model.

botocore's parsers are lenient: they drop what they do not know and do not miss what is absent.
`watch()` looks at the same bytes before they do. What it finds goes to `FINDINGS`; `conftest.py`
fails the test that caused it. LangChain and pydantic-ai use boto3, so theirs is watched as well.
"""

import base64
import binascii
import functools
import json

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
}
# Claude's tool uses say `"type": "tool_use"`; the model's enumeration has `server_tool_use` only.
UNDOCUMENTED_VALUES = {("ToolUseType", "tool_use")}
# Padding of every event, against guessing tokens from lengths.
PADDING = "p"


def watch():
    """Puts itself before botocore's JSON parsers."""
    for parser, look in (
        (parsers.RestJSONParser, look_at_response),
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
    elif not SCALARS[kind](value):
        yield f"{path}: {value!r} is not a {kind}"
    elif kind == "string" and getattr(shape, "enum", None):
        if value not in shape.enum and (shape.name, value) not in UNDOCUMENTED_VALUES:
            yield f"{path}: {value!r} is none of {shape.enum}"


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


def is_timestamp(value):
    try:
        parse_timestamp(value)
    except (ValueError, TypeError):
        return False
    return True


SCALARS = {
    "string": lambda value: isinstance(value, str),
    "character": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": is_integer,
    "long": is_integer,
    "float": is_number,
    "double": is_number,
    "blob": is_blob,
    "timestamp": is_timestamp,
}
