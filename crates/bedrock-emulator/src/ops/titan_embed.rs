//! Titan's embeddings: one text, one vector.

use serde::Serialize;
use serde_json::Value;

use super::embed::{Item, Space, written};
use crate::{
    answer::tokens,
    catalogue::{Family, Model},
    error::ApiError,
    malformed::Malformed,
};

/// A body of Titan Embeddings G1 or of Titan Text Embeddings V2.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TitanEmbed {
    pub(super) item: Item,
    pub(super) dimensions: usize,
    second: bool,
    /// `float`, `binary`; as asked for.
    types: Option<Vec<String>>,
}

/// The answer; the order of fields is the order on the wire (recorded).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<Vec<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings_by_type: Option<ByType>,
    input_text_token_count: u32,
}

#[derive(Debug, Serialize)]
struct ByType {
    #[serde(skip_serializing_if = "Option::is_none")]
    float: Option<Vec<f32>>,
    /// One number for each bit (AWS documents it so).
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<Vec<u8>>,
}

impl TitanEmbed {
    pub(super) fn read(body: &Value, model: &Model) -> Result<Self, ApiError> {
        let second = model.family == Family::TitanEmbedV2;
        let members: &[&str] = if second {
            &["inputText", "dimensions", "normalize", "embeddingTypes"]
        } else {
            &["inputText"]
        };
        let mut wrong = Malformed::default();
        let mut request = Self {
            item: Item::Text(String::new()),
            dimensions: if second { 1_024 } else { 1_536 },
            second,
            types: None,
        };
        if let Some(map) = wrong.object("#", body, &["inputText"], members) {
            if let Some(value) = map.get("inputText") {
                let text = wrong
                    .text("#/inputText", value, 1, 50_000)
                    .unwrap_or_default();
                request.item = Item::Text(text.to_owned());
            }
            if let Some(value) = map.get("dimensions").filter(|_| second) {
                let chosen = wrong.choice("#/dimensions", value, &[256, 512, 1_024]);
                request.dimensions = chosen.unwrap_or(request.dimensions);
            }
            // A vector of length 1 comes back either way (recorded with `false` too).
            if let Some(value) = map.get("normalize").filter(|_| second) {
                wrong.boolean("#/normalize", value);
            }
            if let Some(value) = map.get("embeddingTypes").filter(|_| second) {
                let items = wrong.list("#/embeddingTypes", value, 1, 2);
                for (i, item) in items.iter().enumerate() {
                    wrong.word(&format!("#/embeddingTypes/{i}"), item, &["float", "binary"]);
                }
                let names = items
                    .iter()
                    .filter_map(|item| item.as_str().map(str::to_owned));
                request.types = Some(names.collect());
            }
        }
        wrong.into_result()?;
        if let Item::Text(text) = &request.item {
            let count = tokens::count(text);
            if count > model.context {
                return Err(ApiError::validation(format!(
                    "400 Bad Request: Too many input tokens. Max input tokens: {}, request input \
                     token count: {count} ",
                    model.context
                )));
            }
        }
        Ok(request)
    }

    pub(super) fn answer(&self, space: &Space, tokens: u32) -> String {
        let vector = space.vector(&self.item);
        let asked = |name: &str| {
            self.types
                .as_ref()
                .is_some_and(|t| t.iter().any(|n| n == name))
        };
        let float = self.types.is_none() || asked("float");
        let by_type = self.second.then(|| ByType {
            float: float.then(|| vector.clone()),
            binary: asked("binary").then(|| vector.iter().map(|x| u8::from(*x > 0.0)).collect()),
        });
        written(&Answer {
            embedding: float.then_some(vector),
            embeddings_by_type: by_type,
            input_text_token_count: tokens,
        })
    }
}
