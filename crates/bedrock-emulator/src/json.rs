//! JSON as Bedrock writes it: compact, and on Converse with sorted keys (recorded, 87 of 87).

use serde_json::Value;

/// `value` without white space and with sorted keys at every level, whatever map type
/// `serde_json` was built with.
pub(crate) fn sorted(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
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
                out.push_str(&Value::from(key.as_str()).to_string());
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
