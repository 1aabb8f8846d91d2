//! How wide words are in the site's font, so that boxes fit them.
//!
//! A table instead of the font file: the drawing must not depend on what is installed. The widths
//! are those of Atkinson Hyperlegible Next, the wider one of weights 400 and 600.

/// Advance widths of U+0020 to U+007E, in thousandths of the font size.
const ADVANCES: [u16; 95] = [
    303, 298, 362, 730, 604, 953, 731, 195, 324, 324, 485, 606, 252, 369, 253, 424, 656, 430, 569,
    592, 621, 602, 617, 529, 621, 595, 253, 253, 564, 628, 564, 526, 780, 662, 634, 654, 683, 589,
    562, 711, 699, 415, 546, 654, 548, 848, 710, 737, 617, 747, 639, 604, 592, 690, 628, 877, 666,
    627, 615, 333, 424, 344, 573, 391, 274, 544, 587, 502, 586, 555, 349, 582, 565, 285, 255, 536,
    301, 870, 565, 567, 587, 591, 368, 497, 360, 559, 509, 723, 522, 499, 492, 370, 249, 370, 555,
];

/// Any other character: as wide as a wide letter.
const OTHER: u16 = 900;

/// Room for a fallback font that runs wider.
const SAFETY: f64 = 1.06;

/// Width of one line of text, in the unit of `font_size`.
pub(crate) fn width(text: &str, font_size: f64) -> f64 {
    let thousandths: u32 = text.chars().map(|c| u32::from(advance(c))).sum();
    f64::from(thousandths) / 1000.0 * font_size * SAFETY
}

fn advance(c: char) -> u16 {
    let index = u32::from(c).wrapping_sub(0x20);
    usize::try_from(index)
        .ok()
        .and_then(|index| ADVANCES.get(index).copied())
        .unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_width_of_their_letters() {
        assert!((width("", 16.0)).abs() < f64::EPSILON);
        assert!(width("iii", 16.0) < width("WWW", 16.0));
        assert!((width("AA", 16.0) - 2.0 * width("A", 16.0)).abs() < 1e-9);
        assert!(width("→é", 16.0) > 0.0);
    }
}
