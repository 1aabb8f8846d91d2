//! Cohere Embed 3 and 4: many texts (4 also pictures and mixtures), many vectors, in several types.

use serde::Serialize;
use serde_json::Value;

use super::embed::{Item, Space, written};
use crate::{
    answer::tokens,
    catalogue::{Family, Model},
    error::ApiError,
    malformed::Malformed,
};

const TYPES: [&str; 5] = ["float", "int8", "uint8", "binary", "ubinary"];

/// A body of Cohere Embed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CohereEmbed {
    pub(super) items: Vec<Item>,
    pub(super) dimensions: usize,
    fourth: bool,
    /// The texts as they come back.
    texts: Vec<String>,
    types: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct AnswerOf3 {
    embeddings: Value,
    id: String,
    response_type: &'static str,
    texts: Vec<String>,
}

/// The order of a live answer of 2026-08.
#[derive(Debug, Serialize)]
struct AnswerOf4 {
    id: String,
    texts: Vec<String>,
    embeddings: Value,
    response_type: &'static str,
}

impl CohereEmbed {
    pub(super) fn read(body: &Value, model: &Model) -> Result<Self, ApiError> {
        let fourth = model.family == Family::CohereEmbedV4;
        let mut members = vec![
            "texts",
            "images",
            "input_type",
            "truncate",
            "embedding_types",
        ];
        if fourth {
            members.extend(["inputs", "max_tokens", "output_dimension"]);
        }
        let mut wrong = Malformed::default();
        let mut request = Self {
            items: Vec::new(),
            dimensions: if fourth { 1_536 } else { 1_024 },
            fourth,
            texts: Vec::new(),
            types: None,
        };
        let mut cut = "NONE";
        if let Some(map) = wrong.object("#", body, &["input_type"], &members) {
            if let Some(value) = map.get("input_type") {
                const KINDS: [&str; 5] = [
                    "search_document",
                    "search_query",
                    "classification",
                    "clustering",
                    "image",
                ];
                wrong.word("#/input_type", value, &KINDS);
            }
            if let Some(value) = map.get("truncate") {
                wrong.word(
                    "#/truncate",
                    value,
                    &["NONE", "START", "END", "LEFT", "RIGHT"],
                );
                cut = value.as_str().unwrap_or(cut);
            }
            if let Some(value) = map.get("output_dimension").filter(|_| fourth) {
                let chosen = wrong.choice("#/output_dimension", value, &[256, 512, 1_024, 1_536]);
                request.dimensions = chosen.unwrap_or(request.dimensions);
            }
            if let Some(value) = map.get("max_tokens").filter(|_| fourth) {
                wrong.integer("#/max_tokens", value, 1, model.context);
            }
            if let Some(value) = map.get("embedding_types") {
                let names = wrong.list("#/embedding_types", value, 1, TYPES.len());
                for (i, name) in names.iter().enumerate() {
                    wrong.word(&format!("#/embedding_types/{i}"), name, &TYPES);
                }
                let names = names
                    .iter()
                    .filter_map(|name| name.as_str().map(str::to_owned));
                request.types = Some(names.collect());
            }
            if let Some(value) = map.get("texts") {
                request.read_texts(value, &mut wrong);
            }
            if let Some(value) = map.get("images") {
                for (i, image) in wrong.list("#/images", value, 1, 96).iter().enumerate() {
                    let image = wrong.text(&format!("#/images/{i}"), image, 1, usize::MAX);
                    request
                        .items
                        .push(Item::Media(image.unwrap_or_default().to_owned()));
                }
            }
            if let Some(value) = map.get("inputs").filter(|_| fourth) {
                request.read_inputs(value, &mut wrong);
            }
            let given = ["texts", "images", "inputs"];
            if !given.iter().any(|key| map.contains_key(*key)) {
                wrong.add("#", "required key [texts] not found");
            }
        }
        wrong.into_result()?;
        request.fit(model, cut)?;
        Ok(request)
    }

