//! Attribute values: from JSON and back, their size, equality and order.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bedrock_emulator::error::ApiError;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value as Json};

use super::{
    error::{serialization, validation},
    number::Number,
};

/// A JSON object.
pub(super) type JsonMap = Map<String, Json>;

/// An item's attributes, or a key's.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// Documents may be nested that deep (service quotas).
const DEPTH_MAX: usize = 32;

/// What an attribute holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// Yes or no.
    Bool(bool),
    /// Nothing, on purpose.
    Null,
    /// A map.
    M(Attributes),
    /// A list.
    L(Vec<AttributeValue>),
    /// A set of strings.
    Ss(BTreeSet<String>),
    /// A set of numbers.
    Ns(BTreeSet<Number>),
    /// A set of bytes.
    Bs(BTreeSet<Vec<u8>>),
}

use AttributeValue::{B, Bool, Bs, L, M, N, Ns, Null, S, Ss};

impl AttributeValue {
    /// From `{"S": "…"}`.
    pub(super) fn from_json(json: Json) -> Result<Self, ApiError> {
        read(json, 0)
    }

    /// As in `{"BOOL": true}`.
    pub fn kind(&self) -> &'static str {
        match self {
            S(_) => "S",
            N(_) => "N",
            B(_) => "B",
            Bool(_) => "BOOL",
            Null => "NULL",
            M(_) => "M",
            L(_) => "L",
            Ss(_) => "SS",
            Ns(_) => "NS",
            Bs(_) => "BS",
        }
    }

    /// The string, if it is one.
    pub fn as_s(&self) -> Option<&str> {
        match self {
            S(text) => Some(text),
            _ => None,
        }
    }

    /// Its bytes in an item's size (developer guide, "DynamoDB item sizes and formats").
    pub(super) fn size(&self) -> usize {
        match self {
            S(text) => text.len(),
            N(number) => number.size(),
            B(bytes) => bytes.len(),
            Bool(_) | Null => 1,
            M(map) => 3 + map.len() + size(map),
            L(list) => 3 + list.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Ss(set) => set.iter().map(String::len).sum(),
            Ns(set) => set.iter().map(|number| number.size()).sum(),
            Bs(set) => set.iter().map(Vec::len).sum(),
        }
    }

    /// Which of the two comes first; `None`: they cannot be compared.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (S(a), S(b)) => Some(a.cmp(b)),
            (N(a), N(b)) => Some(a.cmp(b)),
            (B(a), B(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// What `size(path)` says of it. Strings are counted in UTF-16 units, as Java does; what the
    /// service counts is not verified beyond ASCII.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            S(text) => Some(text.encode_utf16().count()),
            B(bytes) => Some(bytes.len()),
            M(map) => Some(map.len()),
            L(list) => Some(list.len()),
            Ss(set) => Some(set.len()),
            Ns(set) => Some(set.len()),
            Bs(set) => Some(set.len()),
            N(_) | Bool(_) | Null => None,
        }
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        S(text.to_owned())
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        N(number.into())
    }
}

/// Attributes from `{"name": {"S": "…"}}`.
pub(super) fn attributes(map: JsonMap) -> Result<Attributes, ApiError> {
    map.into_iter()
        .map(|(name, value)| Ok((name, read(value, 0)?)))
        .collect()
}

/// The size of these attributes together.
pub(super) fn size(attributes: &Attributes) -> usize {
    attributes
        .iter()
        .map(|(name, value)| name.len() + value.size())
        .sum()
}

// ---------------------------------------------------------------- from JSON

fn read(json: Json, depth: usize) -> Result<AttributeValue, ApiError> {
    if depth > DEPTH_MAX {
        return Err(validation("Nesting Levels have exceeded supported limits"));
    }
    let Json::Object(map) = json else {
        return Err(serialization("Unexpected value type in payload"));
    };
    // A member that is null is not there; names that are no type are not known to the parser.
    let mut known = map
        .into_iter()
        .filter(|(kind, inner)| !inner.is_null() && KINDS.contains(&kind.as_str()));
    let Some((kind, inner)) = known.next() else {
        return Err(validation(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ));
    };
    if known.next().is_some() {
        return Err(validation(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of \
             the supported datatypes",
        ));
    }
    match kind.as_str() {
        "S" => text(inner).map(S),
        "N" => number(&text(inner)?).map(N),
        "B" => bytes(&text(inner)?).map(B),
        "BOOL" => flag(&inner).map(Bool),
        "NULL" if flag(&inner)? => Ok(Null),
        "NULL" => Err(invalid(
            "Null attribute value types must have the value of true",
        )),
        "M" => match inner {
            Json::Object(map) => map
                .into_iter()
                .map(|(name, value)| Ok((name, read(value, depth + 1)?)))
                .collect::<Result<_, _>>()
                .map(M),
            _ => Err(serialization("Unexpected field type")),
        },
        "L" => list(inner)?
            .into_iter()
            .map(|value| read(value, depth + 1))
            .collect::<Result<_, _>>()
            .map(L),
        "SS" => strings(inner).map(Ss),
        "NS" => numbers(inner).map(Ns),
        _ => binaries(inner).map(Bs),
    }
}

