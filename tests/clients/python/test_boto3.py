"""boto3, the client most students have used before. Every answer is held against its service model."""

import json
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from jsonschema import Draft202012Validator

from emulator import MODELS, Emulator, long_text

CLIENT = "boto3"
HAIKU = MODELS["haiku"]

FORECAST = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "hours": {"type": "array", "items": {"$ref": "#/$defs/hour"}, "minItems": 1},
    },
    "required": ["city", "days", "unit", "hours"],
    "additionalProperties": False,
    "$defs": {"hour": {"type": "integer", "minimum": 0, "maximum": 23}},
}


def runtime(attempts=1, **config):
    config = Config(retries={"total_max_attempts": attempts, "mode": "standard"}, **config)
    return boto3.client("bedrock-runtime", config=config)


def ask(text):
    return [{"role": "user", "content": [{"text": text}]}]


def tool(name, schema, description="A tool."):
    return {"toolSpec": {"name": name, "description": description, "inputSchema": {"json": schema}}}


def claude(text, **more):
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 60,
        "messages": [{"role": "user", "content": text}],
    }
    return json.dumps(body | more)


def text_of(answer):
    return "".join(b.get("text", "") for b in answer["output"]["message"]["content"])


def tool_uses(answer):
    return [b["toolUse"] for b in answer["output"]["message"]["content"] if "toolUse" in b]


# ---------------------------------------------------------------- plain


def test_plain_converse():
    answer = runtime().converse(modelId=HAIKU, messages=ask("Name one river in one sentence."))
    assert answer["stopReason"] == "end_turn"
    assert text_of(answer)
    usage = answer["usage"]
    assert usage["inputTokens"] > 0 and usage["outputTokens"] > 0
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def test_plain_invoke_model_in_the_messages_dialect():
    answer = runtime().invoke_model(modelId=HAIKU, body=claude("Hello"))
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    body = json.loads(answer["body"].read())
    assert body["type"] == "message" and body["role"] == "assistant"
    assert int(headers["x-amzn-bedrock-input-token-count"]) == body["usage"]["input_tokens"]
    assert int(headers["x-amzn-bedrock-output-token-count"]) == body["usage"]["output_tokens"]


def test_plain_max_tokens_and_stop_sequences_cut():
    client = runtime()
    cut = client.converse(
        modelId=HAIKU, messages=ask("Write ten sentences about tides."), inferenceConfig={"maxTokens": 5}
    )
    assert cut["stopReason"] == "max_tokens"
    assert cut["usage"]["outputTokens"] <= 5
    stopped = client.converse(
        modelId=HAIKU,
        messages=ask("Write ten sentences about tides."),
        inferenceConfig={"stopSequences": ["e"]},
    )
    assert stopped["stopReason"] == "stop_sequence"
    assert "e" not in text_of(stopped)


def test_plain_the_same_requests_in_the_same_order_give_the_same_answer():
    def answers():
        with Emulator() as fresh:
            client = boto3.client("bedrock-runtime", endpoint_url=fresh.url)
            return [text_of(client.converse(modelId=HAIKU, messages=ask(q))) for q in ("One?", "Two?")]

    assert answers() == answers()


def test_plain_arns_and_system_prompts():
    arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{HAIKU}"
    answer = runtime().converse(
        modelId=arn,
        system=[{"text": "You are brief."}],
        messages=ask("Hello"),
        inferenceConfig={"maxTokens": 100, "temperature": 0.5},
        requestMetadata={"team": "tests"},
    )
    assert text_of(answer)


def test_plain_images_and_documents_count():
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001"
        "e221bc330000000049454e44ae426082"
    )
    words = runtime().converse(modelId=HAIKU, messages=ask("What is this?"))
    content = [
        {"text": "What is this?"},
        {"image": {"format": "png", "source": {"bytes": pixel}}},
        {"document": {"format": "txt", "name": "notes", "source": {"bytes": b"Some notes about tides."}}},
    ]
    more = runtime().converse(modelId=HAIKU, messages=[{"role": "user", "content": content}])
    assert more["usage"]["inputTokens"] > words["usage"]["inputTokens"]


# ---------------------------------------------------------------- stream


