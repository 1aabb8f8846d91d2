//! Places and sizes as the renderer writes them.

use crate::xml::Element;

/// Attributes that say where something is. Numbers in them are rounded.
const GEOMETRY: [&str; 19] = [
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "width",
    "height",
    "d",
    "points",
    "transform",
    "dx",
    "dy",
    "dominant-baseline",
];

/// `#f90` of `fill:#f90 !important;stroke:#333`.
pub(super) fn style_value<'a>(style: &'a str, name: &str) -> Option<&'a str> {
    style.split(';').find_map(|declaration| {
        let (key, value) = declaration.split_once(':')?;
        let value = value.trim().trim_end_matches("!important").trim();
        (key.trim() == name && !value.is_empty()).then_some(value)
    })
}

pub(super) fn copy_geometry(from: &Element, to: &mut Element) {
    for (name, value) in &from.attributes {
        if GEOMETRY.contains(&name.as_str()) {
            to.attributes.push((name.clone(), rounded(value)));
        }
    }
}

pub(super) fn outline(rect: &Element) -> [f64; 4] {
    ["x", "y", "width", "height"].map(|name| {
        rect.get(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0.0)
    })
}

pub(super) fn contains(outer: &[f64; 4], inner: &[f64; 4]) -> bool {
    inner[0] >= outer[0]
        && inner[1] >= outer[1]
        && inner[0] + inner[2] <= outer[0] + outer[2]
        && inner[1] + inner[3] <= outer[1] + outer[3]
}

/// `(12, -9.5)` of `translate(12, -9.5)`.
pub(super) fn translation(transform: &str) -> (f64, f64) {
    let inner = transform
        .trim()
        .strip_prefix("translate(")
        .and_then(|t| t.strip_suffix(')'))
        .unwrap_or_default();
    let mut parts = inner.split([',', ' ']).filter(|p| !p.is_empty());
    let mut next = || parts.next().and_then(|p| p.parse().ok()).unwrap_or(0.0);
    (next(), next())
}

/// The same height, but on the middle of the node.
pub(super) fn centred(transform: &str) -> String {
    format!("translate(0,{})", number(translation(transform).1))
}

/// Two decimals are a hundredth of a pixel; more would only differ between machines.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

/// Every number of a geometry attribute rounded.
pub(super) fn rounded(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    let flush = |digits: &mut String, out: &mut String| {
        match digits.parse::<f64>() {
            Ok(value) => out.push_str(&number(value)),
            Err(_) => out.push_str(digits),
        }
        digits.clear();
    };
    for c in text.chars() {
        let starts = c == '-' || (c == '.' && digits.contains('.'));
        if starts && !digits.is_empty() {
            flush(&mut digits, &mut out);
            // `1-2` and `1.5.5` need no space in a path; ours gets one where a sign does not help.
            if c == '.' {
                out.push(' ');
            }
        }
        if c.is_ascii_digit() || c == '.' || c == '-' {
            digits.push(c);
        } else {
            if !digits.is_empty() {
                flush(&mut digits, &mut out);
            }
            out.push(c);
        }
    }
    if !digits.is_empty() {
        flush(&mut digits, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometry_is_rounded_and_words_are_not_touched() {
        let rows = [
            ("M0,1.23456 L-2.0000001-3.999", "M0,1.23 L-2-4"),
            ("translate(12.5, -0.001)", "translate(12.5, 0)"),
            ("0 0 916.8000000000001 10", "0 0 916.8 10"),
            ("1em", "1em"),
            ("a0.5.25", "a0.5 0.25"),
            ("central", "central"),
        ];
        for (text, wanted) in rows {
            assert_eq!(rounded(text), wanted);
        }
    }

    #[test]
    fn styles_are_read() {
        let style = "fill:#f90 !important; stroke : #333";
        assert_eq!(style_value(style, "fill"), Some("#f90"));
        assert_eq!(style_value(style, "stroke"), Some("#333"));
        assert_eq!(style_value("", "fill"), None);
    }
}
