//! JSON as Bedrock writes it: compact, and on Converse with sorted keys (recorded, 87 of 87).

use serde_json::Value;

/// `value` without white space and with sorted keys at every level, whatever map type
/// `serde_json` was built with.
pub(crate) fn sorted(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// A string with its quotation marks, escaped as JSON wants it.
pub(crate) fn write_str(text: &str, out: &mut String) {
    let plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_str(key, out);
                out.push(':');
                write(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::String(text) => write_str(text, out),
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_level() {
        let value = serde_json::json!({"z": [{"b": 1, "a": "\u{2019}\n"}], "a": null});
        assert_eq!(
            sorted(&value),
            "{\"a\":null,\"z\":[{\"a\":\"\u{2019}\\n\",\"b\":1}]}"
        );
    }
}