const KINDS: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];

fn text(json: Json) -> Result<String, ApiError> {
    match json {
        Json::String(text) => Ok(text),
        Json::Number(number) => {
            let kind = if number.is_f64() { "DECIMAL" } else { "NUMBER" };
            Err(serialization(format!(
                "{kind}_VALUE cannot be converted to String"
            )))
        }
        Json::Bool(flag) => {
            let kind = if flag { "TRUE" } else { "FALSE" };
            Err(serialization(format!(
                "{kind}_VALUE cannot be converted to String"
            )))
        }
        Json::Array(_) => Err(serialization(
            "Unrecognized collection type class java.lang.String",
        )),
        _ => Err(serialization(
            "Start of structure or map found where not expected",
        )),
    }
}

fn flag(json: &Json) -> Result<bool, ApiError> {
    json.as_bool()
        .ok_or_else(|| serialization("Unexpected token received from parser"))
}

fn list(json: Json) -> Result<Vec<Json>, ApiError> {
    match json {
        Json::Array(list) => Ok(list),
        Json::Object(_) => Err(serialization(
            "Start of structure or map found where not expected",
        )),
        _ => Err(serialization("Unexpected field type")),
    }
}

fn number(text: &str) -> Result<Number, ApiError> {
    Number::parse(text).map_err(|error| validation(error.message(text)))
}

fn bytes(text: &str) -> Result<Vec<u8>, ApiError> {
    let decoded = BASE64.decode(text);
    decoded.map_err(|_| serialization("only base-64-encoded strings are convertible to bytes"))
}

fn strings(json: Json) -> Result<BTreeSet<String>, ApiError> {
    let list: Vec<_> = list(json)?
        .into_iter()
        .map(text)
        .collect::<Result<_, _>>()?;
    if list.is_empty() {
        return Err(invalid("An string set  may not be empty"));
    }
    distinct(list.clone()).ok_or_else(|| {
        invalid(format!(
            "Input collection [{}] contains duplicates.",
            list.join(", ")
        ))
    })
}

fn numbers(json: Json) -> Result<BTreeSet<Number>, ApiError> {
    let list: Vec<_> = list(json)?
        .into_iter()
        .map(|value| number(&text(value)?))
        .collect::<Result<_, _>>()?;
    if list.is_empty() {
        return Err(invalid("An number set  may not be empty"));
    }
    distinct(list).ok_or_else(|| validation("Input collection contains duplicates"))
}

fn binaries(json: Json) -> Result<BTreeSet<Vec<u8>>, ApiError> {
    let texts: Vec<_> = list(json)?
        .into_iter()
        .map(text)
        .collect::<Result<_, _>>()?;
    let list: Vec<_> = texts
        .iter()
        .map(|text| bytes(text))
        .collect::<Result<_, _>>()?;
    if list.is_empty() {
        return Err(invalid("Binary sets should not be empty"));
    }
    distinct(list).ok_or_else(|| {
        let texts = texts.join(", ");
        // As the service writes it, without a space before "of".
        invalid(format!(
            "Input collection [{texts}]of type BS contains duplicates."
        ))
    })
}

/// The set; `None`: something stands in it twice.
fn distinct<T: Ord>(list: Vec<T>) -> Option<BTreeSet<T>> {
    let count = list.len();
    let set: BTreeSet<T> = list.into_iter().collect();
    (set.len() == count).then_some(set)
}

fn invalid(detail: impl fmt::Display) -> ApiError {
    validation(format!(
        "One or more parameter values were invalid: {detail}"
    ))
}

// ---------------------------------------------------------------- to JSON

