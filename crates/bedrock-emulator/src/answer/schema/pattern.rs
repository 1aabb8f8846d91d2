//! The regular expressions of `pattern`: a subset of ECMA 262 that can be matched and generated.
//!
//! Literals, escapes, classes, groups, alternatives, quantifiers, `^` and `$`. Look-around, back
//! references and Unicode properties are refused by name.

use std::collections::BTreeSet;

use crate::answer::rng::Rng;

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Node);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// One character of these ranges, or one of all others.
    Class {
        ranges: Vec<(char, char)>,
        negated: bool,
    },
    /// All in order.
    Sequence(Vec<Node>),
    /// One of them.
    Alternatives(Vec<Node>),
    /// `node` at least `min` times and at most `max` times.
    Repeat {
        node: Box<Node>,
        min: usize,
        max: Option<usize>,
    },
    /// `^`
    Start,
    /// `$`
    End,
}

/// Counts in `{n,m}` beyond this are refused: no answer is that long.
const MOST_REPEATS: usize = 10_000;
/// Groups inside groups.
const DEEPEST: usize = 40;
/// Characters of one generated text.
const LONGEST: usize = 20_000;

const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[(char, char)] = &[(' ', ' '), ('\t', '\r'), ('\u{a0}', '\u{a0}')];
const LINE_ENDS: &[(char, char)] = &[('\n', '\n'), ('\r', '\r'), ('\u{2028}', '\u{2029}')];

impl Pattern {
    /// Reads a pattern, or says what in it is not understood.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            characters: text.chars().collect(),
            at: 0,
            depth: 0,
        };
        let node = parser.alternatives()?;
        match parser.peek() {
            None => Ok(Self(node)),
            Some(c) => Err(format!("the pattern has a stray `{c}`")),
        }
    }

    /// Whether the pattern is found anywhere in `text`, as JSON Schema wants it.
    pub(super) fn matches(&self, text: &str) -> bool {
        let characters: Vec<char> = text.chars().collect();
        let anywhere = (0..=characters.len()).collect();
        !ends(&self.0, &characters, &anywhere).is_empty()
    }

    /// A text that matches, if luck allows (an anchor in the middle can spoil it); open-ended
    /// repetitions are repeated up to `stretch` times more than needed.
    pub(super) fn sample(&self, rng: &mut Rng, stretch: usize) -> Option<String> {
        let mut text = String::new();
        sample(&self.0, rng, stretch, &mut text).then_some(text)
    }
}