    fn read_texts(&mut self, value: &Value, wrong: &mut Malformed) {
        let longest = if self.fourth { usize::MAX } else { 2_048 };
        for (i, text) in wrong.list("#/texts", value, 1, 96).iter().enumerate() {
            let text = wrong.text(&format!("#/texts/{i}"), text, 0, longest);
            let text = text.unwrap_or_default().to_owned();
            // Embed 3 gives the texts back in lower case (recorded), Embed 4 as they were.
            self.texts.push(if self.fourth {
                text.clone()
            } else {
                text.to_lowercase()
            });
            self.items.push(Item::Text(text));
        }
    }

    /// `inputs[].content[]`: texts and pictures that are embedded together.
    fn read_inputs(&mut self, value: &Value, wrong: &mut Malformed) {
        for (i, input) in wrong.list("#/inputs", value, 1, 96).iter().enumerate() {
            let at = format!("#/inputs/{i}");
            let Some(map) = wrong.object(&at, input, &["content"], &["content"]) else {
                continue;
            };
            let parts = map.get("content").and_then(Value::as_array);
            let parts = parts.map_or(&[][..], Vec::as_slice).iter();
            let said = parts.filter_map(|part| {
                let text = part.get("text").and_then(Value::as_str);
                text.or_else(|| part.pointer("/image_url/url").and_then(Value::as_str))
            });
            self.items
                .push(Item::Text(said.collect::<Vec<_>>().join("\n")));
        }
    }

    /// A text over the context is refused with `NONE` and cut otherwise; the refusal is inferred.
    fn fit(&mut self, model: &Model, cut: &str) -> Result<(), ApiError> {
        for item in &mut self.items {
            let Item::Text(text) = item else { continue };
            let count = tokens::count(text);
            if count <= model.context {
                continue;
            }
            if cut == "NONE" {
                return Err(ApiError::validation(format!(
                    "invalid request: input text is too long: {count} tokens > {} maximum",
                    model.context
                )));
            }
            *text = tokens::cut(text, model.context).to_owned();
        }
        Ok(())
    }

    pub(super) fn answer(self, space: &Space, id: String) -> String {
        let vectors: Vec<Vec<f32>> = self.items.iter().map(|item| space.vector(item)).collect();
        let by_type = self.fourth || self.types.is_some();
        let embeddings = if by_type {
            let asked = self.types.unwrap_or_else(|| vec!["float".to_owned()]);
            let typed = |name: String| {
                let all = vectors.iter().map(|vector| typed(vector, &name)).collect();
                (name, Value::Array(all))
            };
            Value::Object(asked.into_iter().map(typed).collect())
        } else {
            vectors
                .iter()
                .map(|vector| typed(vector, "float"))
                .collect()
        };
        let texts = self.texts;
        if self.fourth {
            let response_type = "embeddings_by_type";
            return written(&AnswerOf4 {
                id,
                texts,
                embeddings,
                response_type,
            });
        }
        let response_type = if by_type {
            "embeddings_by_type"
        } else {
            "embeddings_floats"
        };
        written(&AnswerOf3 {
            embeddings,
            id,
            response_type,
            texts,
        })
    }
}

/// A vector in one of Cohere's types. Its components are scaled so that the usual size of one, which
/// shrinks with the number of dimensions, uses the range of a byte.
fn typed(vector: &[f32], name: &str) -> Value {
    let bits = || Space::bits(vector).into_iter();
    match name {
        "int8" => vector.iter().map(|x| Value::from(byte(*x))).collect(),
        "uint8" => vector
            .iter()
            .map(|x| Value::from(i16::from(byte(*x)) + 128))
            .collect(),
        "binary" => bits()
            .map(|bits| Value::from(i16::from(bits) - 128))
            .collect(),
        "ubinary" => bits().map(Value::from).collect(),
        // The shortest decimal that means the same `f32`, as on the wire.
        _ => vector.iter().map(|x| number(*x)).collect(),
    }
}

fn number(component: f32) -> Value {
    let shortest = component.to_string().parse::<f64>();
    Value::from(shortest.unwrap_or_default())
}

fn byte(component: f32) -> i8 {
    let scaled = (component * 512.0).round().clamp(-128.0, 127.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to the range of an i8"
    )]
    let byte = scaled as i8;
    byte
}
