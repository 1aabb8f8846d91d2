//! From a request in any of the three protocols to its members, and from a shape to the answer.

use std::{borrow::Cow, io::Read as _};

use flate2::read::GzDecoder;
use serde_json::{Map, Value};

use super::{Input, NAMESPACE, Shape, cbor, invalid};
use crate::{
    error::{ApiError, Code},
    route,
    service::{Call, Protocol, Told},
};

/// What a compressed request may unfold to; AWS takes one megabyte.
const UNPACKED_MAX: u64 = 16 * 1024 * 1024;

/// Answers an operation.
pub(super) fn answer(
    call: &Call<'_>,
    operation: &str,
    act: impl FnOnce(Input<'_>) -> Result<Shape, ApiError>,
) -> Result<Told, ApiError> {
    let members = members(call)?;
    let shape = act(Input::new(&members))?;
    Ok(match route::protocol(call.request) {
        Protocol::Cbor => Told {
            status: 200,
            content_type: "application/cbor",
            body: cbor::write(&shape).into(),
        },
        Protocol::Query { .. } => call.xml(NAMESPACE, operation, |xml| shape.inside(xml)),
        _ => Told {
            content_type: "application/x-amz-json-1.0",
            ..Told::json(&shape.json())
        },
    })
}

/// A text that the request has, for IAM, before it is understood.
pub(super) fn member(call: &Call<'_>, name: &str) -> Option<String> {
    let members = members(call).ok()?;
    let text = members.get(name)?.as_str()?;
    Some(text.to_owned())
}

fn members(call: &Call<'_>) -> Result<Value, ApiError> {
    let body = unpacked(call)?;
    Ok(match route::protocol(call.request) {
        Protocol::Cbor if body.is_empty() => Value::Object(Map::new()),
        Protocol::Cbor => cbor::read(&body).map_err(|error| {
            let message = format!("The request is not CBOR: {error}");
            ApiError::front_door(Code::Serialization, message)
        })?,
        Protocol::Query { .. } => form(call, &body),
        _ if body.is_empty() => Value::Object(Map::new()),
        _ => serde_json::from_slice(&body).map_err(|e| ApiError::serialization(&e))?,
    })
}

/// SDKs compress `PutMetricData` from ten kilobytes on.
fn unpacked<'c>(call: &Call<'c>) -> Result<Cow<'c, [u8]>, ApiError> {
    let body: &'c [u8] = &call.request.body;
    if call.request.header("content-encoding") != Some("gzip") {
        return Ok(Cow::Borrowed(body));
    }
    let mut bytes = Vec::new();
    let read = GzDecoder::new(body)
        .take(UNPACKED_MAX + 1)
        .read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() as u64 <= UNPACKED_MAX => Ok(Cow::Owned(bytes)),
        Ok(_) => Err(invalid("The request is too long when it is unpacked.")),
        Err(_) => Err(invalid("The request says it is gzip, and is not.")),
    }
}

/// `A.member.1.B=c` as `{"A": [{"B": "c"}]}`.
fn form(call: &Call<'_>, body: &[u8]) -> Value {
    let query = call.request.target.split_once('?');
    let query = query.map_or("", |(_, query)| query);
    let body = std::str::from_utf8(body).unwrap_or_default();
    let mut root = Value::Object(Map::new());
    for pair in query.split('&').chain(body.split('&')) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| route::decode(&text.replace('+', "%20"));
        if let (Some(name), Some(value)) = (decoded(name), decoded(value))
            && !name.is_empty()
        {
            place(&mut root, &name, value);
        }
    }
    root
}

fn place(root: &mut Value, name: &str, value: String) {
    /// More items than any operation takes.
    const ITEMS_MAX: usize = 10_000;
    let mut at = root;
    for part in name.split('.').take(16) {
        if part == "member" {
            continue;
        }
        let number = part.parse().ok();
        if let Some(number @ 1..=ITEMS_MAX) = number {
            if !at.is_array() {
                *at = Value::Array(Vec::new());
            }
            let Value::Array(items) = at else { return };
            // Clients number items from one without gaps.
            let index = (number - 1).min(items.len());
            if index == items.len() {
                items.push(Value::Null);
            }
            at = &mut items[index];
        } else {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[part];
        }
    }
    *at = Value::String(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_unfolds() {
        let mut root = json!({});
        for (name, value) in [
            ("Action", "X"),
            ("Dimensions.member.1.Name", "ModelId"),
            ("Dimensions.member.1.Value", "a"),
            ("Statistics.member.1", "Sum"),
            ("Statistics.member.2", "Average"),
            ("Odd.member.99999999.A", "b"),
        ] {
            place(&mut root, name, value.to_owned());
        }
        assert_eq!(
            root["Dimensions"],
            json!([{"Name": "ModelId", "Value": "a"}])
        );
        assert_eq!(root["Statistics"], json!(["Sum", "Average"]));
        assert_eq!(root["Odd"]["99999999"]["A"], "b");
    }
}
