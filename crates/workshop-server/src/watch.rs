//! For authors: reads the course again when its files change, and has changed diagrams rendered.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{process::Command, sync::mpsc, task::JoinSet};
use workshop_course::{Course, Diagnostic, Diagram, Severity, Tree};

use crate::{
    AppState,
    pages::{bugs, diagrams, exercises, posts},
    state::{Edition, Rendering},
};

/// Editors write a file in several steps; this much quiet means they are done.
const QUIET: Duration = Duration::from_millis(150);

/// The course's folders below its root.
const FOLDERS: [&str; 3] = ["content", "diagrams", "exercises"];

/// The renderer's output that is shown at most.
const OUTPUT_MAX: usize = 4_000;

/// Keeps the site's course equal to the files, from this call on.
pub fn follow(state: AppState) -> impl Future<Output = ()> + Send {
    let root = state.folder().map(Path::to_path_buf);
    let (sender, changes) = mpsc::channel(1);
    // Without a watcher the site still serves; authors reload by hand.
    let watcher = root.as_deref().and_then(|root| watcher(root, sender));
    async move {
        if let (Some(root), Some(_watcher)) = (root, watcher) {
            keep(&state, &root, changes).await;
        }
    }
}

async fn keep(state: &AppState, root: &Path, mut changes: mpsc::Receiver<()>) {
    let mut tried = BTreeSet::new();
    // At most one: the renderer writes files, and its first build takes minutes.
    let mut renderer = JoinSet::new();
    loop {
        if renderer.is_empty()
            && let Some(job) = render(state, root, &mut tried)
        {
            renderer.spawn(job);
        }
        tokio::select! {
            change = changes.recv() => {
                if change.is_none() {
                    return;
                }
                while tokio::time::timeout(QUIET, changes.recv()).await.is_ok_and(|c| c.is_some()) {}
                reload(state, root).await;
            }
            Some(drawn) = renderer.join_next() => {
                let failure = drawn.ok().and_then(Result::err);
                state.set_rendering(Rendering { busy: BTreeSet::new(), failure });
                reload(state, root).await;
                announce(state);
            }
        }
    }
}

fn watcher(root: &Path, sender: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| matters(&event)) {
            // A full channel already says what this would say.
            let _ = sender.try_send(());
        }
    })
    .ok()?;
    for folder in FOLDERS.map(|name| root.join(name)) {
        if folder.is_dir() {
            watcher.watch(&folder, RecursiveMode::Recursive).ok()?;
        }
    }
    Some(watcher)
}

/// Reading a file is an event too, and cargo writes a great deal below `target`.
fn matters(event: &notify::Event) -> bool {
    let of_course = |path: &PathBuf| !path.components().any(|c| c.as_os_str() == "target");
    !event.kind.is_access() && event.paths.iter().any(of_course)
}

/// Reads the course, and tells the pages that changed.
async fn reload(state: &AppState, root: &Path) {
    let root = root.to_path_buf();
    let before = state.edition();
    let read = tokio::task::spawn_blocking(move || match Tree::read(&root) {
        Ok(tree) => Edition::after(&before, tree),
        // A folder that is gone for a moment (a branch is being switched) comes back with an event.
        Err(error) => Edition::unread(&before, &error),
    });
    let Ok(new) = read.await else {
        return;
    };
    let paths = changed(&state.edition().course, &new.course);
    state.set_edition(new);
    if !paths.is_empty() {
        state.hub().publish_reload(&paths);
    }
}

/// The addresses whose pages differ; any difference concerns the lists too.
fn changed(old: &Course, new: &Course) -> Vec<String> {
    let mut paths = BTreeSet::new();
    differing(&old.posts, &new.posts, &mut paths, posts::address);
    differing(&old.diagrams, &new.diagrams, &mut paths, diagrams::address);
    differing(
        &old.exercises,
        &new.exercises,
        &mut paths,
        exercises::address,
    );
    bug_pages(old, new, &mut paths);
    if old.diagrams != new.diagrams {
        // Exercises show diagrams, so they change with them.
        paths.extend(new.exercises.iter().map(exercises::address));
    }
    if old.diagnostics != new.diagnostics || old.tracks != new.tracks || !paths.is_empty() {
        let lists = [
            "/",
            "/posts",
            "/diagrams",
            "/exercises",
            "/tags",
            "/bugs",
            "/diagnostics",
        ];
        paths.extend(lists.map(str::to_owned));
    }
    // A finding that stays is no news: a page that has one is not loaded anew at every save.
    let (before, now) = (&old.diagnostics, &new.diagnostics);
    let gone = before.iter().filter(|found| !now.contains(found));
    let come = now.iter().filter(|found| !before.contains(found));
    paths.extend(
        gone.chain(come)
            .filter_map(|found| page_of(new, &found.file)),
    );
    paths.into_iter().collect()
}

