//! What success must not come from: the course's answers compiled in or read while the tests run, and a
//! test kit that is not the course's.
//!
//! This keeps a student from fooling themselves, an assistant that "makes the tests pass" included. Whoever
//! means to cheat can: the code runs with the student's rights, and `workshop solution` shows the answer to
//! everybody who asks.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{cargo::Products, workspace::ExerciseDir};

/// The folders of an exercise that its answer must not be made of.
const ANSWERS: [&str; 3] = ["solution", "tests", "wrong"];

/// The crates that the tests of exercises stand on.
const KIT: [&str; 10] = [
    "crates/aws-local",
    "crates/bedrock-emulator",
    "crates/bedrock-endpoint",
    "crates/cache-store",
    "crates/lambda-host",
    "crates/states-language",
    "crates/workshop-prelink",
    "crates/workshop-prelink-aws",
    "crates/workshop-testkit",
    "crates/workshop-testkit-aws",
];

/// Files of the course that the student's library was compiled from, by the compiler's own list:
/// `include!`, `include_str!` and `#[path]` of a solution or of a test.
pub(crate) fn compiled_in(root: &Path, exercise: &ExerciseDir, products: &Products) -> Vec<String> {
    let package = exercise.package();
    let libraries = products.libraries.iter();
    let own = libraries.filter(|(of, _)| *of == package);
    let mut found: Vec<String> = own
        .filter_map(|(_, library)| dependency_file(library))
        .filter_map(|file| fs::read_to_string(file).ok())
        .flat_map(|text| sources(&text))
        .filter_map(|source| fs::canonicalize(root.join(source)).ok())
        .filter_map(|source| answer(root, &source))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// `deps/libex001-08926ce8.rmeta` → `deps/ex001-08926ce8.d`.
fn dependency_file(library: &Path) -> Option<PathBuf> {
    let stem = library.file_stem()?.to_str()?.strip_prefix("lib")?;
    Some(library.with_file_name(format!("{stem}.d")))
}

/// The files behind the first colon of a file for `make`; a space in a name has a backslash before it.
fn sources(text: &str) -> Vec<String> {
    let first = text.lines().next().unwrap_or_default();
    let listed = first.split_once(": ").map_or("", |(_, listed)| listed);
    listed
        .replace("\\ ", "\0")
        .split(' ')
        .map(|name| name.replace('\0', " "))
        .filter(|name| !name.is_empty())
        .collect()
}

/// The name for people of a file that belongs to an exercise's answers or tests.
fn answer(root: &Path, file: &Path) -> Option<String> {
    let root = fs::canonicalize(root).ok()?;
    let within = file.strip_prefix(root.join("exercises")).ok()?;
    let folder = within.components().nth(1)?;
    ANSWERS
        .iter()
        .any(|answers| folder.as_os_str() == *answers)
        .then(|| format!("exercises/{}", within.to_string_lossy().replace('\\', "/")))
}

/// The kit's files that are not as they were committed. Empty without git, or outside a clone.
pub(crate) fn edited_kit(root: &Path) -> Vec<String> {
    let output = Command::new("git")
        .args(["diff", "--name-only", "--no-ext-diff", "HEAD", "--"])
        .args(KIT)
        .current_dir(root)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Sees who reads the answers and the tests while student code runs (Linux; elsewhere it sees nothing).
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(crate) struct Watch {
    inotify: Option<rustix::fd::OwnedFd>,
    /// The folders, by the numbers that the system gave them.
    folders: Vec<(i32, String)>,
}

#[cfg(target_os = "linux")]
impl Watch {
    /// From now on. A folder that cannot be watched is not.
    pub(crate) fn start(exercise: &ExerciseDir) -> Self {
        use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        let mut folders = Vec::new();
        if let Some(inotify) = &inotify {
            for name in ANSWERS {
                let flags = WatchFlags::ACCESS | WatchFlags::ONLYDIR;
                let added = inotify::add_watch(inotify, exercise.dir.join(name), flags);
                folders.extend(added.ok().map(|number| (number, name.to_owned())));
            }
        }
        Self { inotify, folders }
    }

    /// The files that were read since then, relative to the exercise's folder.
    pub(crate) fn read(self) -> Vec<String> {
        use rustix::fs::inotify::{ReadFlags, Reader};
        let Some(inotify) = self.inotify else {
            return Vec::new();
        };
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(inotify, &mut buffer);
        let mut found = Vec::new();
        // Until nothing is left, which is an error of a reader that does not wait.
        while let Ok(event) = events.next() {
            let mut folders = self.folders.iter();
            let folder = folders.find(|(number, _)| *number == event.wd());
            if let (Some((_, folder)), Some(name)) = (folder, event.file_name())
                && !event.events().contains(ReadFlags::ISDIR)
            {
                found.push(format!("{folder}/{}", name.to_string_lossy()));
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(crate) struct Watch;

#[cfg(not(target_os = "linux"))]
impl Watch {
    pub(crate) fn start(_exercise: &ExerciseDir) -> Self {
        Self
    }

    pub(crate) fn read(self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_list_is_read() {
        let text = "/t/deps/ex001-1.d: exercises/001-x/src/lib.rs a\\ b/c.rs\n\n/t/deps/libex001-1.rlib: x\n";
        assert_eq!(sources(text), ["exercises/001-x/src/lib.rs", "a b/c.rs"]);
        assert_eq!(
            dependency_file(Path::new("/t/deps/libex001-1.rmeta")),
            Some("/t/deps/ex001-1.d".into())
        );
        assert_eq!(sources(""), Vec::<String>::new());
    }
}