struct Parser {
    characters: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += 1;
        c
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = wanted
            .chars()
            .enumerate()
            .all(|(n, c)| self.characters.get(self.at + n) == Some(&c));
        if found {
            self.at += wanted.chars().count();
        }
        found
    }

    fn alternatives(&mut self) -> Result<Node, String> {
        let mut all = vec![self.sequence()?];
        while self.eat("|") {
            all.push(self.sequence()?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Node::Alternatives(all)
        })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut parts = Vec::new();
        while self.peek().is_some_and(|c| c != '|' && c != ')') {
            let atom = self.atom()?;
            parts.push(self.quantified(atom)?);
        }
        Ok(Node::Sequence(parts))
    }

    fn atom(&mut self) -> Result<Node, String> {
        match self.next().ok_or("the pattern ends too early")? {
            '^' => Ok(Node::Start),
            '$' => Ok(Node::End),
            '.' => Ok(Node::Class {
                ranges: LINE_ENDS.to_vec(),
                negated: true,
            }),
            '(' => self.group(),
            '[' => self.class(),
            '\\' => {
                let (ranges, negated) = self.escape()?;
                Ok(Node::Class { ranges, negated })
            }
            c @ ('*' | '+' | '?') => Err(format!("the pattern has nothing to repeat before `{c}`")),
            c => Ok(Node::Class {
                ranges: vec![(c, c)],
                negated: false,
            }),
        }
    }

    fn group(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the pattern has too many groups inside groups".to_owned());
        }
        if !self.eat("?:") && self.eat("?") {
            let named = self.eat("<") && !matches!(self.peek(), Some('=' | '!'));
            if !named {
                return Err("the pattern uses look-around or another special group".to_owned());
            }
            while self.next().ok_or("the name of a group has no end")? != '>' {}
        }
        let node = self.alternatives()?;
        self.depth -= 1;
        if self.eat(")") {
            Ok(node)
        } else {
            Err("a group has no end".to_owned())
        }
    }

    fn quantified(&mut self, atom: Node) -> Result<Node, String> {
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.counts()? {
                Some(counts) => counts,
                None => return Ok(atom),
            },
            _ => return Ok(atom),
        };
        self.at += 1;
        // A lazy quantifier matches the same texts.
        self.eat("?");
        Ok(Node::Repeat {
            node: Box::new(atom),
            min,
            max,
        })
    }

    /// `{n}`, `{n,}` or `{n,m}`, leaving the closing brace; none when the brace is a literal.
    fn counts(&mut self) -> Result<Option<(usize, Option<usize>)>, String> {
        let rest = &self.characters[self.at + 1..];
        let Some(end) = rest.iter().position(|c| *c == '}') else {
            return Ok(None);
        };
        let inside: String = rest[..end].iter().collect();
        let (min, max) = match inside.split_once(',') {
            Some((min, "")) => (min.parse().ok(), Some(None)),
            Some((min, max)) => (min.parse().ok(), max.parse().ok().map(Some)),
            None => (inside.parse().ok(), inside.parse().ok().map(Some)),
        };
        let (Some(min), Some(max)) = (min, max) else {
            return Ok(None);
        };
        if min > MOST_REPEATS || max.is_some_and(|max| max > MOST_REPEATS || max < min) {
            return Err(format!(
                "the pattern repeats too often or backwards: {{{inside}}}"
            ));
        }
        self.at += 1 + end;
        Ok(Some((min, max)))
    }

    fn class(&mut self) -> Result<Node, String> {
        let negated = self.eat("^");
        let mut ranges = Vec::new();
        loop {
            let c = self.next().ok_or("a character class has no end")?;
            let first = match c {
                ']' => return Ok(Node::Class { ranges, negated }),
                '\\' => match self.escape()? {
                    (set, false) if set.len() == 1 && set[0].0 == set[0].1 => set[0].0,
                    (set, false) => {
                        ranges.extend(set);
                        continue;
                    }
                    (set, true) => {
                        ranges.extend(others(&set));
                        continue;
                    }
                },
                c => c,
            };
            let is_range = self.peek() == Some('-')
                && self.characters.get(self.at + 1).is_some_and(|c| *c != ']');
            let mut last = first;
            if is_range {
                self.at += 1;
                last = match self.next().ok_or("a character class has no end")? {
                    '\\' => self.escape()?.0.first().map_or(first, |range| range.0),
                    c => c,
                };
            }
            if last < first {
                return Err(format!("the range {first}-{last} is backwards"));
            }
            ranges.push((first, last));
        }
    }

    /// What stands after a backslash, as ranges and whether they are meant to be left out.
    fn escape(&mut self) -> Result<(Vec<(char, char)>, bool), String> {
        let c = self.next().ok_or("the pattern ends with a backslash")?;
        let one = |c: char| Ok((vec![(c, c)], false));
        match c {
            'd' => Ok((DIGIT.to_vec(), false)),
            'D' => Ok((DIGIT.to_vec(), true)),
            'w' => Ok((WORD.to_vec(), false)),
            'W' => Ok((WORD.to_vec(), true)),
            's' => Ok((SPACE.to_vec(), false)),
            'S' => Ok((SPACE.to_vec(), true)),
            'n' => one('\n'),
            'r' => one('\r'),
            't' => one('\t'),
            'x' => self.code(2).and_then(one),
            'u' => self.code(4).and_then(one),
            c if c.is_ascii_alphanumeric() => Err(format!(
                "the pattern uses \\{c}, which is not understood here"
            )),
            c => one(c),
        }
    }

    fn code(&mut self, digits: usize) -> Result<char, String> {
        let text: String = self.characters.iter().skip(self.at).take(digits).collect();
        self.at += digits;
        let code = u32::from_str_radix(&text, 16)
            .ok()
            .filter(|_| text.len() == digits);
        code.and_then(char::from_u32)
            .ok_or_else(|| format!("{text} is not a character code"))
    }
}

/// All characters outside `ranges`.
fn others(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut ranges = ranges.to_vec();
    ranges.sort_unstable();
    let mut others = Vec::new();
    let mut from = Some('\0');
    for (first, last) in ranges {
        if let Some(start) = from
            && start < first
        {
            others.extend(('\0'..first).next_back().map(|end| (start, end)));
        }
        from = (last..=char::MAX).nth(1).max(from);
    }
    others.extend(from.map(|start| (start, char::MAX)));
    others
}

/// Where a match that starts at one of `starts` can end. Sets instead of backtracking: the time
/// is bounded whatever the pattern.
fn ends(node: &Node, text: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
    match node {
        Node::Start => starts.iter().copied().filter(|at| *at == 0).collect(),
        Node::End => starts
            .iter()
            .copied()
            .filter(|at| *at == text.len())
            .collect(),
        Node::Class { ranges, negated } => starts
            .iter()
            .filter(|at| {
                text.get(**at)
                    .is_some_and(|c| in_class(*c, ranges) != *negated)
            })
            .map(|at| at + 1)
            .collect(),
        Node::Sequence(parts) => parts
            .iter()
            .fold(starts.clone(), |starts, part| ends(part, text, &starts)),
        Node::Alternatives(all) => all.iter().flat_map(|one| ends(one, text, starts)).collect(),
        Node::Repeat { node, min, max } => {
            let mut reached = starts.clone();
            for _ in 0..*min {
                let next = ends(node, text, &reached);
                if next == reached {
                    break;
                }
                reached = next;
            }
            let mut all = reached.clone();
            let mut rounds = 0;
            while !reached.is_empty() && max.is_none_or(|max| min + rounds < max) {
                let next = ends(node, text, &reached);
                reached = next.difference(&all).copied().collect();
                all.extend(&reached);
                rounds += 1;
            }
            all
        }
    }
}

