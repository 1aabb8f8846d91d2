//! Code shown in texts: named regions of tested files, never pasted copies.

use crate::Tree;

/// The lines between `// region: NAME` and `// endregion: NAME`, without indentation they share
/// and without other markers; the whole file (without markers) if no region is named.
///
/// The error is what is wrong and what to do about it.
pub(crate) fn region(
    tree: &Tree,
    file: &str,
    name: Option<&str>,
) -> Result<String, (String, String)> {
    let Some(text) = tree.text(file) else {
        return Err((
            format!("there is no file {file} to show code from"),
            "write the path from the course's root, for example file=content/snippets/src/lib.rs"
                .to_owned(),
        ));
    };
    let text = crate::document::normalized(text);
    let Some(name) = name else {
        let lines: Vec<&str> = text.lines().filter(|l| marker(l).is_none()).collect();
        return Ok(dedented(&lines));
    };
    let mut lines = Vec::new();
    let (mut inside, mut found) = (false, false);
    for line in text.lines() {
        match marker(line) {
            Some(Marker::Start(start)) if start == name => {
                if found {
                    return Err((
                        format!("{file} has two regions named `{name}`"),
                        "give each region a name of its own".to_owned(),
                    ));
                }
                (inside, found) = (true, true);
            }
            Some(Marker::End(end)) if end == name => inside = false,
            None if inside => lines.push(line),
            _ => {}
        }
    }
    if !found {
        return Err((
            format!("{file} has no region `{name}`"),
            format!("mark it with `// region: {name}` and `// endregion: {name}`"),
        ));
    }
    if inside {
        return Err((
            format!("region `{name}` of {file} never ends"),
            format!("add `// endregion: {name}` after its last line"),
        ));
    }
    Ok(dedented(&lines))
}

enum Marker<'a> {
    Start(&'a str),
    End(&'a str),
}

/// `// region: name`, with `#` as well for TOML and shell.
fn marker(line: &str) -> Option<Marker<'_>> {
    let line = line.trim_start();
    let comment = line.strip_prefix("//").or_else(|| line.strip_prefix('#'))?;
    let (word, name) = comment.split_once(':')?;
    match word.trim() {
        "region" => Some(Marker::Start(name.trim())),
        "endregion" => Some(Marker::End(name.trim())),
        _ => None,
    }
}

fn dedented(lines: &[&str]) -> String {
    let blank = |line: &&str| line.trim().is_empty();
    let first = lines.iter().position(|l| !blank(l)).unwrap_or(lines.len());
    let last = lines
        .iter()
        .rposition(|l| !blank(l))
        .map_or(first, |i| i + 1);
    let lines = &lines[first..last];
    let indent = lines
        .iter()
        .filter(|l| !blank(l))
        .map(|l| l.len() - l.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0);
    lines.iter().fold(String::new(), |mut out, line| {
        out.push_str(line.get(indent..).unwrap_or("").trim_end());
        out.push('\n');
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        let mut tree = Tree::default();
        tree.files.insert("a.rs".to_owned(), text.into());
        tree
    }

    #[test]
    fn a_region_is_dedented_and_free_of_markers() {
        let text = "fn a() {\r\n    // region: ask\r\n\r\n    let x = 1;\r\n    // region: inner\r\n      let y = 2;\r\n    // endregion: inner\r\n    // endregion: ask\r\n}\r\n";
        assert_eq!(
            region(&tree(text), "a.rs", Some("ask")).expect("found"),
            "let x = 1;\n  let y = 2;\n"
        );
        assert_eq!(
            region(&tree(text), "a.rs", Some("inner")).expect("found"),
            "let y = 2;\n"
        );
        assert!(
            region(&tree(text), "a.rs", None)
                .expect("found")
                .ends_with("}\n")
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let rows = [
            ("b.rs", "x", "", "there is no file b.rs"),
            ("a.rs", "x", "", "a.rs has no region `x`"),
            (
                "a.rs",
                "x",
                "// region: x\n",
                "region `x` of a.rs never ends",
            ),
            (
                "a.rs",
                "x",
                "// region: x\n// endregion: x\n// region: x\n// endregion: x\n",
                "a.rs has two regions named `x`",
            ),
        ];
        for (file, name, text, wanted) in rows {
            let (message, cure) = region(&tree(text), file, Some(name)).expect_err(wanted);
            assert!(message.starts_with(wanted), "{message}");
            assert!(!cure.is_empty());
        }
    }
}
