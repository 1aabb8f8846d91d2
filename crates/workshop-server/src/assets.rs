//! Style sheet, scripts, fonts: built into the binary, cached for ever by their folder's name.
//!
//! The folder's name is a hash of all of them, so that scripts can import each other and the
//! style sheet can name its fonts by relative paths, and every change still has a new address.

use std::{
    fmt::Write as _,
    io::Write as _,
    sync::{LazyLock, OnceLock},
};

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// A year, the longest that caches honour.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Brotli's quality: 11 is 3 % smaller and takes ten times as long in a build for development.
const BROTLI_QUALITY: u32 = 9;

#[derive(Debug)]
struct Asset {
    path: &'static str,
    mime: &'static str,
    bytes: &'static [u8],
    /// In Brotli's best form, committed beside it: what is vendored is most of a page, and compressing
    /// it so takes seconds in a build for development.
    committed: Option<&'static [u8]>,
    brotli: OnceLock<Vec<u8>>,
    gzip: OnceLock<Vec<u8>>,
}

impl Asset {
    fn new(
        path: &'static str,
        mime: &'static str,
        bytes: &'static [u8],
        committed: Option<&'static [u8]>,
    ) -> Self {
        Self {
            path,
            mime,
            bytes,
            committed,
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }
}

macro_rules! assets {
    ($($path:literal: $mime:literal),+; vendored: $($vendored:literal),+ $(,)?) => {
        vec![
            // Its own file lies beside the renderer that writes the classes it colours.
            Asset::new(
                "diagram.css",
                "text/css; charset=utf-8",
                include_bytes!("../../workshop-diagrams/diagram.css"),
                None,
            ),
            $(Asset::new($path, $mime, include_bytes!(concat!("../assets/", $path)), None),)+
            $(Asset::new(
                $vendored,
                "text/javascript; charset=utf-8",
                include_bytes!(concat!("../assets/", $vendored)),
                Some(include_bytes!(concat!("../assets/", $vendored, ".br"))),
            ),)+
        ]
    };
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    assets! {
        "style.css": "text/css; charset=utf-8",
        "css/bedrock.css": "text/css; charset=utf-8",
        "css/preview.css": "text/css; charset=utf-8",
        "js/place.js": "text/javascript; charset=utf-8",
        "js/preview.js": "text/javascript; charset=utf-8",
        "css/agenda.css": "text/css; charset=utf-8",
        "css/search.css": "text/css; charset=utf-8",
        "css/home.css": "text/css; charset=utf-8",
        "css/map.css": "text/css; charset=utf-8",
        "css/reading.css": "text/css; charset=utf-8",
        "css/dashboards.css": "text/css; charset=utf-8",
        "css/playground.css": "text/css; charset=utf-8",
        "css/trace.css": "text/css; charset=utf-8",
        "icon.svg": "image/svg+xml",
        "css/bugs.css": "text/css; charset=utf-8",
        "js/bugs.js": "text/javascript; charset=utf-8",
        "js/theme.js": "text/javascript; charset=utf-8",
        "js/search.js": "text/javascript; charset=utf-8",
        "js/search-page.js": "text/javascript; charset=utf-8",
        "js/site.js": "text/javascript; charset=utf-8",
        "js/live.js": "text/javascript; charset=utf-8",
        "js/diagram.js": "text/javascript; charset=utf-8",
        "js/counts.js": "text/javascript; charset=utf-8",
        "js/zoom.js": "text/javascript; charset=utf-8",
        "css/zoom.css": "text/css; charset=utf-8",
        "js/keys.js": "text/javascript; charset=utf-8",
        "js/langs.js": "text/javascript; charset=utf-8",
        "js/playground.js": "text/javascript; charset=utf-8",
        "js/trace.js": "text/javascript; charset=utf-8",
        "js/code.js": "text/javascript; charset=utf-8",
        "js/exercise.js": "text/javascript; charset=utf-8",
        "js/editor.js": "text/javascript; charset=utf-8",
        "js/beside.js": "text/javascript; charset=utf-8",
        "js/checks.js": "text/javascript; charset=utf-8",
        "js/desk.js": "text/javascript; charset=utf-8",
        "js/panes.js": "text/javascript; charset=utf-8",
        "js/rust.js": "text/javascript; charset=utf-8",
        "css/exercise.css": "text/css; charset=utf-8",
        "fonts/atkinson.woff2": "font/woff2",
        "fonts/jetbrains-mono.woff2": "font/woff2";
        vendored: "vendor/codemirror.js", "vendor/minisearch.js", "vendor/highlight.js",
    }
});

/// How a body can be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Brotli.
    Brotli,
    /// gzip.
    Gzip,
}

impl Coding {
    /// As `Content-Encoding` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

impl Asset {
    /// Fonts are compressed already.
    fn is_text(&self) -> bool {
        !self.mime.starts_with("font/")
    }

    /// The packed form, if it is there already.
    fn packed(&self, coding: Coding) -> Option<&[u8]> {
        match coding {
            Coding::Brotli => self
                .committed
                .or_else(|| self.brotli.get().map(Vec::as_slice)),
            Coding::Gzip => self.gzip.get().map(Vec::as_slice),
        }
    }

