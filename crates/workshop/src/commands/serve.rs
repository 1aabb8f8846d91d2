//! `workshop serve`: site and emulator together.

use std::sync::Arc;

use aws_local::{
    Clock, Services, SystemClock,
    states::{self, ExecutionEvent, Listener, States},
};
use bedrock_emulator::{Config, trace::TraceStatus};
use bedrock_endpoint::Setup;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use workshop_runner::{CheckOptions, Workspace};
use workshop_server::{Site, SiteConfig};

use crate::{
    cli, exit,
    local::{self, Local},
    running::Running,
    shutdown,
    source::{self, Source},
    style,
};

/// How many lights may wait for the site.
const LIT_MAX: usize = 1_024;

pub(crate) async fn run(args: &cli::Serve, source: Source) -> anyhow::Result<u8> {
    if args.local.help_local {
        print!("{}", local::TEMPLATE);
        return Ok(exit::OK);
    }
    let local = Local::of(&args.local)?;
    let (lit, beside) = mpsc::channel(LIT_MAX);
    let services = services(lit);
    let (config, setup) = (Config::default(), Setup::default());
    let emulator = super::emulator::start(&services, config, args.emulator_addr, setup).await?;
    let emulator = Arc::new(emulator);
    let names = local.start(&services, &emulator).await?;
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
        beside: Some(beside),
        // Diagrams of a course folder elsewhere are drawn by the checkout we are in.
        renderer: std::env::current_dir()
            .ok()
            .and_then(|here| Workspace::find(&here).ok())
            .map(|checkout| checkout.root().to_owned()),
        preview: args.preview,
        exported: false,
        base_url: args.base_url.clone(),
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
        welcome(
            &site.login_url,
            &emulator.url(),
            &names,
            workspace.is_some(),
        );
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

fn welcome(site: &str, emulator: &str, beside: &[(&str, String)], exercises: bool) {
    println!("{}", style::bold("Bedrock Workshop"));
    let mut lines = vec![("site".to_owned(), site), ("emulator".to_owned(), emulator)];
    lines.extend(
        beside
            .iter()
            .map(|(what, names)| (what.to_lowercase(), names.as_str())),
    );
    let width = lines.iter().map(|(what, _)| what.len()).max();
    let width = width.unwrap_or_default();
    for (what, told) in lines {
        println!("  {what:<width$}  {told}");
    }
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

/// The services, on the system's time. States light the diagrams as they are entered.
fn services(lit: mpsc::Sender<Value>) -> Services {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut services = Services::new(Arc::clone(&clock));
    let listener = Listener::new(move |event: &ExecutionEvent| {
        if let Some(trace) = event.trace() {
            // Nobody waits for a page that does not keep up.
            let _ = lit.try_send(json!({
                "t": trace.t,
                "operation": event.event.event_type.as_str(),
                "status": if trace.status == TraceStatus::Ok { 200 } else { 400 },
                "request_id": trace.request_id,
                "trace": [trace],
            }));
        }
    });
    services.states = States::new(states::Setup {
        clock,
        listener,
        ..states::Setup::default()
    });
    services
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