def test_stream_events_in_the_recorded_order():
    stream = runtime().converse_stream(modelId=HAIKU, messages=ask("Tell me about tides."))["stream"]
    events = [next(iter(event.items())) for event in stream]
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "messageStart"
    assert kinds[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    # Bedrock announces tool uses and nothing else (recorded).
    assert "contentBlockStart" not in kinds
    assert kinds.count("contentBlockDelta") > 1
    usage = events[-1][1]["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def test_stream_is_paced(own_emulator):
    own_emulator(paced=True)
    started = time.monotonic()
    stream = runtime().converse_stream(
        modelId=HAIKU, messages=ask("Tell me about tides."), inferenceConfig={"maxTokens": 30}
    )["stream"]
    arrivals = [time.monotonic() - started for event in stream]
    # One gap is enough to know that the frames did not come in one piece.
    assert arrivals[-1] - arrivals[0] > 0.02


def test_stream_joins_to_the_whole_answer():
    question = ask("Tell me about tides.")
    with Emulator() as one, Emulator() as other:
        whole = boto3.client("bedrock-runtime", endpoint_url=one.url).converse(
            modelId=HAIKU, messages=question
        )
        stream = boto3.client("bedrock-runtime", endpoint_url=other.url).converse_stream(
            modelId=HAIKU, messages=question
        )["stream"]
        deltas = [e["contentBlockDelta"]["delta"] for e in stream if "contentBlockDelta" in e]
    assert "".join(d["text"] for d in deltas) == text_of(whole)


def test_stream_of_invoke_model_is_the_models_own():
    answer = runtime().invoke_model_with_response_stream(modelId=HAIKU, body=claude("Hello"))
    chunks = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    assert chunks[0]["type"] == "message_start"
    assert chunks[-1]["type"] == "message_stop"
    metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
    assert metrics["inputTokenCount"] == chunks[0]["message"]["usage"]["input_tokens"]
    assert metrics["firstByteLatency"] <= metrics["invocationLatency"]


# ---------------------------------------------------------------- tools


@pytest.mark.parametrize("choice", [{"tool": {"name": "forecast"}}, {"any": {}}])
def test_tools_forced(choice):
    answer = runtime().converse(
        modelId=HAIKU,
        messages=ask("Forecast for Lisbon, 3 days"),
        toolConfig={"tools": [tool("forecast", FORECAST)], "toolChoice": choice},
    )
    assert answer["stopReason"] == "tool_use"
    [use] = tool_uses(answer)
    Draft202012Validator(FORECAST).validate(use["input"])


def test_tools_are_called_when_asked_for_and_results_are_used():
    client = runtime()
    tools = {"tools": [tool("forecast", FORECAST, "The weather forecast of a city.")]}
    messages = ask("Use the forecast tool for the city Lisbon.")
    first = client.converse(modelId=HAIKU, messages=messages, toolConfig=tools)
    assert first["stopReason"] == "tool_use"
    [use] = tool_uses(first)
    assert use["input"]["city"] == "Lisbon"
    result = {"toolUseId": use["toolUseId"], "content": [{"json": {"summary": "hail, 7 degrees"}}]}
    messages += [first["output"]["message"], {"role": "user", "content": [{"toolResult": result}]}]
    second = client.converse(modelId=HAIKU, messages=messages, toolConfig=tools)
    assert second["stopReason"] == "end_turn"
    assert "hail" in text_of(second)


def test_tools_in_parallel():
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    answer = runtime().converse(
        modelId=HAIKU,
        messages=ask("Call both the weather tool and the population tool for the city Oslo."),
        toolConfig={"tools": [tool("weather", city), tool("population", city)]},
    )
    uses = tool_uses(answer)
    assert {use["name"] for use in uses} == {"weather", "population"}
    assert len({use["toolUseId"] for use in uses}) == 2


def test_tools_are_not_called_without_need():
    answer = runtime().converse(
        modelId=HAIKU,
        messages=ask("Say hello."),
        toolConfig={"tools": [tool("forecast", FORECAST, "The weather forecast of a city.")]},
    )
    assert answer["stopReason"] == "end_turn"


def test_tools_in_a_stream():
    stream = runtime().converse_stream(
        modelId=HAIKU,
        messages=ask("Forecast for Lisbon, 3 days"),
        toolConfig={"tools": [tool("forecast", FORECAST)], "toolChoice": {"any": {}}},
    )["stream"]
    events = list(stream)
    starts = [e["contentBlockStart"]["start"]["toolUse"] for e in events if "contentBlockStart" in e]
    assert [start["name"] for start in starts] == ["forecast"]
    pieces = [e["contentBlockDelta"]["delta"]["toolUse"]["input"] for e in events
              if "toolUse" in e.get("contentBlockDelta", {}).get("delta", {})]
    Draft202012Validator(FORECAST).validate(json.loads("".join(pieces)))


def test_tools_count_as_input():
    """MiniStack's users asked for it: the schema of a tool costs tokens."""
    client = runtime()
    bare = client.converse(modelId=HAIKU, messages=ask("Say hello."))
    with_tool = client.converse(
        modelId=HAIKU, messages=ask("Say hello."), toolConfig={"tools": [tool("forecast", FORECAST)]}
    )
    assert with_tool["usage"]["inputTokens"] > bare["usage"]["inputTokens"] + 20


# ---------------------------------------------------------------- structured output


PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "languages": {"type": "array", "items": {"type": "string", "enum": ["en", "de", "pt"]}},
    },
    "required": ["name", "age", "languages"],
    "additionalProperties": False,
}