fn in_class(c: char, ranges: &[(char, char)]) -> bool {
    ranges
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&c))
}

fn sample(node: &Node, rng: &mut Rng, stretch: usize, text: &mut String) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    match node {
        Node::Start | Node::End => true,
        Node::Class { ranges, negated } => match character(rng, ranges, *negated) {
            Some(c) => {
                text.push(c);
                true
            }
            None => false,
        },
        Node::Sequence(parts) => parts.iter().all(|part| sample(part, rng, stretch, text)),
        Node::Alternatives(all) => {
            let at = rng.below(all.len());
            sample(&all[at], rng, stretch, text)
        }
        Node::Repeat { node, min, max } => {
            let most = max.unwrap_or(usize::MAX).min(min.saturating_add(stretch));
            let times = rng.between(*min, most.max(*min));
            (0..times).all(|_| sample(node, rng, stretch, text))
        }
    }
}

/// A readable character of the class where there is one.
fn character(rng: &mut Rng, ranges: &[(char, char)], negated: bool) -> Option<char> {
    const READABLE: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.,";
    let readable: Vec<char> = READABLE
        .chars()
        .filter(|c| in_class(*c, ranges) != negated)
        .collect();
    if !readable.is_empty() {
        return Some(readable[rng.below(readable.len())]);
    }
    let all = if negated {
        others(ranges)
    } else {
        ranges.to_vec()
    };
    let (first, last) = *all.get(rng.below(all.len()))?;
    (first..=last).nth(rng.below(64)).or(Some(first))
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use crate::answer::rng::Rng;

    #[test]
    fn matches_as_ecma_does() {
        for (pattern, yes, no) in [
            ("^[A-Z]{3}$", "ABC", "ABCD"),
            ("b", "abc", "ac"),
            ("^a|b$", "ax", "xa"),
            (r"^\d{2,3}-\w+$", "12-a_b", "1-a"),
            (r"^(?:ab)+c?$", "ababc", "aba"),
            (r"^(a*)*$", "aaa", "ab"),
            (r"^[^\d\s]+$", "abc", "a1"),
            (r"^[\w.+-]+@\w+\.\w{2,}$", "a.b+c@d.org", "a@b"),
            (r"^\u0041\x42$", "AB", "ab"),
            (r"^a{2}?$", "aa", "a"),
            ("^{x}$", "{x}", "x"),
            ("^$", "", " "),
            ("^(?<year>[0-9]{4})$", "2026", "26"),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert!(parsed.matches(yes), "{pattern} {yes}");
            assert!(!parsed.matches(no), "{pattern} {no}");
        }
    }

    #[test]
    fn samples_match() {
        let mut rng = Rng::new(5, "pattern");
        for pattern in [
            "^[A-Z]{3}-[0-9]{4}$",
            r"^\d{3}(-\d{2})?$",
            "^(red|green|blue)+$",
            r"\S+@\S+",
            "[^a-z]",
            "^.{5,10}$",
            r"^\W$",
            "^[äöü]+$",
            "^[^ -~]$",
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            for _ in 0..100 {
                let text = parsed.sample(&mut rng, 4).unwrap();
                assert!(parsed.matches(&text), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (pattern, reason) in [
            ("(?=a)", "look-around"),
            ("(?<!a)b", "look-around"),
            (r"(a)\1", r"\1"),
            (r"\p{L}", r"\p"),
            ("(a", "no end"),
            ("[a", "no end"),
            ("a)", "stray"),
            ("*a", "nothing to repeat"),
            ("a{99999}", "too often"),
            ("[z-a]", "backwards"),
            ("\\", "backslash"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
        assert!(Pattern::parse(&"(".repeat(1_000)).is_err());
    }

    #[test]
    fn nested_repeats_end_in_time() {
        let parsed = Pattern::parse("^((a{1000}){1000}){1000}$").unwrap();
        assert_eq!(parsed.sample(&mut Rng::new(1, ""), 0), None);
        assert!(!parsed.matches(&"a".repeat(500)));
        let parsed = Pattern::parse("^(a+)+(b+)*$").unwrap();
        assert!(!parsed.matches(&("a".repeat(300) + "!")));
    }
}
