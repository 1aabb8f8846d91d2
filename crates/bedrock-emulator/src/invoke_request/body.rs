//! The structures of a Messages body, as Anthropic documents them.

use serde::de::{MapAccess, SeqAccess};

use super::taken::{Member, Object, Shape, structures};

structures! {
    /// The whole body.
    Body {
        anthropic_beta: Vec<Member<String>>,
        anthropic_version: String,
        cache_control: CacheControl,
        context_management: Object,
        max_tokens: i64,
        messages: Vec<Member<Message>>,
        metadata: Metadata,
        output_config: OutputConfig,
        output_format: Format,
        stop_sequences: Vec<Member<String>>,
        system: Content,
        temperature: f64,
        thinking: ThinkingConfig,
        tool_choice: Choice,
        tools: Vec<Member<ToolDefinition>>,
        top_k: i64,
        top_p: f64,
        // What Converse calls `thinking` in `additionalModelRequestFields` (recorded).
        reasoning_config: ThinkingConfig,
        // A member of Text Completions, told apart here.
        prompt: String,
        // Members of Anthropic's own path.
        container: String,
        inference_geo: String,
        mcp_servers: Vec<Member<Object>>,
        model: String,
        service_tier: String,
        speed: String,
        stream: bool,
        user_profile_id: String,
    }

    Message {
        role: String,
        content: Content,
    }

    /// Any content block; which members belong to it, its `type` says.
    ContentBlock {
        kind = "type": String,
        cache_control: CacheControl,
        citations: Citations,
        content: Content,
        context: String,
        data: String,
        id: String,
        input: Object,
        is_error: bool,
        name: String,
        signature: String,
        source: Source,
        text: String,
        thinking: String,
        title: String,
        tool_use_id: String,
        // `direct` of tool uses that come back as they were said; says nothing to the model.
        caller: Object,
    }

    CacheControl {
        kind = "type": String,
        ttl: String,
    }

    /// Where an image or a document comes from.
    SourceObject {
        kind = "type": String,
        media_type: String,
        data: String,
        url: String,
        file_id: String,
        content: Content,
    }

    Metadata {
        user_id: String,
    }

    OutputConfig {
        effort: String,
        format: Format,
        task_budget: Object,
    }

    Format {
        kind = "type": String,
        schema: Object,
        name: String,
    }

    ThinkingConfig {
        kind = "type": String,
        budget_tokens: i64,
        display: String,
    }

    Choice {
        kind = "type": String,
        name: String,
        disable_parallel_tool_use: bool,
    }

    /// A tool: the caller's own, or one that Anthropic defines.
    ToolDefinition {
        kind = "type": String,
        allowed_callers: Vec<Member<String>>,
        cache_control: CacheControl,
        defer_loading: bool,
        description: String,
        display_height_px: i64,
        display_number: i64,
        display_width_px: i64,
        eager_input_streaming: bool,
        input_examples: Vec<Member<Object>>,
        input_schema: Object,
        max_characters: i64,
        name: String,
        strict: bool,
    }
}

/// A text, or a list of blocks.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Text(String),
    Blocks(Vec<Member<ContentBlock>>),
}

impl<'de> Shape<'de> for Content {
    const WANTED: &'static str = "a valid list";

    fn of_str(text: &str) -> Option<Self> {
        Some(Self::Text(text.to_owned()))
    }

    fn of_seq<A: SeqAccess<'de>>(items: A) -> Result<Option<Self>, A::Error> {
        Ok(Vec::of_seq(items)?.map(Self::Blocks))
    }
}

/// A source: the URL or name of a search result, or where bytes come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Text(String),
    Object(Box<SourceObject>),
}

impl<'de> Shape<'de> for Source {
    const WANTED: &'static str = "a valid dictionary or object to extract fields from";

    fn of_str(text: &str) -> Option<Self> {
        Some(Self::Text(text.to_owned()))
    }

    fn of_map<A: MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
        let object = SourceObject::of_map(members)?;
        Ok(object.map(|object| Self::Object(Box::new(object))))
    }
}

/// Of a request: whether to cite. Of an answer that comes back: what was cited.
#[derive(Debug, Clone)]
pub(super) enum Citations {
    Wanted(bool),
    Given,
}

impl<'de> Shape<'de> for Citations {
    const WANTED: &'static str = "a valid dictionary or object to extract fields from";

    fn of_map<A: MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
        let object = Object::of_map(members)?.unwrap_or_default().0;
        let enabled = object.get("enabled").and_then(serde_json::Value::as_bool);
        Ok(Some(Self::Wanted(enabled.unwrap_or_default())))
    }

    fn of_seq<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        while items.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Some(Self::Given))
    }
}
