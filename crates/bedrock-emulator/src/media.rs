//! Images, documents and other media in a request, as far as answers, caching, counting and
//! validation need them. Nothing here decodes a picture: its header says how large it is.

use crate::answer::tokens;

/// An image.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Image {
    pub(crate) media: Media,
    /// Width and height in pixels, if the header of a PNG, JPEG, GIF or WebP says so.
    pub(crate) pixels: Option<(usize, usize)>,
}

/// A document.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) media: Media,
    /// What it says, if it is text; a PDF's or a spreadsheet's text is not extracted.
    pub(crate) text: String,
    /// What the caller says about it.
    pub(crate) context: Option<String>,
    /// Whether the answer shall cite it.
    pub(crate) citations: bool,
}

/// Bytes of some format from some source.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Media {
    /// As Converse spells it: `png`, `pdf`, `txt`, …; empty when it was not sent.
    pub(crate) format: String,
    pub(crate) source: Source,
    /// The decoded bytes; empty unless the source is [`Source::Bytes`].
    pub(crate) data: Vec<u8>,
}

/// Where the bytes come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Source {
    /// No source was sent.
    #[default]
    None,
    /// Base64 in the request.
    Bytes,
    /// Plain text in the request.
    Text,
    /// Content blocks in the request.
    Content,
    /// An object in S3.
    S3(String),
    /// A URL (Messages only).
    Url(String),
}

impl Image {
    pub(crate) fn new(media: Media) -> Self {
        let pixels = imagesize::blob_size(&media.data).ok();
        Self {
            pixels: pixels.map(|size| (size.width, size.height)),
            media,
        }
    }

    /// Anthropic documents width × height / 750, up to about 1,600 for the largest picture it does
    /// not scale down. Without a readable header the number of bytes stands in.
    pub(crate) fn tokens(&self) -> u32 {
        let units = match self.pixels {
            Some((width, height)) => width.saturating_mul(height),
            None => self.media.data.len(),
        };
        u32::try_from(units.div_ceil(750)).map_or(1_600, |n| n.clamp(1, 1_600))
    }
}

impl Document {
    /// A document whose bytes are text in one of the formats that are, and opaque otherwise.
    pub(crate) fn new(name: String, mut media: Media) -> Self {
        let mut text = String::new();
        if ["txt", "md", "html", "csv"].contains(&media.format.as_str()) {
            let data = std::mem::take(&mut media.data);
            text = String::from_utf8(data)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        }
        Self {
            name,
            media,
            text,
            ..Self::default()
        }
    }

    /// Its text, or for what is not text: of a PDF's page the words, about 1,000 tokens, and if it
    /// shall be cited its picture too (recorded: 70 for an almost empty page, 1,300 and more for a
    /// full one; documented: 1,500 to 3,000 with the picture). Office files are packed text.
    pub(crate) fn tokens(&self) -> u32 {
        let name = tokens::count(&self.name);
        let context = self.context.as_deref().map_or(0, tokens::count);
        let page = if self.citations { 2_500 } else { 1_000 };
        let opaque = match self.media.format.as_str() {
            _ if self.media.data.is_empty() => 0,
            "pdf" => pages(&self.media.data).saturating_mul(page),
            _ => u32::try_from(self.media.data.len().div_ceil(100)).unwrap_or(u32::MAX),
        };
        (name + context)
            .saturating_add(tokens::count(&self.text))
            .saturating_add(opaque)
    }
}

/// Page objects in a PDF, at least one: `/Type /Page`, not `/Pages`.
fn pages(pdf: &[u8]) -> u32 {
    let mut found = 0_u32;
    let mut rest = pdf;
    while let Some(at) = rest.iter().position(|byte| *byte == b'/') {
        rest = &rest[at + 1..];
        let Some(value) = rest.strip_prefix(b"Type") else {
            continue;
        };
        let is_page = value.trim_ascii_start().strip_prefix(b"/Page");
        if is_page.is_some_and(|tail| !tail.first().is_some_and(u8::is_ascii_alphanumeric)) {
            found = found.saturating_add(1);
        }
    }
    found.max(1)
}

#[cfg(test)]
mod tests {
    use super::{Document, Image, Media, Source, pages};

    fn media(format: &str, data: &[u8]) -> Media {
        Media {
            format: format.to_owned(),
            source: Source::Bytes,
            data: data.to_vec(),
        }
    }

    #[test]
    fn a_header_says_how_large_a_picture_is() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 3, 0xE8, 0, 0, 2, 0xEE, 8, 6, 0, 0, 0]);
        let image = Image::new(media("png", &png));
        assert_eq!(image.pixels, Some((1_000, 750)));
        assert_eq!(image.tokens(), 1_000);
        let gif = b"GIF89a\x0A\0\x05\0\0\0\0";
        assert_eq!(Image::new(media("gif", gif)).pixels, Some((10, 5)));
        let broken = Image::new(media("png", b"not a picture"));
        assert_eq!((broken.pixels, broken.tokens()), (None, 1));
    }

    #[test]
    fn text_is_read_and_pages_are_counted() {
        let text = Document::new("notes".to_owned(), media("txt", "Grüße".as_bytes()));
        assert_eq!(text.text, "Grüße");
        let pdf = b"%PDF-1.4 <</Type /Pages /Count 2>> <</Type/Page>> <</Type /Page\n>>";
        assert_eq!(pages(pdf), 2);
        let mut pdf = Document::new("a".to_owned(), media("pdf", pdf));
        assert_eq!(pdf.tokens(), 2_001);
        pdf.citations = true;
        assert_eq!(pdf.tokens(), 5_001);
    }
}
