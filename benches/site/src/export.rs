//! `workshop build` of many posts, beside a generator of sites with the same texts.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context as _;

use crate::{Args, median, process};

/// Words that posts are made of.
const WORDS: [&str; 24] = [
    "queue", "worker", "lease", "message", "request", "model", "token", "answer", "policy",
    "retry", "delay", "stream", "region", "profile", "quota", "cache", "batch", "alarm", "state",
    "function", "gateway", "table", "secret", "log",
];

/// One way to build the pages.
struct Candidate {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    out: PathBuf,
    times: Vec<(Duration, Duration)>,
}

pub(crate) fn run(args: &Args, posts: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut candidates = vec![ours(args, folder.path(), posts)?];
    match process::find("mdbook") {
        Some(program) => candidates.push(book(program, folder.path(), posts)?),
        None => println!(
            "mdBook is not installed (`cargo install mdbook`), so `workshop build` is measured alone.\n"
        ),
    }
    println!(
        "{posts} posts to pages, from nothing; medians of {}\n",
        args.rounds
    );
    println!("| generator | seconds | CPU-seconds | files written | MiB |");
    println!("|---|---|---|---|---|");
    for _ in 0..args.rounds {
        for candidate in &mut candidates {
            if candidate.out.exists() {
                fs::remove_dir_all(&candidate.out)?;
            }
            let time = candidate.build()?;
            candidate.times.push(time);
        }
    }
    for candidate in &candidates {
        let (wall, cpu) = candidate.medians();
        let (files, bytes) = size(&candidate.out)?;
        let (name, mib) = (&candidate.name, bytes / 1024 / 1024);
        println!("| {name} | {wall:.2} | {cpu:.2} | {files} | {mib} |");
    }
    // Once more over what is there, with one post changed.
    let Some(ours) = candidates.first_mut() else {
        return Ok(());
    };
    ours.times.clear();
    for round in 0..args.rounds {
        let post = ours.folder.join("content/posts/post-0000.md");
        let text = fs::read_to_string(&post)?;
        fs::write(&post, format!("{text}\nRound {round}.\n"))?;
        let time = ours.build()?;
        ours.times.push(time);
    }
    let (wall, cpu) = ours.medians();
    println!(
        "| {}, one post changed | {wall:.2} | {cpu:.2} | | |\n",
        ours.name
    );
    Ok(())
}

impl Candidate {
    fn build(&self) -> anyhow::Result<(Duration, Duration)> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder);
        process::time(command)
    }

    fn medians(&self) -> (f64, f64) {
        let all = |of: fn(&(Duration, Duration)) -> Duration| {
            let values: Vec<f64> = self.times.iter().map(|t| of(t).as_secs_f64()).collect();
            median(&values)
        };
        (all(|t| t.0), all(|t| t.1))
    }
}

fn ours(args: &Args, below: &Path, posts: usize) -> anyhow::Result<Candidate> {
    let (folder, out) = (below.join("course"), below.join("ours"));
    let content = folder.join("content/posts");
    fs::create_dir_all(&content)?;
    for number in 0..posts {
        let text = format!(
            "---\ntitle: \"{}\"\ndate: {:04}-{:02}-{:02}\nauthor: Bedrock Workshop\nexcerpt: \"{}\"\n\
             category: AWS\ntags: [{}, {}]\npublished: true\n---\n\n{}",
            title(number),
            2000 + number / 336 % 100,
            number / 28 % 12 + 1,
            number % 28 + 1,
            sentence(number, 0),
            word(number, 1),
            word(number, 2),
            body(number, posts),
        );
        fs::write(content.join(format!("{}.md", slug(number))), text)?;
    }
    let version = version(&args.workshop)?;
    Ok(Candidate {
        name: format!("`workshop build` ({version})"),
        program: args.workshop.clone(),
        arguments: ["build", "--course", ".", "--out"]
            .map(str::to_owned)
            .into_iter()
            .chain([out.to_string_lossy().into_owned()])
            .collect(),
        folder,
        out,
        times: Vec::new(),
    })
}

fn book(program: PathBuf, below: &Path, posts: usize) -> anyhow::Result<Candidate> {
    let (folder, out) = (below.join("book"), below.join("theirs"));
    let source = folder.join("src");
    fs::create_dir_all(&source)?;
    let mut summary = "# Summary\n\n".to_owned();
    for number in 0..posts {
        fs::write(
            source.join(format!("{}.md", slug(number))),
            body(number, posts),
        )?;
        let _ = writeln!(summary, "- [{}]({}.md)", title(number), slug(number));
    }
    fs::write(source.join("SUMMARY.md"), summary)?;
    fs::write(folder.join("book.toml"), "[book]\ntitle = \"Posts\"\n")?;
    let version = version(&program)?;
    Ok(Candidate {
        name: version,
        program,
        arguments: vec![
            "build".to_owned(),
            "--dest-dir".to_owned(),
            out.to_string_lossy().into_owned(),
        ],
        folder,
        out,
        times: Vec::new(),
    })
}

fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("{} does not start", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Files, and the bytes in them.
fn size(folder: &Path) -> anyhow::Result<(usize, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let (more, length) = size(&entry.path())?;
            (files, bytes) = (files + more, bytes + length);
        } else {
            (files, bytes) = (files + 1, bytes + entry.metadata()?.len());
        }
    }
    Ok((files, bytes))
}

fn slug(number: usize) -> String {
    format!("post-{number:04}")
}

fn title(number: usize) -> String {
    format!(
        "Post {number}: the {} and its {}",
        word(number, 1),
        word(number, 2)
    )
}

/// The same post has the same words in every run.
fn word(number: usize, at: usize) -> &'static str {
    let mixed = (number * 31 + at * 17 + number * at * 7) ^ (at >> 2);
    WORDS[mixed % WORDS.len()]
}

fn sentence(number: usize, at: usize) -> String {
    let words = (0..12).map(|n| word(number, at * 13 + n));
    let words: Vec<&str> = words.collect();
    format!("The {}.", words.join(" "))
}

/// About seven kilobytes: headings, paragraphs, code, a table, a list, links to other posts.
fn body(number: usize, posts: usize) -> String {
    let mut text = format!("# {}\n\n", title(number));
    for section in 0..6 {
        let heading = word(number, section + 3);
        let _ = write!(text, "## {section}. About the {heading}\n\n");
        for paragraph in 0..3 {
            for at in 0..4 {
                text.push_str(&sentence(number, section * 12 + paragraph * 4 + at));
                text.push(' ');
            }
            text.push_str("\n\n");
        }
        let other = slug((number + section * 37 + 1) % posts);
        let _ = write!(text, "See [the next one]({other}.md) and `{heading}`.\n\n");
    }
    let _ = write!(
        text,
        "```json\n{{\"{}\": {number}, \"list\": [1, 2, 3]}}\n```\n\n\
         | part | what |\n|---|---|\n| {} | {} |\n| {} | {} |\n\n- {}\n- {}\n",
        word(number, 1),
        word(number, 4),
        sentence(number, 70),
        word(number, 5),
        sentence(number, 71),
        sentence(number, 72),
        sentence(number, 73),
    );
    text
}
