//! Document paths: `a.b[3].#c`.

use std::fmt;

use super::super::value::{AttributeValue, Attributes};

/// Where something stands in an item. The first step is always a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(pub(super) Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Name(String),
    Index(usize),
}

impl Path {
    /// The attribute that it begins with.
    pub(super) fn head(&self) -> &str {
        match self.0.first() {
            Some(Step::Name(name)) => name,
            _ => "",
        }
    }

    /// Whether it leads into an attribute.
    pub(super) fn is_nested(&self) -> bool {
        self.0.len() > 1
    }

    /// What stands there.
    pub(super) fn find<'a>(&self, item: &'a Attributes) -> Option<&'a AttributeValue> {
        let mut here = item.get(self.head())?;
        for step in &self.0[1..] {
            here = match (step, here) {
                (Step::Name(name), AttributeValue::M(map)) => map.get(name)?,
                (Step::Index(index), AttributeValue::L(list)) => list.get(*index)?,
                _ => return None,
            };
        }
        Some(here)
    }

    /// What keeps two paths from being used side by side.
    pub(super) fn clash(&self, other: &Self) -> Option<Clash> {
        for (a, b) in self.0.iter().zip(&other.0) {
            match (a, b) {
                (Step::Name(a), Step::Name(b)) if a == b => {}
                (Step::Index(a), Step::Index(b)) if a == b => {}
                (Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_)) => {
                    return Some(Clash::Conflict);
                }
                _ => return None,
            }
        }
        Some(Clash::Overlap)
    }
}

/// See [`Path::clash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clash {
    /// One leads through what the other means.
    Overlap,
    /// What is a map to one is a list to the other.
    Conflict,
}

/// As error texts show it: `[a, b, [3]]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            match step {
                Step::Name(name) => f.write_str(name)?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        f.write_str("]")
    }
}