impl Serialize for AttributeValue {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let kind = self.kind();
        match self {
            S(text) => map.serialize_entry(kind, text),
            N(number) => map.serialize_entry(kind, &number.to_string()),
            B(bytes) => map.serialize_entry(kind, &BASE64.encode(bytes)),
            Bool(flag) => map.serialize_entry(kind, flag),
            Null => map.serialize_entry(kind, &true),
            M(inner) => map.serialize_entry(kind, inner),
            L(list) => map.serialize_entry(kind, list),
            Ss(set) => map.serialize_entry(kind, set),
            Ns(set) => {
                let texts: Vec<_> = set.iter().map(Number::to_string).collect();
                map.serialize_entry(kind, &texts)
            }
            Bs(set) => {
                let texts: Vec<_> = set.iter().map(|bytes| BASE64.encode(bytes)).collect();
                map.serialize_entry(kind, &texts)
            }
        }?;
        map.end()
    }
}

/// As error texts show a value: `{N:2}`.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            S(text) => write!(f, "{{{kind}:{text}}}"),
            N(number) => write!(f, "{{{kind}:{number}}}"),
            other => {
                let json = serde_json::to_value(other).unwrap_or_default();
                write!(f, "{{{kind}:{}}}", json[kind])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_come_back_as_they_were_given() {
        let rows = [
            json!({"S": ""}),
            json!({"N": "1.5"}),
            json!({"B": "AAEC"}),
            json!({"BOOL": false}),
            json!({"NULL": true}),
            json!({"M": {"a": {"L": [{"S": "x"}, {"N": "-3"}]}}}),
            json!({"SS": ["a", "b"]}),
            json!({"NS": ["1", "2"]}),
            json!({"BS": ["AA==", "AQ=="]}),
        ];
        for row in rows {
            let value = AttributeValue::from_json(row.clone()).unwrap();
            assert_eq!(serde_json::to_value(&value).unwrap(), row);
        }
        let ten = AttributeValue::from_json(json!({"NS": ["1e1", "2.50"]})).unwrap();
        assert_eq!(
            serde_json::to_value(ten).unwrap(),
            json!({"NS": ["2.5", "10"]})
        );
    }

    #[test]
    fn what_is_no_value_is_refused_in_the_services_words() {
        let mut deep = json!({"S": "x"});
        for _ in 0..40 {
            deep = json!({ "L": [deep] });
        }
        let rows = [
            (json!({}), "Supplied AttributeValue is empty"),
            (json!({"S": null}), "Supplied AttributeValue is empty"),
            (json!({"X": "a"}), "Supplied AttributeValue is empty"),
            (json!({"S": "a", "N": "1"}), "more than one datatypes set"),
            (
                json!({"S": 1}),
                "NUMBER_VALUE cannot be converted to String",
            ),
            (
                json!({"N": 1.5}),
                "DECIMAL_VALUE cannot be converted to String",
            ),
            (json!("a"), "Unexpected value type in payload"),
            (
                json!({"N": "abc"}),
                "cannot be converted to a numeric value: abc",
            ),
            (json!({"B": "*"}), "only base-64-encoded strings"),
            (json!({"NULL": false}), "must have the value of true"),
            (json!({"SS": []}), "An string set  may not be empty"),
            (json!({"NS": []}), "An number set  may not be empty"),
            (json!({"BS": []}), "Binary sets should not be empty"),
            (
                json!({"SS": ["a", "a"]}),
                "Input collection [a, a] contains duplicates.",
            ),
            (
                json!({"NS": ["1", "1.0"]}),
                "Input collection contains duplicates",
            ),
            (
                json!({"BS": ["AA==", "AA=="]}),
                "[AA==, AA==]of type BS contains duplicates.",
            ),
            (deep, "Nesting Levels have exceeded supported limits"),
        ];
        for (row, part) in rows {
            let error = AttributeValue::from_json(row.clone()).unwrap_err();
            assert!(error.message().contains(part), "{row}: {}", error.message());
        }
    }

    #[test]
    fn sizes_are_the_documented_ones() {
        let rows = [
            (json!({"S": "äb"}), 3),
            (json!({"N": "123"}), 3),
            (json!({"N": "-12"}), 3),
            (json!({"B": "AAEC"}), 3),
            (json!({"BOOL": true}), 1),
            (json!({"L": [{"S": "ab"}]}), 3 + 1 + 2),
            (json!({"M": {"k": {"S": "ab"}}}), 3 + 1 + 1 + 2),
        ];
        for (row, size) in rows {
            assert_eq!(
                AttributeValue::from_json(row.clone()).unwrap().size(),
                size,
                "{row}"
            );
        }
    }
}
