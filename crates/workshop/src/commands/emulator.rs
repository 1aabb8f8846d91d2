//! `workshop emulator`: the emulator alone.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use aws_local::{Services, SystemClock};
use bedrock_emulator::{
    Config, Emulator,
    emulator::{Auth, Latency},
    journal::Entry,
    tape::{Miss, Tape},
};
use bedrock_endpoint::{Endpoint, Setup, Upstream};
use bedrock_recordings::folder;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    cli,
    emulator_config::{self, Settings},
    emulator_logs, emulator_script, exit,
    local::{self, Local},
    running::Running,
    shutdown,
    source::Source,
    tls,
};

pub(crate) async fn run(args: &cli::EmulatorArgs, source: &Source) -> anyhow::Result<u8> {
    if args.help_config {
        print!("{}", emulator_config::TEMPLATE);
        return Ok(exit::OK);
    }
    if args.local.help_local {
        print!("{}", local::TEMPLATE);
        return Ok(exit::OK);
    }
    let Settings {
        config,
        tls,
        upstream,
        scripts,
        vpc_endpoints,
    } = settings(args)?;
    // Read before anything listens: a mistake in a script is told at once.
    let files = scripts.iter().chain(&args.script);
    let mut documents = files
        .map(|path| emulator_script::read(path))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for keys in &args.fault {
        documents.push(emulator_script::fault(keys)?);
    }
    let local = Local::of(&args.local)?;
    let setup = Setup {
        tls: tls.then(tls::identity).transpose()?,
        upstream,
        ..Setup::default()
    };
    let services = Services::new(Arc::new(SystemClock));
    let endpoint = start(&services, config, args.addr, setup).await?;
    for (id, policy) in &vpc_endpoints {
        let set = endpoint.emulator().set_vpc_endpoint_policy(id, policy);
        set.with_context(|| format!("the policy of the VPC endpoint {id}"))?;
    }
    let beside = local.start(&services, &endpoint).await?;
    let rules = documents.iter().map(|d| d.replies.len() + d.faults.len());
    let rules: usize = rules.sum();
    for document in documents {
        endpoint.emulator().load(document);
    }
    let stop = shutdown::requested();
    let _announcement = Running {
        site: None,
        emulator: endpoint.addr(),
        pid: std::process::id(),
    }
    .announce(source.workspace.as_ref());
    let requests = (!args.quiet).then(|| endpoint.subscribe());
    if args.json {
        println!(
            "{}",
            json!({ "emulator": endpoint.url(), "tls": endpoint.tls_url() })
        );
    } else {
        println!("Bedrock emulator  {}", endpoint.url());
        match endpoint.tls_url() {
            Some(url) => tls::instructions(&url)?,
            None => println!("Point your tools at it:  eval \"$(workshop env)\""),
        }
        let control = format!("{}/_workshop/", endpoint.url());
        println!("Control API       {control}  (workshop emulator status; {control}openapi.json)");
        for (what, names) in beside {
            println!("{what:<16}  {names}");
        }
        if rules > 0 {
            println!("Scripted          {rules} replies and fault rules");
        }
        let below = if args.quiet {
            ""
        } else {
            " Requests appear below."
        };
        println!("Stop with Ctrl-C.{below}");
    }
    tokio::select! {
        () = stop => {}
        () = show_requests(requests, args.json) => {}
        () = emulator_logs::keep_writing(endpoint.emulator(), args.log_dir.as_deref()) => {}
    }
    emulator_logs::write(endpoint.emulator(), args.log_dir.as_deref());
    Ok(exit::OK)
}

/// The emulator on a socket, and these services beside it.
pub(crate) async fn start(
    services: &Services,
    mut config: Config,
    addr: SocketAddr,
    setup: Setup,
) -> anyhow::Result<Endpoint> {
    config.neighbours = services.neighbours();
    let emulator = Emulator::new(config).context("the emulator cannot start")?;
    let endpoint = Endpoint::open(addr, Arc::new(emulator), setup)
        .await
        .with_context(|| {
            format!(
                "the emulator cannot listen on {addr}; is another one running there? \
                 Choose another address, or port 0 for any free one"
            )
        })?;
    services.connect(endpoint.emulator(), &endpoint.url());
    Ok(endpoint)
}

fn settings(args: &cli::EmulatorArgs) -> anyhow::Result<Settings> {
    let mut settings = match &args.config {
        Some(path) => emulator_config::read(path)?,
        None => Settings::default(),
    };
    settings.tls |= args.tls;
    if let (Some(url), Some(model)) = (&args.upstream, &args.upstream_model) {
        settings.upstream = Some(Upstream::new(url, model));
    }
    let config = &mut settings.config;
    if args.auth == cli::AuthMode::Off {
        config.auth = Auth::Off;
    }
    if let Some(today) = &args.today {
        config.today = Some(emulator_config::day(today).context("--today")?);
    }
    if args.no_latency {
        config.latency = Latency::none();
    }
    if args.log_dir.is_some() {
        config.invocation_logging = true;
        config.log_bucket = Some(emulator_logs::BUCKET.to_owned());
    }
    if let Some(folder) = &args.replay {
        config.tape = Some(Arc::new(tape(folder, args.replay_mode)?));
    }
    Ok(settings)
}

/// The recordings of that folder.
fn tape(folder: &Path, mode: cli::ReplayMode) -> anyhow::Result<Tape> {
    let recordings = folder::read(folder).context("--replay")?;
    if recordings.is_empty() {
        bail!(
            "--replay: there are no recordings in {}; `workshop record --to {0}` makes some",
            folder.display()
        );
    }
    let miss = match mode {
        cli::ReplayMode::Strict => Miss::Refuse,
        cli::ReplayMode::Fallback => Miss::Answer,
    };
    Ok(Tape::new(recordings, miss))
}

/// Prints requests as they come, or waits for ever when they are not to be printed.
async fn show_requests(requests: Option<Receiver<Arc<Entry>>>, as_json: bool) {
    let Some(mut requests) = requests else {
        return std::future::pending().await;
    };
    loop {
        match requests.recv().await {
            Ok(entry) if as_json => {
                if let Ok(line) = serde_json::to_string(&*entry) {
                    println!("{line}");
                }
            }
            Ok(entry) => println!("{}", line(&entry)),
            Err(RecvError::Lagged(missed)) => eprintln!("({missed} requests not shown)"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// `  1  200  Converse  us.anthropic…  12 in, 40 out  end_turn`.
fn line(entry: &Entry) -> String {
    let operation = entry.operation.as_deref().unwrap_or(&entry.target);
    let model = entry.model.as_deref().unwrap_or("-");
    let mut parts = vec![
        format!("{:>4}", entry.seq),
        entry.status.to_string(),
        operation.to_owned(),
        model.to_owned(),
    ];
    if let Some(usage) = entry.usage {
        parts.push(format!("{} in, {} out", usage.input, usage.output));
    }
    parts.extend(entry.stop_reason.clone());
    parts.extend(entry.error.clone());
    parts.extend(entry.message.clone());
    parts.extend(entry.note.clone());
    parts.join("  ")
}
