//! `InvokeModel` for embedding models: what Titan, Cohere and Nova share. Each family's body is read
//! and answered in a file of its own.

use serde::Serialize;
use serde_json::Value;

use super::{
    Encoded, Exchange, Input, cohere_embed, invoke_model::to_json, nova_embed, titan_embed,
    whole_body, whole_due,
};
use crate::{
    answer::tokens,
    catalogue::{Family, Model},
    conversation::{Block, Conversation, Role, Turn},
    embedding,
    error::ApiError,
    media::Image,
    rng::hash,
    wire::header,
};

/// What is to be embedded, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Text(String),
    /// A picture, a video or a sound, as base64 or as the name of an S3 object.
    Media(String),
}

/// A body that was read and found right.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum EmbedRequest {
    Titan(titan_embed::TitanEmbed),
    Cohere(cohere_embed::CohereEmbed),
    Nova(nova_embed::NovaEmbed),
}

impl EmbedRequest {
    fn read(body: &Value, model: &Model) -> Result<Self, ApiError> {
        Ok(match model.family {
            Family::CohereEmbedV3 | Family::CohereEmbedV4 => {
                Self::Cohere(cohere_embed::CohereEmbed::read(body, model)?)
            }
            Family::NovaEmbed => Self::Nova(nova_embed::NovaEmbed::read(body)?),
            _ => Self::Titan(titan_embed::TitanEmbed::read(body, model)?),
        })
    }

    fn items(&self) -> &[Item] {
        match self {
            Self::Titan(request) => std::slice::from_ref(&request.item),
            Self::Cohere(request) => &request.items,
            Self::Nova(request) => std::slice::from_ref(&request.item),
        }
    }
}

/// The body as a conversation, so that scripts, logs and the journal see its texts.
pub(super) fn conversation(body: &Value, model: &Model) -> Result<Conversation, ApiError> {
    let request = EmbedRequest::read(body, model)?;
    let block = |item: &Item| match item {
        Item::Text(text) => Block::Text(text.clone()),
        Item::Media(_) => Block::Image(Image::default()),
    };
    Ok(Conversation {
        turns: vec![Turn {
            role: Role::User,
            blocks: request.items().iter().map(block).collect(),
        }],
        ..Conversation::default()
    })
}

/// Input tokens of the texts in an embedding request.
pub(crate) fn input_tokens(conversation: &Conversation, model: &Model) -> u32 {
    let blocks = conversation.turns.iter().flat_map(|turn| &turn.blocks);
    let counts = blocks.map(|block| match block {
        Block::Text(text) => tokens::count(text),
        _ => 1,
    });
    // Nova counts 15 tokens of its own (recorded, 19 for four).
    let own = if model.family == Family::NovaEmbed {
        15
    } else {
        0
    };
    own + counts.sum::<u32>()
}

/// Draws vectors for one model.
pub(super) struct Space {
    seed: u64,
    pub(super) dimensions: usize,
}

impl Space {
    pub(super) fn vector(&self, item: &Item) -> Vec<f32> {
        match item {
            Item::Text(text) => embedding::vector(self.seed, text, self.dimensions),
            Item::Media(bytes) => embedding::vector_of_bytes(self.seed, bytes, self.dimensions),
        }
    }

    /// The signs of a vector as bits, eight to a number, most significant first.
    pub(super) fn bits(vector: &[f32]) -> Vec<u8> {
        let byte = |eight: &[f32]| {
            let bits = eight
                .iter()
                .fold(0_u8, |bits, x| (bits << 1) | u8::from(*x > 0.0));
            bits << (8 - eight.len())
        };
        vector.chunks(8).map(byte).collect()
    }
}

pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let (pace, due) = whole_due(&exchange);
    let latency_ms = pace.elapsed_ms();
    let body = body(&mut exchange).unwrap_or_default();
    let headers = vec![
        header("X-Amzn-Bedrock-Invocation-Latency", latency_ms.to_string()),
        header(
            "X-Amzn-Bedrock-Input-Token-Count",
            exchange.answer.usage.input.to_string(),
        ),
    ];
    Encoded {
        headers,
        content_type: "application/json",
        body: whole_body(&exchange.answer.ending, due, body),
        latency_ms,
        first_token_ms: pace.first_ms(),
        exception: None,
    }
}

/// `None` cannot happen: the body was read before, when it was checked.
fn body(exchange: &mut Exchange<'_>) -> Option<String> {
    let Input::Invoke(invoke) = exchange.input else {
        return None;
    };
    let request = EmbedRequest::read(&invoke.json().ok()?, exchange.model).ok()?;
    let space = |dimensions| Space {
        // One space for each model: vectors of two models cannot be compared.
        seed: exchange.seed ^ hash(&exchange.model.provider_id),
        dimensions,
    };
    let tokens = exchange.answer.usage.input;
    Some(match request {
        EmbedRequest::Titan(request) => request.answer(&space(request.dimensions), tokens),
        EmbedRequest::Cohere(request) => {
            let space = space(request.dimensions);
            request.answer(&space, exchange.rng.uuid())
        }
        EmbedRequest::Nova(request) => request.answer(&space(request.dimensions)),
    })
}

/// Compact JSON of an answer.
pub(super) fn written(answer: &impl Serialize) -> String {
    to_json(answer)
}
