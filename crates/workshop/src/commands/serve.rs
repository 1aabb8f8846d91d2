//! `workshop serve`: site and emulator together.

use std::sync::Arc;

use serde_json::json;
use workshop_runner::{CheckOptions, Workspace};
use workshop_server::{Site, SiteConfig};

use crate::{
    cli, exit,
    running::Running,
    shutdown,
    source::{self, Source},
    style,
};

pub(crate) async fn run(args: &cli::Serve, source: Source) -> anyhow::Result<u8> {
    let emulator = Arc::new(
        super::emulator::start(bedrock_emulator::Config::default(), args.emulator_addr).await?,
    );
    let workspace = source.workspace.clone();
    let from = match &source.folder {
        Some(folder) => workshop_server::Source::Folder(folder.clone()),
        None => workshop_server::Source::Embedded(source::built_in()),
    };
    let check = match workspace {
        Some(_) => super::check::options(&source)?,
        None => CheckOptions::default(),
    };
    let mut site = Site::start(SiteConfig {
        addr: args.addr,
        source: from,
        workspace: source.workspace,
        emulator: Some(Arc::clone(&emulator)),
        // Diagrams of a course folder elsewhere are drawn by the checkout we are in.
        renderer: std::env::current_dir()
            .ok()
            .and_then(|here| Workspace::find(&here).ok())
            .map(|checkout| checkout.root().to_owned()),
        preview: args.preview,
        check,
    })
    .await?;
    let stop = shutdown::requested();
    let announcement = Running {
        site: Some(site.addr),
        emulator: emulator.addr(),
        pid: std::process::id(),
    }
    .announce(workspace.as_ref());
    if args.json {
        // `site` and `emulator` are bases to append paths to; `login` is what a browser opens.
        println!(
            "{}",
            json!({
                "site": site.url.trim_end_matches('/'),
                "login": site.login_url,
                "emulator": emulator.url(),
            })
        );
    } else {
        welcome(&site.login_url, &emulator.url(), workspace.is_some());
    }
    if args.open && !open(&site.login_url) {
        eprintln!("The browser could not be opened; the address is above.");
    }
    tokio::select! {
        () = stop => {}
        () = site.ended() => {}
    }
    drop(announcement);
    site.shutdown().await;
    Ok(exit::OK)
}

fn welcome(site: &str, emulator: &str, exercises: bool) {
    println!("{}", style::bold("Bedrock Workshop"));
    println!("  site      {site}");
    println!("  emulator  {emulator}");
    println!();
    if exercises {
        println!("Next: open the site, then in a second terminal `workshop check 000`");
        println!("      (from a checkout: `cargo run -- check 000`).");
    } else {
        println!(
            "Next: open the site. To work on exercises, start this inside a checkout of the workshop."
        );
    }
    println!("Stop with Ctrl-C.");
}

/// Opens the address in the person's browser.
fn open(url: &str) -> bool {
    let (program, args): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    std::process::Command::new(program)
        .args(args)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .is_ok()
}
