//! `workshop record`: recordings for `workshop emulator --replay`.

use std::{
    fs,
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use bedrock_emulator::{Config, catalogue::Catalogue};
use bedrock_recordings::{
    credentials::{Credentials, NotFound, Sources},
    folder, import,
    recorder::{Destination, Event, Recorder, Setup},
    scrub,
};
use serde_json::json;

use crate::{cli, exit, shutdown};

pub(crate) fn run(args: cli::Record) -> anyhow::Result<u8> {
    match args.command {
        Some(cli::RecordCommand::Import(args)) => take_over(&args),
        None => crate::runtime()?.block_on(record(args)),
    }
}

/// `workshop record`.
async fn record(args: cli::Record) -> anyhow::Result<u8> {
    let found = Sources::of_this_process().find(args.profile.as_deref());
    let region = args.region.clone();
    let region = region.or_else(|| found.as_ref().ok().and_then(|found| found.region.clone()));
    let (destination, credentials) = match &args.upstream {
        None => {
            let found = found.context("real Bedrock needs credentials")?;
            refuse_the_example_key(&found.credentials)?;
            let region = region
                .context("no region: add --region, for example us-east-1, or set AWS_REGION")?;
            if !may_spend(&region, &found.origin, &args)? {
                println!("Nothing was sent.");
                return Ok(exit::NOT_SOLVED);
            }
            (Destination::Bedrock { region }, Some(found.credentials))
        }
        Some(url) => {
            let credentials = match found {
                Ok(found) => Some(found.credentials),
                // Whoever listens there may ask for no signature.
                Err(NotFound::Nothing) => None,
                Err(error) => return Err(error.into()),
            };
            let url = url.clone();
            let region = region.unwrap_or_else(|| Config::default().region);
            (Destination::Url { url, region }, credentials)
        }
    };
    let (as_json, to) = (args.json, args.to.clone());
    let recorder = Recorder::bind(
        args.addr,
        Setup {
            requests_max: match &destination {
                Destination::Bedrock { .. } => Some(args.max_requests.unwrap_or(REQUESTS_MAX)),
                Destination::Url { .. } => args.max_requests,
            },
            destination,
            credentials,
            folder: args.to,
            keep_account_ids: args.keep_account_ids,
            tell: Box::new(move |event| tell(&event, as_json)),
        },
    )
    .await?;
    let url = format!("http://{}", recorder.addr());
    let stop = shutdown::requested();
    if as_json {
        println!("{}", json!({ "recorder": url }));
    } else {
        println!("Recorder  {url}, into {}", to.display());
        println!(
            "Point your tools at it:  eval \"$(workshop env --emulator-addr {})\"",
            recorder.addr()
        );
        println!("Stop with Ctrl-C. Recordings appear below.");
    }
    stop.await;
    Ok(exit::OK)
}

fn tell(event: &Event, as_json: bool) {
    match event {
        Event::Recorded { name, status } if as_json => {
            println!("{}", json!({ "recorded": name, "status": status }));
        }
        Event::Recorded { name, status } => println!("{status}  {name}"),
        Event::NotRecorded(why) if as_json => println!("{}", json!({ "not_recorded": why })),
        Event::NotRecorded(why) => eprintln!("not recorded: {why}"),
    }
}

/// `workshop env` in this terminal would send AWS's documentation example key to real AWS.
fn refuse_the_example_key(credentials: &Credentials) -> anyhow::Result<()> {
    let example = Config::default().credentials;
    if let Credentials::Keys { access_key_id, .. } = credentials
        && example.iter().any(|c| c.access_key_id == *access_key_id)
    {
        bail!(
            "AWS_ACCESS_KEY_ID is the emulator's example key, which real Bedrock does not know. \
             Start this in a terminal without `workshop env`, or name a profile with --profile"
        );
    }
    Ok(())
}

/// Says where requests go and what they cost, and asks.
fn may_spend(region: &str, origin: &str, args: &cli::Record) -> anyhow::Result<bool> {
    let catalogue = Catalogue::built_in()?;
    eprintln!(
        "Real Amazon Bedrock in {region}, with {origin}:\n  \
         every request that reaches http://{} is sent there and billed to that account\n  \
         at most {} requests; more are refused before they leave (--max-requests)",
        args.addr,
        args.max_requests.unwrap_or(REQUESTS_MAX),
    );
    for alias in ["haiku", "sonnet", "opus"] {
        if let Some(model) = catalogue.by_alias(alias) {
            // Micro-USD for 1,000 tokens: thousandths of a dollar for a million.
            let usd = |micro: u32| f64::from(micro) / 1_000.0;
            eprintln!(
                "  {}: ${} for a million tokens in, ${} out",
                model.name,
                usd(model.price.input),
                usd(model.price.output)
            );
        }
    }
    eprintln!("  (list prices of {}; yours may differ)", catalogue.as_of);
    if args.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("nobody is here to say yes; add --yes to record without asking");
    }
    eprint!("Start? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Enough for a test suite, not for a bill that hurts.
const REQUESTS_MAX: u32 = 100;

/// `workshop record import`.
fn take_over(args: &cli::RecordImport) -> anyhow::Result<u8> {
    let (mut files, mut exchanges, mut failed) = (0, 0, 0);
    for file in files_of(&args.files)? {
        let read = fs::read_to_string(&file).map_err(anyhow::Error::from);
        let imported = match read.and_then(|text| Ok(import::read(&text)?)) {
            Ok(imported) => imported,
            Err(error) => {
                failed += 1;
                eprintln!("{}: {error:#}", file.display());
                continue;
            }
        };
        for reason in &imported.skipped {
            eprintln!("{}: skipped {reason}", file.display());
        }
        files += 1;
        exchanges += imported.exchanges.len();
        for exchange in imported.exchanges {
            let exchange = if args.keep_account_ids {
                exchange
            } else {
                scrub::accounts(exchange)
            };
            folder::append(&args.to, &exchange)?;
        }
    }
    println!(
        "{exchanges} exchanges of {files} files are in {0}; answer from them with\n  \
         workshop emulator --replay {0}",
        args.to.display()
    );
    if failed > 0 {
        eprintln!("{failed} files could not be imported; the reasons are above.");
        return Ok(exit::NOT_SOLVED);
    }
    Ok(exit::OK)
}

/// The files named, and those in the folders named, in order.
fn files_of(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            files.extend(files_in(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn files_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    let mut files = Vec::new();
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        let extension = path.extension().and_then(|e| e.to_str());
        if path.is_dir() {
            folders.push(path);
        } else if matches!(extension, Some("json" | "yaml" | "yml")) {
            files.push(path);
        }
    }
    files.sort_unstable();
    folders.sort_unstable();
    for folder in folders {
        files.extend(files_in(&folder)?);
    }
    Ok(files)
}
