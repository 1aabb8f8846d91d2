//! Files of model invocation logs, written where `--log-dir` says: a folder stands for S3.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use bedrock_emulator::{Emulator, observe::LogFile};
use flate2::{Compression, write::GzEncoder};

/// AWS gathers records for minutes; a student does not want to wait.
const EVERY: Duration = Duration::from_secs(1);

/// The bucket of logging that `--log-dir` switched on.
pub(crate) const BUCKET: &str = "bedrock-logs";

/// Writes what is due again and again; never returns.
pub(crate) async fn keep_writing(emulator: &Emulator, folder: Option<&Path>) {
    loop {
        tokio::time::sleep(EVERY).await;
        write(emulator, folder);
    }
}

/// Writes what is due. Without a folder nobody takes it, and delivery fails as the metrics say.
pub(crate) fn write(emulator: &Emulator, folder: Option<&Path>) {
    let Some(folder) = folder else { return };
    for file in emulator.log_files() {
        if let Err(error) = write_file(folder, &file) {
            let path = folder.join(&file.path);
            eprintln!(
                "invocation logs are lost: cannot write {}: {error}",
                path.display()
            );
        }
    }
}

fn write_file(folder: &Path, file: &LogFile) -> io::Result<()> {
    let path = folder.join(&file.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut packed = GzEncoder::new(File::create(path)?, Compression::default());
    packed.write_all(file.text.as_bytes())?;
    packed.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn files_are_packed_and_stand_at_their_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = LogFile {
            path: "bucket/AWSLogs/x.json.gz".to_owned(),
            text: "{}\n".to_owned(),
        };
        write_file(folder.path(), &file).unwrap();
        let packed = File::open(folder.path().join(&file.path)).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "{}\n");
    }
}