    /// The packed form, made if it is not there. Whoever asks meanwhile waits for it.
    fn pack(&self, coding: Coding) -> &[u8] {
        match coding {
            Coding::Brotli => self
                .committed
                .unwrap_or_else(|| self.brotli.get_or_init(|| brotli(self.bytes))),
            Coding::Gzip => self.gzip.get_or_init(|| gzip(self.bytes)),
        }
    }
}

/// Compresses every text, so that later nobody waits for it. What is asked for before it had its turn is
/// compressed for that request: half a style sheet's time is less than a page that is twice as large.
pub fn compress_all() {
    for coding in [Coding::Brotli, Coding::Gzip] {
        for asset in ASSETS.iter().filter(|asset| asset.is_text()) {
            asset.pack(coding);
        }
    }
}

/// Writing into memory does not fail; if it did, what was written would be no whole body.
const WRITES_TO_MEMORY: &str = "memory takes every byte";

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut out, 4096, BROTLI_QUALITY, 22);
    writer.write_all(bytes).expect(WRITES_TO_MEMORY);
    drop(writer);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes).expect(WRITES_TO_MEMORY);
    writer.finish().expect(WRITES_TO_MEMORY)
}

/// `/assets/{hash of all}`: what pages put before an asset's path.
pub fn base() -> &'static str {
    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| {
        let mut hash = Sha256::new();
        for asset in ASSETS.iter() {
            hash.update(asset.path);
            hash.update(asset.bytes);
        }
        format!("/assets/{}", hex(&hash.finalize()[..8]))
    })
}

/// Every asset as address below the site's root and content, for pages that become files.
pub fn all() -> impl Iterator<Item = (String, &'static [u8])> {
    ASSETS.iter().map(|asset| {
        let address = format!("{}/{}", base(), asset.path);
        (address, asset.bytes)
    })
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// `GET /assets/{version}/{path}`.
pub async fn asset(Path((version, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let current = base().rsplit('/').next() == Some(version.as_str());
    let found = ASSETS.iter().find(|asset| asset.path == path);
    let Some(asset) = found.filter(|_| current) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let coding = coding_for(&headers).filter(|_| asset.is_text());
    let body = match coding {
        None => asset.bytes,
        Some(coding) => match asset.packed(coding) {
            Some(body) => body,
            None => match tokio::task::spawn_blocking(move || asset.pack(coding)).await {
                Ok(body) => body,
                Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            },
        },
    };
    let mut response = body.into_response();
    let mut set = |name, value| {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, asset.mime);
    set(header::CACHE_CONTROL, FOREVER);
    set(header::VARY, "accept-encoding");
    if let Some(coding) = coding {
        set(header::CONTENT_ENCODING, coding.name());
    }
    response
}

/// The best coding that the request takes.
pub(crate) fn coding_for(headers: &HeaderMap) -> Option<Coding> {
    let codings = [Coding::Brotli, Coding::Gzip];
    codings
        .into_iter()
        .find(|coding| accepts(headers, coding.name()))
}

/// Whether `Accept-Encoding` names that coding without ruling it out (`q=0`).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING);
    let mut named = lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    named.any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|p| matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        name.eq_ignore_ascii_case(coding) && !refused
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn accepting(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_refused_coding_is_not_chosen() {
        for (value, br, gzip) in [
            ("gzip, deflate, br", true, true),
            ("br;q=0, gzip;q=0.5", false, true),
            ("identity", false, false),
            ("", false, false),
        ] {
            let headers = accepting(value);
            assert_eq!(
                (accepts(&headers, "br"), accepts(&headers, "gzip")),
                (br, gzip),
                "for {value:?}"
            );
        }
    }

    #[test]
    fn packed_texts_are_smaller() {
        for asset in ASSETS.iter().filter(|asset| asset.is_text()) {
            for coding in [Coding::Brotli, Coding::Gzip] {
                let packed = asset.pack(coding);
                assert!(packed.len() < asset.bytes.len(), "{} grew", asset.path);
                assert_eq!(asset.packed(coding), Some(packed), "{}", asset.path);
            }
        }
    }

    /// `ASSETS_BLESS=1` writes the committed forms anew.
    #[test]
    fn committed_forms_are_what_they_stand_for() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        for asset in ASSETS.iter().filter(|asset| asset.committed.is_some()) {
            let file = folder.join(format!("{}.br", asset.path));
            if std::env::var_os("ASSETS_BLESS").is_some() {
                let mut out = Vec::new();
                let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 11, 22);
                writer.write_all(asset.bytes).unwrap();
                drop(writer);
                std::fs::write(&file, out).unwrap();
            }
            let mut text = Vec::new();
            let committed = std::fs::read(&file).unwrap();
            brotli::Decompressor::new(&committed[..], 4096)
                .read_to_end(&mut text)
                .unwrap();
            let path = asset.path;
            assert!(text == asset.bytes, "{path}.br is old: ASSETS_BLESS=1");
        }
    }
}
