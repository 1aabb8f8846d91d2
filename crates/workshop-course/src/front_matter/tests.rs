use super::*;

const POST: [&str; 7] = [
    "title",
    "date",
    "author",
    "excerpt",
    "category",
    "tags",
    "published",
];

fn parse(yaml: &str) -> (Option<FrontMatter>, Vec<String>) {
    let mut diagnostics = Vec::new();
    let part = Part {
        text: yaml.to_owned(),
        first_line: 2,
    };
    let front = FrontMatter::parse(&part, "p.md", &POST, &mut diagnostics);
    let shown = diagnostics.iter().map(ToString::to_string).collect();
    (front, shown)
}

fn with(lines: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("title", "\"T\""),
        ("date", "\"2025-10-18\""),
        ("author", "A"),
        ("excerpt", "E"),
        ("category", "C"),
        ("tags", "[x, y]"),
        ("published", "true"),
    ];
    for &(key, value) in lines {
        fields.retain(|&(k, _)| k != key);
        if value != "-" {
            fields.push((key, value));
        }
    }
    fields
        .iter()
        .fold(String::new(), |out, (k, v)| out + k + ": " + v + "\n")
}

#[test]
fn every_normal_form_is_accepted() {
    let rows = [
        ("date", "2025-10-18"),
        ("date", "'2025-10-18'"),
        ("date", "2025-10-18T09:30:00Z"),
        ("date", "2025-10-18 09:30:00"),
        ("tags", "\n  - x\n  - y"),
        ("tags", "[ \"x\",'y' ]"),
        ("tags", "\n- x\n- y"),
        ("title", "T # a comment"),
        ("title", ">\n  T"),
    ];
    for (key, value) in rows {
        let (front, diagnostics) = parse(&with(&[(key, value)]));
        assert_eq!(diagnostics, Vec::<String>::new(), "{key}: {value}");
        let front = front.expect(value);
        assert_eq!(front.title.as_deref(), Some("T"), "{value}");
        assert_eq!(
            front.date.map(|d| d.to_string()).as_deref(),
            Some("2025-10-18")
        );
        assert_eq!(front.tags, ["x", "y"]);
        assert_eq!(front.published, Some(true));
    }
}

#[test]
fn folded_text_becomes_one_line() {
    let (front, diagnostics) = parse(&with(&[("excerpt", ">-\n  first\n  second")]));
    assert_eq!(diagnostics, Vec::<String>::new());
    assert_eq!(front.expect("accepted").excerpt, "first second");
}

#[test]
fn what_cannot_be_used_is_named_with_its_line_and_cure() {
    let rows = [
        (
            with(&[("author", "-")]),
            "p.md:1: error: the front matter has no `author`\n  cure: add a line `author: \"…\"`",
        ),
        (
            with(&[("author", "")]),
            "p.md:8: error: `author` is empty\n  cure: write for example `author: \"…\"`",
        ),
        (
            with(&[("published", "\"true\"")]),
            "p.md:8: error: `published` is text, not true or false\n  cure: write `published: true` or `published: false`, without quotes",
        ),
        (
            with(&[("published", "yes")]),
            "p.md:8: error: `published` is text, not true or false\n  cure: write `published: true` or `published: false`, without quotes",
        ),
        (
            with(&[("date", "2025-02-30")]),
            "p.md:8: error: `date` is not a day of the calendar: 2025-02-30\n  cure: write year-month-day, for example `date: 2026-01-31`",
        ),
        (
            with(&[("tags", "AWS, Bedrock")]),
            "p.md:8: error: `tags` is text, not a list\n  cure: write for example `tags: [AWS, Bedrock]`",
        ),
        (
            with(&[("order", "first")]),
            "p.md:9: error: `order` is text, not a whole number\n  cure: write for example `order: 1`",
        ),
        (
            with(&[("title", "[a, b]")]),
            "p.md:8: error: `title` is a list, not text\n  cure: write for example `title: \"…\"`",
        ),
    ];
    for (yaml, wanted) in rows {
        let (front, diagnostics) = parse(&yaml);
        assert_eq!(front, None, "{yaml}");
        assert_eq!(diagnostics, [wanted], "{yaml}");
    }
}

#[test]
fn broken_yaml_names_the_line_of_the_file() {
    for (yaml, line) in [
        (with(&[("title", "a: b: c")]), 8),
        // Only what follows shows that the quote is never closed.
        (with(&[("title", "\"open")]), 9),
        (with(&[]) + "title: again\n", 9),
        ("- a list\n- of things\n".to_owned(), 2),
    ] {
        let (front, diagnostics) = parse(&yaml);
        assert_eq!(front, None, "{yaml}");
        let start = format!("p.md:{line}: error: the front matter is not valid YAML: ");
        assert!(diagnostics[0].starts_with(&start), "{yaml}{diagnostics:?}");
    }
}

#[test]
fn unknown_keys_are_kept_with_a_warning() {
    let (front, diagnostics) = parse(&with(&[("colour", "blue"), ("2025", "[a, {b: 1}]")]));
    let other = front.expect("accepted").other;
    assert_eq!(other["colour"], "blue");
    assert_eq!(other["2025"], "a, b: 1");
    assert!(
        diagnostics[1].starts_with("p.md:9: warning: unknown front matter key `colour`"),
        "{diagnostics:?}"
    );
}

#[test]
fn nothing_in_front_matter_makes_it_panic() {
    let good = with(&[("excerpt", ">-\n  first ä\n  second"), ("x", "&a [*a]")]);
    let mut cuts: Vec<String> = good
        .char_indices()
        .map(|(i, _)| good[..i].to_owned())
        .collect();
    // A fixed xorshift: the same garbage in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let alphabet: Vec<char> = "a1-:[]{}\"'#&*!|>%@`, \n\t\u{0}é~?<".chars().collect();
    for _ in 0..2_000 {
        let mut text = String::new();
        for _ in 0..40 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let index = usize::try_from(state % alphabet.len() as u64).unwrap();
            text.push(alphabet[index]);
        }
        cuts.push(text);
    }
    for yaml in cuts {
        let (front, diagnostics) = parse(&yaml);
        assert!(front.is_some() || !diagnostics.is_empty(), "{yaml:?}");
    }
}