fn differing<T: PartialEq>(
    old: &[T],
    new: &[T],
    paths: &mut BTreeSet<String>,
    address: impl Fn(&T) -> String,
) {
    let gone = old.iter().filter(|item| !new.contains(item));
    let come = new.iter().filter(|item| !old.contains(item));
    paths.extend(gone.chain(come).map(address));
}

/// Find-the-bug pages that differ, and the posts and exercises that link to them.
fn bug_pages(old: &Course, new: &Course, paths: &mut BTreeSet<String>) {
    let gone = old.bugs.iter().filter(|page| !new.bugs.contains(page));
    let come = new.bugs.iter().filter(|page| !old.bugs.contains(page));
    for page in gone.chain(come) {
        let address = bugs::address(page);
        paths.extend([format!("{address}/all"), address]);
        let posts = new.posts.iter().filter(|p| p.slug.as_str() == page.post);
        paths.extend(posts.map(posts::address));
        let exercises = new.exercises.iter();
        let exercises = exercises.filter(|e| bugs::names_exercise(page, &e.id));
        paths.extend(exercises.map(exercises::address));
    }
}

/// The address of the page made from that file.
fn page_of(course: &Course, file: &str) -> Option<String> {
    let post = course.posts.iter().find(|p| p.file == file);
    let diagram = course.diagrams.iter().find(|d| d.file == file);
    let exercise = course.exercises.iter().find(|e| {
        file.strip_prefix(&e.dir)
            .is_some_and(|rest| rest.starts_with('/'))
    });
    let bug_page = course.bugs.iter().find(|page| {
        file.strip_prefix(&page.dir)
            .is_some_and(|rest| rest.starts_with('/'))
    });
    post.map(posts::address)
        .or(bug_page.map(bugs::address))
        .or(diagram.map(diagrams::address))
        .or(exercise.map(exercises::address))
}

/// The work of drawing what has no fresh picture, if the renderer's source is at hand. What was
/// tried once is not tried again until its text changes.
fn render(
    state: &AppState,
    root: &Path,
    tried: &mut BTreeSet<String>,
) -> Option<impl Future<Output = Result<(), Diagnostic>> + Send + use<>> {
    let checkout = state.renderer()?.to_path_buf();
    let edition = state.edition();
    let of_pages = edition.course.diagrams.iter().flat_map(|p| &p.diagrams);
    let of_posts = edition.course.posts.iter().flat_map(|p| &p.diagrams);
    let waiting: Vec<&Diagram> = of_pages
        .chain(of_posts)
        .filter(|d| (!d.fresh || d.svg.is_none()) && !tried.contains(&d.source))
        .collect();
    if waiting.is_empty() {
        return None;
    }
    tried.extend(waiting.iter().map(|d| d.source.clone()));
    state.set_rendering(Rendering {
        busy: waiting.iter().map(|d| d.id.clone()).collect(),
        failure: None,
    });
    announce(state);
    let root = root.to_path_buf();
    Some(async move { run_renderer(&checkout, &root).await })
}

/// Every page that shows a diagram says whether it is being rendered.
fn announce(state: &AppState) {
    let edition = state.edition();
    let diagrams = edition.course.diagrams.iter().map(diagrams::address);
    let exercises = edition.course.exercises.iter().map(exercises::address);
    let posts = edition
        .course
        .posts
        .iter()
        .filter(|p| !p.diagrams.is_empty());
    let mut paths: Vec<_> = diagrams.chain(exercises).collect();
    paths.extend(posts.map(posts::address));
    paths.extend(["/", "/diagnostics"].map(str::to_owned));
    state.hub().publish_reload(&paths);
}

async fn run_renderer(checkout: &Path, root: &Path) -> Result<(), Diagnostic> {
    let output = Command::new("cargo")
        .args(["run", "-q", "-p", "workshop-diagrams", "--", "--root"])
        .arg(root)
        .current_dir(checkout)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let said = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => format!("cargo did not start: {error}"),
    };
    Err(Diagnostic {
        severity: Severity::Error,
        file: "diagrams".to_owned(),
        line: 0,
        message: format!(
            "the diagrams could not be rendered:\n{}",
            tail_of(said.trim())
        ),
        cure: "run `cargo run -p workshop-diagrams` in the checkout to see all of its output"
            .to_owned(),
    })
}

/// The end of a long text, where the error is, cut between characters.
fn tail_of(text: &str) -> &str {
    let from = text.len().saturating_sub(OUTPUT_MAX);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at));
    &text[from.unwrap_or(0)..]
}
