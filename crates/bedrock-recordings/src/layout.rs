//! JSON text with and without white space between its tokens. Keys, their order, strings and numbers
//! stay exactly as they were.

/// Whether it is JSON without white space between its tokens.
pub(crate) fn is_compact_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
        && std::str::from_utf8(bytes).is_ok_and(|text| compact(text) == text)
}

/// JSON text without white space between tokens.
pub(crate) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut tokens = Tokens::of(json);
    while let Some(token) = tokens.next() {
        out.push_str(token);
    }
    out
}

/// JSON text as people read it: one member a line, two spaces a level.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut level = 0_usize;
    let mut tokens = Tokens::of(json);
    let mut fresh = false;
    while let Some(token) = tokens.next() {
        match token {
            "}" | "]" => {
                level = level.saturating_sub(1);
                if !fresh {
                    line(&mut out, level);
                }
                out.push_str(token);
                fresh = false;
            }
            "," => {
                out.push(',');
                line(&mut out, level);
            }
            ":" => out.push_str(": "),
            _ => {
                if fresh {
                    line(&mut out, level);
                }
                out.push_str(token);
                fresh = matches!(token, "{" | "[");
                level += usize::from(fresh);
            }
        }
    }
    out.push('\n');
    out
}

fn line(out: &mut String, level: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", level));
}

/// The members of a JSON object, each value as it is written. `None` if it is no object.
pub(crate) fn members(json: &str) -> Option<Vec<(String, String)>> {
    let mut tokens = Tokens::of(json);
    if tokens.next()? != "{" {
        return None;
    }
    let mut members = Vec::new();
    loop {
        let key = match tokens.next()? {
            "}" => return Some(members),
            "," => continue,
            key => serde_json::from_str(key).ok()?,
        };
        if tokens.next()? != ":" {
            return None;
        }
        let mut value = String::new();
        let mut level = 0_usize;
        loop {
            let token = tokens.next()?;
            value.push_str(token);
            match token {
                "{" | "[" => level += 1,
                "}" | "]" => level = level.checked_sub(1)?,
                _ => {}
            }
            if level == 0 {
                break;
            }
        }
        members.push((key, value));
    }
}

/// The tokens of JSON text.
struct Tokens<'t> {
    rest: &'t str,
}

impl<'t> Tokens<'t> {
    fn of(json: &'t str) -> Self {
        Self { rest: json }
    }

    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let length = match rest.as_bytes().first()? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => string_length(rest),
            _ => rest
                .find(['{', '}', '[', ']', ',', ':', '"', ' ', '\t', '\r', '\n'])
                .unwrap_or(rest.len()),
        };
        let (token, rest) = rest.split_at(length);
        self.rest = rest;
        Some(token)
    }
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPACT: &str =
        r#"{"b":[1,2.50,{"a":"x, \"y\" : {"}],"a":{},"e":[],"n":null,"u":"é\u00e9"}"#;

    #[test]
    fn laid_out_and_back() {
        let laid_out = pretty(COMPACT);
        assert_eq!(
            laid_out,
            "{\n  \"b\": [\n    1,\n    2.50,\n    {\n      \"a\": \"x, \\\"y\\\" : {\"\n    }\n  ],\n  \
             \"a\": {},\n  \"e\": [],\n  \"n\": null,\n  \"u\": \"é\\u00e9\"\n}\n"
        );
        assert_eq!(compact(&laid_out), COMPACT);
        assert_eq!(compact(&laid_out.replace('\n', "\r\n")), COMPACT);
        for scalar in ["1", "\"a b\"", "null", "[]", "{}"] {
            assert_eq!(compact(&pretty(scalar)), scalar);
        }
    }

    #[test]
    fn only_compact_json_is_compact_json() {
        assert!(is_compact_json(COMPACT.as_bytes()));
        for other in [
            &b"{ }"[..],
            b"{} ",
            b"",
            b"{\"a\":1,}",
            b"\xff",
            b"{\"a\": 1}",
        ] {
            assert!(!is_compact_json(other));
        }
    }

    #[test]
    fn members_keep_their_text() {
        let found = members(r#"{ "at_ms": 1, "payload": {"b": 1.0, "a": [ ] } }"#).unwrap();
        let expected = [("at_ms", "1"), ("payload", r#"{"b":1.0,"a":[]}"#)];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        for broken in [
            "",
            "[]",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":[",
            "{\"a\":]}",
            "{1:2}",
        ] {
            assert_eq!(members(broken), None, "{broken}");
        }
    }
}
