//! Packs the course (posts, diagrams, exercises) into the binary, so that `workshop serve` works
//! without a checkout.
//!
//! The student's own files (`exercises/*/src/lib.rs`) stay out: an edit there must not rebuild
//! the binary. Their starters are packed instead.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

const FOLDERS: [&str; 3] = ["content", "diagrams", "exercises"];
const SKIPPED: [&str; 4] = ["node_modules", "target", ".git", ".workshop"];
const EXTENSIONS: [&str; 11] = [
    "md", "toml", "rs", "svg", "json", "mjs", "ts", "yaml", "mmd", "http", "txt",
];

fn main() {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let root = manifest
        .join("../..")
        .canonicalize()
        .expect("the workspace root exists");
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
        collect(&root.join(folder), &mut files);
    }
    files.sort();

    let out = PathBuf::from(env::var("OUT_DIR").expect("set by cargo")).join("course.rs");
    let mut code = fs::File::create(out).expect("OUT_DIR is writable");
    writeln!(code, "&[").expect("OUT_DIR is writable");
    for file in &files {
        let name = file
            .strip_prefix(&root)
            .expect("collected below the root")
            .to_string_lossy()
            .replace('\\', "/");
        // As a string literal, whatever the path holds.
        let path = file.to_string_lossy().into_owned();
        writeln!(code, "({name:?}, include_bytes!({path:?}).as_slice()),")
            .expect("OUT_DIR is writable");
    }
    writeln!(code, "]").expect("OUT_DIR is writable");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(&path, files);
            }
        } else if wanted(&path) {
            files.push(path);
        }
    }
}

fn wanted(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    // Texts are records that posts show; those of exercises are for `verify`, in a checkout.
    let of_verify = path.ends_with("messages.txt");
    EXTENSIONS.contains(&extension) && !of_verify && !is_students_file(path)
}

fn is_students_file(path: &Path) -> bool {
    path.ends_with("src/lib.rs") && path.components().any(|c| c.as_os_str() == "exercises")
}
