//! An answer before it is written in any protocol.

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::xml::Xml;

/// A value of the service model.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Text(String),
    Number(f64),
    Whole(i64),
    Flag(bool),
    /// Seconds since the Unix epoch.
    Time(i64),
    /// Milliseconds since then.
    Millis(i64),
    List(Vec<Shape>),
    /// A map from text to numbers.
    Numbers(Vec<(String, f64)>),
    /// Members in the service model's order.
    Members(Members),
}

/// Names and values.
pub(super) type Members = Vec<(&'static str, Shape)>;

impl From<&str> for Shape {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Shape {
    /// As `awsJson1_0` writes it.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => json!(number),
            Self::Whole(number) => (*number).into(),
            Self::Flag(yes) => (*yes).into(),
            Self::Time(seconds) => (*seconds).into(),
            Self::Millis(ms) => json!(in_seconds(*ms)),
            Self::List(list) => list.iter().map(Self::json).collect(),
            Self::Numbers(pairs) => {
                let pairs = pairs.iter();
                let map: Map<String, Value> = pairs
                    .map(|(key, number)| (key.clone(), json!(number)))
                    .collect();
                map.into()
            }
            Self::Members(members) => {
                let members = members.iter();
                let map: Map<String, Value> = members
                    .map(|(name, shape)| ((*name).to_owned(), shape.json()))
                    .collect();
                map.into()
            }
        }
    }

    /// As the query protocol writes it, in an element of that name.
    pub(super) fn xml(&self, name: &str, xml: &mut Xml) {
        match self {
            Self::Text(text) => xml.text(name, text),
            Self::Number(number) => xml.text(name, &number.to_string()),
            Self::Whole(number) => xml.text(name, &number.to_string()),
            Self::Flag(yes) => xml.text(name, if *yes { "true" } else { "false" }),
            Self::Time(seconds) => xml.text(name, &iso(*seconds * 1_000)),
            Self::Millis(ms) => xml.text(name, &iso(*ms)),
            Self::List(list) => xml.within(name, |xml| {
                for item in list {
                    item.xml("member", xml);
                }
            }),
            Self::Numbers(pairs) => xml.within(name, |xml| {
                for (key, number) in pairs {
                    xml.within("entry", |xml| {
                        xml.text("key", key);
                        xml.text("value", &number.to_string());
                    });
                }
            }),
            Self::Members(_) => xml.within(name, |xml| self.inside(xml)),
        }
    }

    /// The members' elements, without one around them.
    pub(super) fn inside(&self, xml: &mut Xml) {
        if let Self::Members(members) = self {
            for (name, shape) in members {
                shape.xml(name, xml);
            }
        }
    }
}

/// Seconds with a fraction.
pub(super) fn in_seconds(ms: i64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since the epoch are far below 2^53"
    )]
    let ms = ms as f64;
    ms / 1_000.0
}

fn iso(ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    let text = time.ok().and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_default()
}
