//! Where in a request something stands: `messages.0.content.2.document`.
//!
//! A place is a chain of borrowed steps, so that walking a valid request allocates nothing; only a
//! complaint writes it out.

use std::fmt;

/// One step of a path and the way to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    before: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Member(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// A member of the body.
    pub(crate) const fn root(member: &'p str) -> Self {
        Self {
            before: None,
            step: Step::Member(member),
        }
    }

    /// A member of the structure that stands here.
    pub(crate) const fn member<'q>(&'q self, name: &'q str) -> Place<'q> {
        Place {
            before: Some(self),
            step: Step::Member(name),
        }
    }

    /// An element of the list that stands here, counted from 0.
    pub(crate) const fn index(&self, index: usize) -> Place<'_> {
        Place {
            before: Some(self),
            step: Step::Index(index),
        }
    }

    /// As AWS's request framework writes it: elements count from 1 and are called `member`.
    pub(crate) fn framework(&self) -> String {
        let mut path = self.before.map(Self::framework).unwrap_or_default();
        if !path.is_empty() {
            path.push('.');
        }
        path + &match self.step {
            Step::Member(name) => name.to_owned(),
            Step::Index(index) => format!("{}.member", index + 1),
        }
    }
}

/// As Bedrock and Claude write it: elements count from 0.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            write!(f, "{before}.")?;
        }
        match self.step {
            Step::Member(name) => f.write_str(name),
            Step::Index(index) => write!(f, "{index}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn both_spellings_of_a_path() {
        let messages = Place::root("messages");
        let message = messages.index(2);
        let content = message.member("content");
        let text = content.index(0);
        let text = text.member("text");
        assert_eq!(text.to_string(), "messages.2.content.0.text");
        assert_eq!(text.framework(), "messages.3.member.content.1.member.text");
    }
}
