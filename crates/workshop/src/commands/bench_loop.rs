//! pending
use crate::{cli, source::Source};
pub(crate) fn run(args: &cli::BenchLoop, source: &Source) -> anyhow::Result<u8> {
    let _ = (args, source);
    anyhow::bail!("pending")
}
