//! `workshop record`: recordings for `workshop emulator --replay`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use bedrock_recordings::{folder, import, scrub};

use crate::{cli, exit};

pub(crate) fn run(args: &cli::Record) -> anyhow::Result<u8> {
    match &args.command {
        Some(cli::RecordCommand::Import(args)) => take_over(args),
        None => Ok(exit::OK),
    }
}

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