def json_schema(schema):
    structure = {"jsonSchema": {"schema": json.dumps(schema), "name": "person"}}
    return {"textFormat": {"type": "json_schema", "structure": structure}}


def test_structured_output_of_converse():
    answer = runtime().converse(
        modelId=HAIKU, messages=ask("Describe Ada, 36."), outputConfig=json_schema(PERSON)
    )
    Draft202012Validator(PERSON).validate(json.loads(text_of(answer)))


def test_structured_output_of_a_stream():
    stream = runtime().converse_stream(
        modelId=HAIKU, messages=ask("Describe Ada, 36."), outputConfig=json_schema(PERSON)
    )["stream"]
    text = "".join(e["contentBlockDelta"]["delta"]["text"] for e in stream if "contentBlockDelta" in e)
    Draft202012Validator(PERSON).validate(json.loads(text))


def test_structured_output_of_invoke_model():
    output = {"format": {"type": "json_schema", "schema": PERSON}}
    answer = runtime().invoke_model(
        modelId=HAIKU, body=claude("Describe Ada, 36.", max_tokens=400, output_config=output)
    )
    [block] = json.loads(answer["body"].read())["content"]
    Draft202012Validator(PERSON).validate(json.loads(block["text"]))


# ---------------------------------------------------------------- errors


def refused(call, code, status):
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    return response["Error"]["Message"]


def test_errors_of_validation_are_typed():
    client = runtime()
    with pytest.raises(client.exceptions.ValidationException):
        client.converse(modelId="no.such-model", messages=ask("x"))
    for call, said in (
        (lambda: client.converse(modelId="no.such-model", messages=ask("x")),
         "The provided model identifier is invalid."),
        (lambda: client.converse(modelId=MODELS["base"], messages=ask("x")),
         f"Invocation of model ID {MODELS['base']} with on-demand throughput isn\u2019t supported. Retry your "
         "request with the ID or ARN of an inference profile that contains this model."),
        (lambda: client.converse(modelId=HAIKU, messages=ask("x"),
                                 inferenceConfig={"temperature": 0.1, "topP": 0.1}),
         "The model returned the following errors: `temperature` and `top_p` cannot both be specified for "
         "this model. Please use only one."),
        (lambda: client.converse(modelId=MODELS["current"], messages=ask("x"),
                                 inferenceConfig={"temperature": 0.1}),
         "The model returned the following errors: `temperature` is deprecated for this model."),
        (lambda: client.invoke_model(modelId=MODELS["current"], body=claude("x", temperature=0.1)),
         "`temperature` is deprecated for this model."),
    ):
        assert refused(call, "ValidationException", 400) == said


def test_errors_of_a_retired_model_and_its_time():
    call = lambda: runtime().converse(modelId=MODELS["ended"], messages=ask("x"))
    said = refused(call, "ResourceNotFoundException", 404)
    assert said.startswith("This model version has reached the end of its life.")


def test_errors_not_of_a_model_that_lives_again(own_emulator):
    own_emulator(args=("--today", "2026-01-15"))
    assert text_of(runtime().converse(modelId=MODELS["ended"], messages=ask("x")))


