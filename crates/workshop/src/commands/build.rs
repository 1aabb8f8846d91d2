//! `workshop build`: the course as files for any web server.

use std::{net::SocketAddr, time::Instant};

use serde_json::json;
use workshop_runner::CheckOptions;
use workshop_server::{
    SiteConfig,
    export::{Export, Exported, export},
};

use crate::{
    cli, exit,
    source::{self, Source},
    style,
};

pub(crate) async fn run(args: cli::Build, source: &Source) -> anyhow::Result<u8> {
    let start = Instant::now();
    let from = match &source.folder {
        Some(folder) => workshop_server::Source::Folder(folder.clone()),
        None => workshop_server::Source::Embedded(source::built_in()),
    };
    let shown = args.out.display().to_string();
    let exported = export(Export {
        site: SiteConfig {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            source: from,
            workspace: None,
            check: CheckOptions::default(),
            emulator: None,
            beside: None,
            renderer: None,
            preview: args.preview,
            exported: true,
            base_url: args.base_url,
        },
        out: args.out,
    })
    .await?;
    let seconds = start.elapsed().as_secs_f64();
    if args.json {
        println!("{}", as_json(&exported, seconds));
    } else {
        print!("{}", told(&exported, &shown, seconds));
    }
    for link in &exported.broken {
        eprintln!(
            "{} {}: {}: {}",
            style::red("link:"),
            link.page,
            link.link,
            link.why
        );
    }
    Ok(if exported.broken.is_empty() {
        exit::OK
    } else {
        exit::NOT_SOLVED
    })
}

fn told(exported: &Exported, out: &str, seconds: f64) -> String {
    let files = &exported.written;
    let (megabytes, tenth) = (files.bytes / 1_000_000, files.bytes / 100_000 % 10);
    let mut text = format!(
        "{} pages in {out} ({} files, {megabytes}.{tenth} MB) in {seconds:.2} s: {} written, {} as before, {} removed\n",
        exported.pages,
        files.changed + files.unchanged,
        files.changed,
        files.unchanged,
        files.removed,
    );
    match exported.broken.len() {
        0 => text += "Look at them:  python3 -m http.server --bind 127.0.0.1 --directory ",
        1 => return text + "1 link leads nowhere:\n",
        n => return text + &format!("{n} links lead nowhere:\n"),
    }
    text + out + "\n"
}

fn as_json(exported: &Exported, seconds: f64) -> String {
    let broken = exported.broken.iter();
    let broken: Vec<_> = broken
        .map(|b| json!({ "page": b.page, "link": b.link, "why": b.why }))
        .collect();
    json!({
        "pages": exported.pages,
        "written": exported.written.changed,
        "unchanged": exported.written.unchanged,
        "removed": exported.written.removed,
        "bytes": exported.written.bytes,
        "seconds": seconds,
        "broken": broken,
    })
    .to_string()
}
