//! Nova Multimodal Embeddings: one text, picture, video or sound, one vector.

use serde::Serialize;
use serde_json::Value;

use super::embed::{Item, Space, written};
use crate::{error::ApiError, malformed::Malformed};

const SINGLE: &str = "#/singleEmbeddingParams";

/// A body of Nova Multimodal Embeddings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NovaEmbed {
    pub(super) item: Item,
    pub(super) dimensions: usize,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
struct Answer {
    embeddings: [Embedding; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Embedding {
    embedding_type: &'static str,
    embedding: Vec<f32>,
}

impl NovaEmbed {
    pub(super) fn read(body: &Value) -> Result<Self, ApiError> {
        const PURPOSES: [&str; 9] = [
            "GENERIC_INDEX",
            "GENERIC_RETRIEVAL",
            "TEXT_RETRIEVAL",
            "IMAGE_RETRIEVAL",
            "VIDEO_RETRIEVAL",
            "DOCUMENT_RETRIEVAL",
            "AUDIO_RETRIEVAL",
            "CLASSIFICATION",
            "CLUSTERING",
        ];
        let mut wrong = Malformed::default();
        let mut request = Self {
            item: Item::Text(String::new()),
            dimensions: 3_072,
            kind: "TEXT",
        };
        let members = ["schemaVersion", "taskType", "singleEmbeddingParams"];
        let required = ["taskType", "singleEmbeddingParams"];
        if let Some(map) = wrong.object("#", body, &required, &members) {
            if let Some(value) = map.get("schemaVersion") {
                wrong.word("#/schemaVersion", value, &["nova-multimodal-embed-v1"]);
            }
            // `SEGMENTED_EMBEDDING` is for StartAsyncInvoke alone.
            if let Some(value) = map.get("taskType") {
                wrong.word("#/taskType", value, &["SINGLE_EMBEDDING"]);
            }
            let params = map.get("singleEmbeddingParams");
            let allowed = [
                "embeddingPurpose",
                "embeddingDimension",
                "text",
                "image",
                "video",
                "audio",
            ];
            let params =
                params.and_then(|v| wrong.object(SINGLE, v, &["embeddingPurpose"], &allowed));
            if let Some(params) = params {
                if let Some(value) = params.get("embeddingPurpose") {
                    wrong.word(&format!("{SINGLE}/embeddingPurpose"), value, &PURPOSES);
                }
                if let Some(value) = params.get("embeddingDimension") {
                    let at = format!("{SINGLE}/embeddingDimension");
                    let chosen = wrong.choice(&at, value, &[256, 384, 1_024, 3_072]);
                    request.dimensions = chosen.unwrap_or(request.dimensions);
                }
                request.read_item(params, &mut wrong);
            }
        }
        wrong.into_result()?;
        Ok(request)
    }

    fn read_item(&mut self, params: &serde_json::Map<String, Value>, wrong: &mut Malformed) {
        let kinds = [
            ("text", "TEXT"),
            ("image", "IMAGE"),
            ("video", "VIDEO"),
            ("audio", "AUDIO"),
        ];
        let mut given = kinds.iter().filter(|(key, _)| params.contains_key(*key));
        let Some((key, kind)) = given.next() else {
            wrong.add(SINGLE, "required key [text] not found");
            return;
        };
        if let Some((second, _)) = given.next() {
            wrong.add(
                SINGLE,
                &format!("extraneous key [{second}] is not permitted"),
            );
        }
        self.kind = kind;
        let at = format!("{SINGLE}/{key}");
        let value = &params[*key];
        if *key == "text" {
            let allowed = ["truncationMode", "value", "source"];
            let Some(map) = wrong.object(&at, value, &["truncationMode"], &allowed) else {
                return;
            };
            if let Some(mode) = map.get("truncationMode") {
                wrong.word(
                    &format!("{at}/truncationMode"),
                    mode,
                    &["START", "END", "NONE"],
                );
            }
            match map.get("value") {
                Some(text) => {
                    let text = wrong.text(&format!("{at}/value"), text, 1, 8_192);
                    self.item = Item::Text(text.unwrap_or_default().to_owned());
                }
                None if map.contains_key("source") => self.item = Item::Media(value.to_string()),
                None => wrong.add(&at, "required key [value] not found"),
            }
            return;
        }
        let bytes = value
            .pointer("/source/bytes")
            .or_else(|| value.pointer("/source/s3Location/uri"));
        match bytes.and_then(Value::as_str) {
            Some(bytes) => self.item = Item::Media(bytes.to_owned()),
            None => wrong.add(&at, "required key [source] not found"),
        }
    }

    pub(super) fn answer(&self, space: &Space) -> String {
        written(&Answer {
            embeddings: [Embedding {
                embedding_type: self.kind,
                embedding: space.vector(&self.item),
            }],
        })
    }
}
