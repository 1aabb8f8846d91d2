"""LiteLLM: one call for many providers. It signs and parses for itself; boto3 only gives it keys."""

import json

import litellm
import pytest
from jsonschema import Draft202012Validator

from emulator import MODELS, long_text

CLIENT = "LiteLLM"
CONVERSE = f"bedrock/converse/{MODELS['haiku']}"
INVOKE = f"bedrock/invoke/{MODELS['haiku']}"
both = pytest.mark.parametrize("model", [CONVERSE, INVOKE], ids=["converse", "invoke"])

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city", "days"],
}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather in a city.",
                                           "parameters": WEATHER}}]


@pytest.fixture(autouse=True)
def endpoint(monkeypatch, emulator):
    """The one variable that LiteLLM reads under a name of its own."""
    monkeypatch.setenv("AWS_BEDROCK_RUNTIME_ENDPOINT", emulator.url)


def ask(text):
    return [{"role": "user", "content": text}]


def complete(text="Hello", model=CONVERSE, **options):
    options = {"messages": ask(text), "num_retries": 0} | options
    return litellm.completion(model=model, **options)


@both
def test_plain(model):
    answer = complete("Name one river.", model, max_tokens=100)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@both
def test_stream(model):
    chunks = list(complete("Tell me about tides.", model, stream=True, stream_options={"include_usage": True}))
    text = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert len(text) > 1
    assert "stop" in [c.choices[0].finish_reason for c in chunks if c.choices]
    usage = [c.usage for c in chunks if getattr(c, "usage", None)][-1]
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0


@both
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_tools_forced(model, stream):
    choice = {"type": "function", "function": {"name": "weather"}}
    answer = complete("Lisbon, 3 days", model, tools=TOOLS, tool_choice=choice, stream=stream)
    if stream:
        answer = litellm.stream_chunk_builder(list(answer))
    assert answer.choices[0].finish_reason == "tool_calls"
    [call] = answer.choices[0].message.tool_calls
    Draft202012Validator(WEATHER).validate(json.loads(call.function.arguments))


def test_tools_result_is_used():
    messages = ask("Use the weather tool for the city Lisbon.")
    first = complete(messages=messages, tools=TOOLS).choices[0].message
    [call] = first.tool_calls
    messages += [first.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": "hail, 7 degrees"}]
    assert "hail" in complete(messages=messages, tools=TOOLS).choices[0].message.content


@both
def test_structured_output(model):
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
              "required": ["name", "age"], "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    answer = complete("Describe Ada, 36.", model, response_format=wanted)
    Draft202012Validator(schema).validate(json.loads(answer.choices[0].message.content))


def test_errors_are_litellms_own():
    with pytest.raises(litellm.BadRequestError, match="The provided model identifier is invalid."):
        complete(model="bedrock/converse/anthropic.no-such-model")
    with pytest.raises(litellm.NotFoundError, match="reached the end of its life"):
        complete(model=f"bedrock/converse/{MODELS['ended']}")
    with pytest.raises(litellm.AuthenticationError, match="The security token included in the request is invalid."):
        complete(aws_access_key_id="AKIANOBODY0000000000", aws_secret_access_key="wrong")


def test_errors_of_throttling(own_emulator, monkeypatch):
    monkeypatch.setenv("AWS_BEDROCK_RUNTIME_ENDPOINT", own_emulator("requests_per_minute = 1\n").url)
    complete()
    with pytest.raises(litellm.RateLimitError):
        complete()


def test_retries_of_throttled_calls_and_of_nothing_else(own_emulator, monkeypatch):
    own = own_emulator("requests_per_minute = 1\n")
    monkeypatch.setenv("AWS_BEDROCK_RUNTIME_ENDPOINT", own.url)
    complete()
    with pytest.raises(litellm.RateLimitError):
        complete(num_retries=1)
    assert [e["status"] for e in own.requests(3)] == [200, 429, 429]


@both
def test_caching_writes_then_reads(model):
    block = {"type": "text", "text": long_text(MODELS["cache_minimum"], model.split("/")[1]),
             "cache_control": {"type": "ephemeral"}}
    system = {"role": "system", "content": [block]}
    first, second = (complete(model=model, messages=[system, *ask(q)]).usage for q in ("One?", "Two?"))
    assert first.cache_creation_input_tokens > 0
    assert second.prompt_tokens_details.cached_tokens == first.cache_creation_input_tokens


@both
def test_thinking_round_trip(model):
    options = {"model": model, "tools": TOOLS, "max_tokens": 2000,
               "thinking": {"type": "enabled", "budget_tokens": 1024}}
    messages = ask("Use the weather tool for the city Lisbon.")
    first = complete(messages=messages, **options).choices[0].message
    assert first.thinking_blocks[0]["signature"]
    assert first.reasoning_content
    messages += [first.model_dump()]
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "hail"} for call in first.tool_calls]
    assert complete(messages=messages, **options).choices[0].message.content


async def test_counting_is_what_usage_says():
    counted = await litellm.acount_tokens(model=f"bedrock/{MODELS['haiku']}", messages=ask("Name one river."))
    assert not counted.error, counted.error_message
    assert counted.tokenizer_type == "bedrock_api"
    assert counted.total_tokens == complete("Name one river.").usage.prompt_tokens
