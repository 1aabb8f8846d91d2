//! Static pages and assets, beside nginx with the same pages as files.
//!
//! nginx serves what `workshop build` writes, with its files' `.gz` beside them, as many workers as
//! there are processors, an open-file cache, no log, and as many requests over a connection as are
//! asked for. The two are measured in turns; wrk shares the machine with both.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

use crate::{
    Args, median,
    process::{self, Server},
};

const CONNECTIONS: &str = "32";

/// What is asked for: of us, and of nginx.
struct Asked {
    name: &'static str,
    ours: String,
    file: String,
    coding: &'static str,
}

/// One server's measurements.
#[derive(Default)]
struct Runs {
    per_second: Vec<f64>,
    micros: Vec<f64>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (Some(nginx), Some(wrk)) = (process::find("nginx"), process::find("wrk")) else {
        println!(
            "Pages beside nginx are left out: nginx or wrk is not installed (`apt-get install nginx-light wrk`).\n"
        );
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let files = folder.path().join("files");
    let mut build = Command::new(&args.workshop);
    build.args(["build", "--out"]).arg(&files);
    build.arg("--course").arg(&args.course);
    process::time(build)?;
    let mut pack = Command::new("sh");
    let all = "find . -type f ! -name '*.woff2' -exec gzip -9 -k {} +";
    pack.args(["-c", all]).current_dir(&files);
    process::time(pack)?;

    let ours = Server::workshop(&args.workshop, Some(&args.course), folder.path())?;
    let theirs = serve_files(&nginx, folder.path(), &files)?;
    let (page, style) = (longest_post(&files)?, style(&files)?);
    println!(
        "Static pages, wrk with {CONNECTIONS} connections, {} s each, medians of {}\n",
        args.seconds, args.rounds
    );
    println!(
        "| what | bytes, ours | nginx | requests/s, ours | nginx | ratio | CPU µs a request, ours | nginx |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for coding in ["gzip", "identity"] {
        let post = |name| Asked {
            name,
            ours: format!("/posts/{page}"),
            file: format!("/posts/{page}/"),
            coding,
        };
        let asset = Asked {
            name: "the style sheet",
            ours: style.clone(),
            file: style.clone(),
            coding,
        };
        let list = Asked {
            name: "the list of posts",
            ours: "/posts".to_owned(),
            file: "/posts/".to_owned(),
            coding,
        };
        for asked in [post("the longest post"), list, asset] {
            compare(args, &wrk, &asked, (&ours, &theirs))?;
        }
    }
    println!();
    Ok(())
}

fn compare(
    args: &Args,
    wrk: &Path,
    asked: &Asked,
    (ours, theirs): (&Server, &Server),
) -> anyhow::Result<()> {
    let coding = asked.coding;
    let bytes = process::get(ours.addr, &asked.ours, coding)?;
    let their_bytes = process::get(theirs.addr, &asked.file, coding)?;
    let (mut we, mut they) = (Runs::default(), Runs::default());
    for round in 0..=args.rounds {
        // The first round warms both up.
        let seconds = if round == 0 { 1 } else { args.seconds };
        for (server, path, runs) in [
            (theirs, &asked.file, &mut they),
            (ours, &asked.ours, &mut we),
        ] {
            let before = server.cpu();
            let (requests, per_second) = load(wrk, seconds, server.addr, path, coding)?;
            if round > 0 {
                let cpu = server.cpu().saturating_sub(before).as_secs_f64();
                runs.per_second.push(per_second);
                runs.micros.push(cpu * 1_000_000.0 / requests);
            }
        }
    }
    let (a, b) = (median(&we.per_second), median(&they.per_second));
    println!(
        "| {}, {coding} | {bytes} | {their_bytes} | {a:.0} | {b:.0} | {:.2} | {:.1} | {:.1} |",
        asked.name,
        a / b,
        median(&we.micros),
        median(&they.micros),
    );
    Ok(())
}

/// Requests answered, and how many in a second.
fn load(
    wrk: &Path,
    seconds: u32,
    addr: SocketAddr,
    path: &str,
    coding: &str,
) -> anyhow::Result<(f64, f64)> {
    let output = Command::new(wrk)
        .args(["-t", "1", "-c", CONNECTIONS, "-d", &format!("{seconds}s")])
        .args(["-H", &format!("Accept-Encoding: {coding}")])
        .arg(format!("http://{addr}{path}"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("{path} was not always answered:\n{text}");
    }
    let per_second = text.lines().find_map(|l| l.strip_prefix("Requests/sec:"));
    let requests = text
        .lines()
        .find_map(|l| l.trim().split_once(" requests in "));
    let read = || Some((requests?.0.parse().ok()?, per_second?.trim().parse().ok()?));
    read().with_context(|| format!("wrk said something unexpected:\n{text}"))
}

fn serve_files(nginx: &Path, folder: &Path, files: &Path) -> anyhow::Result<Server> {
    let addr = process::free_address()?;
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {}/{kind};\n", folder.display()))
        .concat();
    let config = format!(
        "daemon off;\nworker_processes auto;\npid {0}/nginx.pid;\nerror_log {0}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n{temporary}  access_log off;\n  sendfile on;\n  tcp_nopush on;\n\
         \x20 keepalive_requests 100000000;\n  open_file_cache max=10000;\n  gzip_static on;\n\
         \x20 types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; font/woff2 woff2; }}\n\
         \x20 server {{ listen {addr} backlog=1024; root {1}; index index.html; }}\n}}\n",
        folder.display(),
        files.display()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config)?;
    // A worker that root starts may not be allowed to read a folder that is root's own.
    let mut command = Command::new(nginx);
    command
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(folder.join("error.log"));
    if is_root() {
        command.args(["-g", "user root;"]);
    }
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    Server::listening(command, addr).context("nginx does not serve the pages")
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

fn longest_post(files: &Path) -> anyhow::Result<String> {
    let posts = fs::read_dir(files.join("posts"))?.flatten();
    let length = |folder: &PathBuf| fs::metadata(folder.join("index.html")).map_or(0, |m| m.len());
    let longest = posts.map(|post| post.path()).max_by_key(length);
    let name = longest.and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
    name.context("the course has no posts")
}

/// The style sheet's address, which changes with its content.
fn style(files: &Path) -> anyhow::Result<String> {
    let version = fs::read_dir(files.join("assets"))?.flatten().next();
    let version = version.context("no assets were written")?.file_name();
    Ok(format!("/assets/{}/style.css", version.to_string_lossy()))
}
