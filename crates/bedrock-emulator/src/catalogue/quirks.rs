//! What one model does differently on the wire.

use serde::Deserialize;

/// Differences of one model on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// Converse (not streamed) puts the undocumented `"type":"tool_use"` into `toolUse`.
    pub tool_use_type: bool,
    /// Usage carries the cache fields even when nothing was cached.
    pub cache_usage: bool,
    /// Usage carries `serverToolUsage`.
    pub server_tool_usage: bool,
    /// `InvokeModel` answers with the two cache token headers.
    pub cache_headers: bool,
    /// Of the two cache headers it sends only the read one (recorded once, Opus 4.8).
    pub only_cache_read_header: bool,
    /// The Messages body's usage also carries `output_tokens_details` and `service_tier`, and the
    /// message `stop_details` (recorded once, Opus 4.8).
    pub usage_details: bool,
    /// Message ids are 52 lower-case base32 characters after `msg_bdrk_` (recorded, Opus 4.8).
    pub base32_ids: bool,
    /// Refuses `temperature`, `top_p` and `top_k`.
    pub no_sampling: bool,
    /// Refuses `temperature` together with `top_p`.
    pub one_sampling: bool,
    /// Refuses a conversation that ends with an assistant message.
    pub no_prefill: bool,
    /// Wants strictly alternating roles, user first.
    pub strict_roles: bool,
    /// Answers the Text Completions API (`prompt`, `max_tokens_to_sample`).
    pub text_completions: bool,
    /// Refuses a forced tool choice.
    pub no_forced_tool: bool,
    /// Has no tool use at all.
    pub no_tools: bool,
    /// Refuses tool results beside other content in one message.
    pub no_mixed_turns: bool,
    /// Refuses input and `max_tokens` that together exceed the context window.
    pub strict_context: bool,
    /// Has no system prompt.
    pub no_system: bool,
    /// Takes documents, pictures and videos from S3.
    pub s3_sources: bool,
    /// The Messages body's usage also carries `cache_creation` by time to live.
    pub cache_creation_usage: bool,
    /// Takes `StartAsyncInvoke`.
    pub async_invoke: bool,
}
