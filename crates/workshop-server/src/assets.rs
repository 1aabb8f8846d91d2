//! Style sheet, scripts, fonts: built into the binary, cached for ever by their folder's name.
//!
//! The folder's name is a hash of all of them, so that scripts can import each other and the
//! style sheet can name its fonts by relative paths, and every change still has a new address.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    sync::OnceLock,
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

/// For the one asset that is most of its page, they are worth it.
const LARGE: usize = 200_000;

#[derive(Debug)]
struct Asset {
    path: &'static str,
    mime: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($path:literal: $mime:literal),+ $(,)?) => {
        &[
            // Its own file lies beside the renderer that writes the classes it colours.
            Asset {
                path: "diagram.css",
                mime: "text/css; charset=utf-8",
                bytes: include_bytes!("../../workshop-diagrams/diagram.css"),
            },
            $(Asset {
                path: $path,
                mime: $mime,
                bytes: include_bytes!(concat!("../assets/", $path)),
            }),+
        ]
    };
}

static ASSETS: &[Asset] = assets! {
    "style.css": "text/css; charset=utf-8",
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
    "js/keys.js": "text/javascript; charset=utf-8",
    "js/langs.js": "text/javascript; charset=utf-8",
    "js/playground.js": "text/javascript; charset=utf-8",
    "js/trace.js": "text/javascript; charset=utf-8",
    "js/code.js": "text/javascript; charset=utf-8",
    "js/exercise.js": "text/javascript; charset=utf-8",
    "js/editor.js": "text/javascript; charset=utf-8",
    "js/checks.js": "text/javascript; charset=utf-8",
    "js/desk.js": "text/javascript; charset=utf-8",
    "js/panes.js": "text/javascript; charset=utf-8",
    "js/rust.js": "text/javascript; charset=utf-8",
    "css/exercise.css": "text/css; charset=utf-8",
    "vendor/codemirror.js": "text/javascript; charset=utf-8",
    "vendor/minisearch.js": "text/javascript; charset=utf-8",
    "vendor/highlight.js": "text/javascript; charset=utf-8",
    "fonts/atkinson.woff2": "font/woff2",
    "fonts/jetbrains-mono.woff2": "font/woff2",
};

/// Smaller forms of one asset; `None` where compressing gains nothing.
#[derive(Debug, Default)]
struct Packed {
    brotli: Option<Vec<u8>>,
    gzip: Option<Vec<u8>>,
}

static PACKED: OnceLock<Vec<Packed>> = OnceLock::new();

/// Compresses every text once. Until it is done, assets are sent as they are; the caller runs it
/// beside the server so that nobody waits for it.
pub fn compress_all() {
    PACKED.get_or_init(|| ASSETS.iter().map(pack).collect());
}

fn pack(asset: &Asset) -> Packed {
    // Fonts are compressed already.
    if asset.mime.starts_with("font/") {
        return Packed::default();
    }
    Packed {
        brotli: brotli(asset.bytes).ok(),
        gzip: gzip(asset.bytes).ok(),
    }
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let quality = if bytes.len() > LARGE {
        11
    } else {
        BROTLI_QUALITY
    };
    let mut writer = brotli::CompressorWriter::new(&mut out, 4096, quality, 22);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(out)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes)?;
    writer.finish()
}

/// `/assets/{hash of all}`: what pages put before an asset's path.
pub fn base() -> &'static str {
    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| {
        let mut hash = Sha256::new();
        for asset in ASSETS {
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
    let found = ASSETS.iter().position(|asset| asset.path == path);
    let Some(index) = found.filter(|_| current) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let asset = &ASSETS[index];
    let (encoding, body) = choose(index, asset.bytes, &headers);
    let mut response = body.into_response();
    let mut set = |name, value| {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, asset.mime);
    set(header::CACHE_CONTROL, FOREVER);
    set(header::VARY, "accept-encoding");
    if let Some(encoding) = encoding {
        set(header::CONTENT_ENCODING, encoding);
    }
    response
}

fn choose(
    index: usize,
    plain: &'static [u8],
    headers: &HeaderMap,
) -> (Option<&'static str>, &'static [u8]) {
    let packed = PACKED.get().and_then(|all| all.get(index));
    let forms = [
        ("br", packed.and_then(|p| p.brotli.as_deref())),
        ("gzip", packed.and_then(|p| p.gzip.as_deref())),
    ];
    forms
        .into_iter()
        .filter_map(|(name, bytes)| Some((name, bytes?)))
        .find(|(name, _)| accepts(headers, name))
        .map_or((None, plain), |(name, bytes)| (Some(name), bytes))
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
    fn packed_texts_are_smaller_and_fonts_are_left_alone() {
        for asset in ASSETS {
            let packed = pack(asset);
            let text = !asset.mime.starts_with("font/");
            for form in [&packed.brotli, &packed.gzip] {
                assert_eq!(form.is_some(), text, "{}", asset.path);
                let shorter = form.as_ref().is_none_or(|b| b.len() < asset.bytes.len());
                assert!(shorter, "{} grew", asset.path);
            }
        }
    }
}
