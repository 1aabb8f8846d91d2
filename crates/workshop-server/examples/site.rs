//! Serves a course folder with an emulator beside it, for trying pages without the command line:
//! `cargo run -p workshop-server --example site -- crates/workshop-server/tests/fixture`.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use bedrock_emulator::{Config, Emulator};
use bedrock_endpoint::Endpoint;
use workshop_runner::{CheckOptions, Workspace};
use workshop_server::{Site, SiteConfig, Source};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let course = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let emulator = Arc::new(Emulator::new(Config::default())?);
    let endpoint = Arc::new(Endpoint::bind(any, emulator).await?);
    let mut site = Site::start(SiteConfig {
        addr: SocketAddr::from(([127, 0, 0, 1], port)),
        source: Source::Folder(course.clone()),
        workspace: Some(Workspace::at(course)),
        check: CheckOptions::default(),
        emulator: Some(Arc::clone(&endpoint)),
        beside: None,
        renderer: None,
        preview: false,
        exported: false,
        base_url: None,
    })
    .await?;
    println!(
        "{{\"site\":\"{}\",\"login\":\"{}\",\"emulator\":\"{}\"}}",
        site.url,
        site.login_url,
        endpoint.url()
    );
    site.ended().await;
    Ok(())
}
