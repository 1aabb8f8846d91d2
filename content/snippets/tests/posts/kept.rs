//! Files of the course that a test makes.

use std::{env, fs, path::PathBuf};

fn content(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", name].iter().collect()
}

/// `content/recorded/{name}` is `text`. `POSTS_BLESS=1` writes it instead; read what changed.
#[track_caller]
pub(crate) fn kept(name: &str, text: &str) {
    let path = content("recorded").join(name);
    let text = text.trim_end().to_owned() + "\n";
    let known = fs::read_to_string(&path).unwrap_or_default();
    settle(&path, &known, &text);
}

/// What a post says between `<!-- {name} -->` and `<!-- /{name} -->` is `text`.
#[track_caller]
pub(crate) fn kept_in(post: &str, name: &str, text: &str) {
    let path = content("posts").join(post);
    let known = fs::read_to_string(&path).unwrap();
    let (start, end) = (format!("<!-- {name} -->\n"), format!("\n<!-- /{name} -->"));
    let (before, rest) = known.split_once(&start).expect("the start of the part");
    let (_, after) = rest.split_once(&end).expect("the end of the part");
    let text = format!("{before}{start}\n{}\n{end}{after}", text.trim());
    settle(&path, &known, &text);
}

#[track_caller]
fn settle(path: &PathBuf, known: &str, text: &str) {
    if env::var_os("POSTS_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        return;
    }
    assert_eq!(
        known,
        text,
        "{} is not what this test finds; POSTS_BLESS=1 rewrites it",
        path.display()
    );
}
