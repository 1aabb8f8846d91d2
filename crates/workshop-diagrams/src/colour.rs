//! Colours an author gives a node, and which words can be read on them.

/// sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

/// The site's dark text colour.
const INK: Rgb = Rgb(0x17, 0x20, 0x2a);
const WHITE: Rgb = Rgb(255, 255, 255);

/// WCAG 2 level AA for text.
const CONTRAST_MIN: f64 = 4.5;

/// The names that Mermaid texts commonly use.
const NAMES: [(&str, Rgb); 20] = [
    ("black", Rgb(0, 0, 0)),
    ("white", WHITE),
    ("red", Rgb(255, 0, 0)),
    ("green", Rgb(0, 128, 0)),
    ("blue", Rgb(0, 0, 255)),
    ("yellow", Rgb(255, 255, 0)),
    ("orange", Rgb(255, 165, 0)),
    ("purple", Rgb(128, 0, 128)),
    ("pink", Rgb(255, 192, 203)),
    ("gray", Rgb(128, 128, 128)),
    ("grey", Rgb(128, 128, 128)),
    ("lightgray", Rgb(211, 211, 211)),
    ("lightgrey", Rgb(211, 211, 211)),
    ("lightblue", Rgb(173, 216, 230)),
    ("lightgreen", Rgb(144, 238, 144)),
    ("lightyellow", Rgb(255, 255, 224)),
    ("navy", Rgb(0, 0, 128)),
    ("teal", Rgb(0, 128, 128)),
    ("silver", Rgb(192, 192, 192)),
    ("gold", Rgb(255, 215, 0)),
];

impl Rgb {
    /// `#f90`, `#ff9900`, `rgb(255, 153, 0)` or a common name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(hex) = text.strip_prefix('#') {
            return Self::from_hex(hex);
        }
        if let Some(list) = text.strip_prefix("rgb(").and_then(|t| t.strip_suffix(')')) {
            let mut parts = list.split(',').map(|p| p.trim().parse::<u8>());
            let rgb = (parts.next()?, parts.next()?, parts.next()?);
            return match (rgb, parts.next()) {
                ((Ok(r), Ok(g), Ok(b)), None) => Some(Self(r, g, b)),
                _ => None,
            };
        }
        NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, rgb)| *rgb)
    }

    fn from_hex(hex: &str) -> Option<Self> {
        let digits: Vec<u8> = hex
            .chars()
            .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect::<Option<_>>()?;
        match digits[..] {
            [r, g, b] => Some(Self(r * 17, g * 17, b * 17)),
            [_, _, _, _, _, _] => {
                let byte = |i: usize| digits[i] * 16 + digits[i + 1];
                Some(Self(byte(0), byte(2), byte(4)))
            }
            _ => None,
        }
    }

    /// As SVG takes it.
    pub(crate) fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// Relative luminance (WCAG 2).
    fn luminance(self) -> f64 {
        let channel = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(self.0) + 0.7152 * channel(self.1) + 0.0722 * channel(self.2)
    }
}

/// Contrast ratio of two colours, 1 to 21 (WCAG 2).
pub(crate) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (a.luminance(), b.luminance());
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Class of a text on that fill. An author's own text colour is only a hint, and often wrong; this
/// always reaches level AA, because black or white does on every fill.
pub(crate) fn text_class(fill: Rgb) -> &'static str {
    let (light, dark) = (contrast(fill, WHITE), contrast(fill, INK));
    if light >= CONTRAST_MIN && light >= dark {
        "on-dark"
    } else if dark >= CONTRAST_MIN {
        "on-light"
    } else {
        "on-mid"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_in_the_forms_mermaid_texts_use() {
        let orange = Some(Rgb(255, 153, 0));
        for text in ["#f90", "#FF9900", "rgb(255, 153, 0)"] {
            assert_eq!(Rgb::parse(text), orange, "{text}");
        }
        for text in [
            "",
            "#12",
            "#gggggg",
            "rgb(1,2)",
            "rgb(1,2,3,4)",
            "nocolour",
            "#é12",
        ] {
            assert_eq!(Rgb::parse(text), None, "{text}");
        }
    }

    #[test]
    fn words_can_be_read_on_every_fill() {
        assert_eq!(text_class(Rgb(0xff, 0x99, 0)), "on-light");
        assert_eq!(text_class(Rgb(0x14, 0x6e, 0xb4)), "on-dark");
        assert_eq!(text_class(Rgb(0x23, 0x2f, 0x3e)), "on-dark");
        for grey in 0..=255 {
            let fill = Rgb(grey, grey, grey);
            let text = match text_class(fill) {
                "on-dark" => WHITE,
                "on-light" => INK,
                _ => Rgb(0, 0, 0),
            };
            assert!(contrast(fill, text) >= CONTRAST_MIN, "{grey}");
        }
    }
}
