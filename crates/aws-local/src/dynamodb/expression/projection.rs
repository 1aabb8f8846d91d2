//! A `ProjectionExpression`: which parts of an item are answered.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::value::{AttributeValue, Attributes},
    parser::Parser,
    path::{Path, Step},
};

/// Which parts of an item are answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Projection(BTreeMap<String, Part>);

/// What is taken of a value.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    All,
    Names(BTreeMap<String, Part>),
    Indexes(BTreeMap<usize, Part>),
}

impl Projection {
    /// Whole attributes, by name.
    pub(crate) fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let all = |name: &str| (name.to_owned(), Part::All);
        Self(names.into_iter().map(all).collect())
    }

    /// Paths that do not clash.
    pub(super) fn of_paths<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut projection = Self::default();
        for path in paths {
            let head = projection.0.entry(path.head().to_owned());
            extend(head.or_insert_with(|| empty(&path.0[1..])), &path.0[1..]);
        }
        projection
    }

    pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Self, String> {
        let mut paths = vec![parser.path(&[])?];
        while parser.take(",") {
            paths.push(parser.path(&[])?);
        }
        parser.note_clashes(&paths.iter().collect::<Vec<_>>());
        Ok(Self::of_paths(&paths))
    }

    /// The attributes that it begins with.
    pub(crate) fn attributes(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The parts that an item has.
    pub(crate) fn of(&self, item: &Attributes) -> Attributes {
        names(&self.0, item)
    }
}

/// What a path with these steps left begins with.
fn empty(steps: &[Step]) -> Part {
    match steps.first() {
        None => Part::All,
        Some(Step::Name(_)) => Part::Names(BTreeMap::new()),
        Some(Step::Index(_)) => Part::Indexes(BTreeMap::new()),
    }
}

fn extend(part: &mut Part, steps: &[Step]) {
    let inner = match (part, steps.first()) {
        (Part::Names(map), Some(Step::Name(name))) => map
            .entry(name.clone())
            .or_insert_with(|| empty(&steps[1..])),
        (Part::Indexes(map), Some(Step::Index(index))) => {
            map.entry(*index).or_insert_with(|| empty(&steps[1..]))
        }
        // Paths that clash have been refused.
        _ => return,
    };
    extend(inner, &steps[1..]);
}

fn names(parts: &BTreeMap<String, Part>, map: &Attributes) -> Attributes {
    parts
        .iter()
        .filter_map(|(name, part)| Some((name.clone(), take(part, map.get(name)?)?)))
        .collect()
}

/// A list keeps the order of what is taken of it, without gaps. A map or list of which nothing is
/// found is left out.
fn take(part: &Part, value: &AttributeValue) -> Option<AttributeValue> {
    match (part, value) {
        (Part::All, value) => Some(value.clone()),
        (Part::Names(parts), AttributeValue::M(map)) => {
            let found = names(parts, map);
            (!found.is_empty()).then_some(AttributeValue::M(found))
        }
        (Part::Indexes(parts), AttributeValue::L(list)) => {
            let found: Vec<_> = parts
                .iter()
                .filter_map(|(index, part)| take(part, list.get(*index)?))
                .collect();
            (!found.is_empty()).then_some(AttributeValue::L(found))
        }
        _ => None,
    }
}