def test_errors_of_permission(own_emulator):
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModelWithResponseStream", "Resource": "*"}],
    }
    own_emulator(f"[[policy]]\ndocument = '''{json.dumps(policy)}'''\n")
    client = runtime()
    with pytest.raises(client.exceptions.AccessDeniedException) as caught:
        client.converse(modelId=HAIKU, messages=ask("x"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "is not authorized to perform: bedrock:InvokeModel on resource: " in str(caught.value)
    assert list(client.converse_stream(modelId=HAIKU, messages=ask("x"))["stream"])


def test_errors_of_signatures(emulator):
    client = boto3.client("bedrock-runtime", aws_secret_access_key="wrong",
                          aws_access_key_id=emulator.env["AWS_ACCESS_KEY_ID"])
    refused(lambda: client.converse(modelId=HAIKU, messages=ask("x")), "InvalidSignatureException", 403)
    client = boto3.client("bedrock-runtime", aws_secret_access_key="wrong", aws_access_key_id="AKIANOBODY0000000000")
    refused(lambda: client.converse(modelId=HAIKU, messages=ask("x")), "UnrecognizedClientException", 403)


def test_errors_of_throttling_are_typed(own_emulator):
    own_emulator("requests_per_minute = 1\n")
    client = runtime()
    client.converse(modelId=HAIKU, messages=ask("x"))
    with pytest.raises(client.exceptions.ThrottlingException) as caught:
        client.converse(modelId=HAIKU, messages=ask("x"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


# ---------------------------------------------------------------- retries


def test_retries_of_throttled_calls_and_of_nothing_else(own_emulator):
    own = own_emulator("requests_per_minute = 1\n")
    client = runtime(attempts=3)
    client.converse(modelId=HAIKU, messages=ask("x"))
    with pytest.raises(client.exceptions.ThrottlingException):
        client.converse(modelId=HAIKU, messages=ask("x"))
    with pytest.raises(client.exceptions.ValidationException):
        client.converse(modelId="no.such-model", messages=ask("x"))
    served, *throttled, invalid = own.requests(5)
    assert [e["status"] for e in throttled] == [429] * 3
    assert [e["attempt"] for e in throttled] == [1, 2, 3]
    assert {e["max_attempts"] for e in throttled} <= {3, None}
    assert len({e["invocation"] for e in throttled}) == 1
    assert served["invocation"] != throttled[0]["invocation"] != invalid["invocation"]
    assert (invalid["status"], invalid["attempt"]) == (400, 1)


# ---------------------------------------------------------------- caching


def cached(text):
    return [{"text": text}, {"cachePoint": {"type": "default"}}]


def test_caching_writes_then_reads():
    client = runtime()
    system = cached(long_text(MODELS["cache_minimum"], "writes"))
    first, second = (
        client.converse(modelId=HAIKU, system=system, messages=ask(q))["usage"] for q in ("One?", "Two?")
    )
    assert first["cacheWriteInputTokens"] >= MODELS["cache_minimum"]
    assert first["cacheReadInputTokens"] == 0
    assert first["cacheDetails"] == [{"inputTokens": first["cacheWriteInputTokens"], "ttl": "5m"}]
    assert second["cacheReadInputTokens"] == first["cacheWriteInputTokens"]
    assert second["cacheWriteInputTokens"] == 0
    for usage in (first, second):
        assert usage["totalTokens"] == (
            usage["inputTokens"] + usage["outputTokens"]
            + usage["cacheReadInputTokens"] + usage["cacheWriteInputTokens"]
        )


def test_caching_needs_a_minimum():
    usage = runtime().converse(modelId=HAIKU, system=cached("Short."), messages=ask("One?"))["usage"]
    assert usage.get("cacheWriteInputTokens", 0) == 0


def test_caching_in_streams_shows_only_when_it_happens():
    client = runtime()

    def usage(system):
        stream = client.converse_stream(modelId=HAIKU, system=system, messages=ask("One?"))["stream"]
        return [e["metadata"]["usage"] for e in stream if "metadata" in e][0]

    assert "cacheReadInputTokens" not in usage([{"text": "Short."}])
    system = cached(long_text(MODELS["cache_minimum"], "streams"))
    written, read = usage(system), usage(system)
    assert written["cacheWriteInputTokens"] == read["cacheReadInputTokens"] > 0


def test_caching_of_invoke_model():
    client = runtime()
    block = {"type": "text", "text": long_text(MODELS["cache_minimum"], "invocations"),
             "cache_control": {"type": "ephemeral", "ttl": "1h"}}

    def usage():
        answer = client.invoke_model(modelId=HAIKU, body=claude("One?", system=[block]))
        usage = json.loads(answer["body"].read())["usage"]
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert int(headers["x-amzn-bedrock-cache-write-input-token-count"]) == usage["cache_creation_input_tokens"]
        assert int(headers["x-amzn-bedrock-cache-read-input-token-count"]) == usage["cache_read_input_tokens"]
        return usage

    first, second = usage(), usage()
    assert first["cache_creation"]["ephemeral_1h_input_tokens"] == first["cache_creation_input_tokens"] > 0
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]


def test_caching_is_limited_to_four_points():
    system = [block for n in range(5) for block in cached(f"Part {n}.")]
    said = refused(
        lambda: runtime().converse(modelId=HAIKU, system=system, messages=ask("x")), "ValidationException", 400
    )
    assert "A maximum of 4 blocks with cache_control may be provided. Found 5." in said


# ---------------------------------------------------------------- thinking


BUDGET = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


def think(client, messages, fields=None, **more):
    return client.converse(
        modelId=HAIKU,
        messages=messages,
        inferenceConfig={"maxTokens": 2000},
        additionalModelRequestFields=fields or BUDGET,
        **more,
    )


def thoughts(answer):
    return [b["reasoningContent"]["reasoningText"] for b in answer["output"]["message"]["content"]
            if "reasoningContent" in b]


def test_thinking_with_signatures_that_verify():
    client = runtime()
    messages = ask("Use the forecast tool for the city Lisbon.")
    tools = {"tools": [tool("forecast", FORECAST)]}
    first = think(client, messages, toolConfig=tools)
    [thought] = thoughts(first)
    assert thought["text"] and thought["signature"]
    results = [{"toolResult": {"toolUseId": use["toolUseId"], "content": [{"text": "hail"}]}}
               for use in tool_uses(first)]
    assert results
    messages += [first["output"]["message"], {"role": "user", "content": results}]
    assert think(client, messages, toolConfig=tools)["stopReason"] == "end_turn"
    altered = json.loads(json.dumps(messages))
    altered[1]["content"][0]["reasoningContent"]["reasoningText"]["text"] += " But no."
    said = refused(lambda: think(client, altered, toolConfig=tools), "ValidationException", 400)
    assert "signature" in said


def test_thinking_in_a_stream():
    stream = runtime().converse_stream(
        modelId=HAIKU, messages=ask("How many legs have two cats?"),
        inferenceConfig={"maxTokens": 2000}, additionalModelRequestFields=BUDGET,
    )["stream"]
    deltas = [e["contentBlockDelta"] for e in stream if "contentBlockDelta" in e]
    thinking = [d["delta"]["reasoningContent"] for d in deltas if d["contentBlockIndex"] == 0]
    assert all("text" in part for part in thinking[:-1])
    assert "signature" in thinking[-1]
    assert "".join(d["delta"]["text"] for d in deltas if d["contentBlockIndex"] == 1)


def test_thinking_budgets_are_checked():
    client = runtime()
    small = {"thinking": {"type": "enabled", "budget_tokens": 10}}
    said = refused(lambda: think(client, ask("x"), small), "ValidationException", 400)
    assert "budget_tokens: Input should be greater than or equal to 1024" in said
    large = {"thinking": {"type": "enabled", "budget_tokens": 4000}}
    said = refused(lambda: think(client, ask("x"), large), "ValidationException", 400)
    assert "`max_tokens` must be greater than `thinking.budget_tokens`" in said


def test_thinking_adaptive():
    answer = runtime().converse(
        modelId=MODELS["current"],
        messages=ask("How many legs have two cats and three birds? Think hard."),
        inferenceConfig={"maxTokens": 2000},
        additionalModelRequestFields={"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
    )
    assert thoughts(answer) and text_of(answer)


# ---------------------------------------------------------------- counting


def test_counting_is_what_usage_says():
    client = runtime()
    converse = {
        "system": [{"text": "You are brief."}],
        "messages": ask("Tell me about tides."),
        "toolConfig": {"tools": [tool("forecast", FORECAST)]},
    }
    counted = client.count_tokens(modelId=MODELS["base"], input={"converse": converse})["inputTokens"]
    assert counted == client.converse(modelId=HAIKU, **converse)["usage"]["inputTokens"]
    body = claude("Tell me about tides.")
    counted = client.count_tokens(modelId=MODELS["base"], input={"invokeModel": {"body": body}})["inputTokens"]
    answer = json.loads(client.invoke_model(modelId=HAIKU, body=body)["body"].read())
    assert counted == answer["usage"]["input_tokens"]


def test_counting_wants_the_base_id():
    call = lambda: runtime().count_tokens(modelId=HAIKU, input={"converse": {"messages": ask("x")}})
    assert refused(call, "ValidationException", 400) == "The provided model doesn't support counting tokens."


def test_counting_grows_with_the_input():
    client = runtime()

    def count(text):
        return client.count_tokens(
            modelId=MODELS["base"], input={"converse": {"messages": ask(text)}}
        )["inputTokens"]

    assert 0 < count("Hello") < count("Hello there, you two") < count(long_text(500))
