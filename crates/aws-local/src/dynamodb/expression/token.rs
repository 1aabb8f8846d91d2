//! An expression as tokens.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `SET`, `size`, `attribute`: keywords, functions and names alike.
    Word,
    /// `#name`.
    Name,
    /// `:value`.
    Value,
    /// Digits.
    Number,
    /// `=`, `<>`, `(`, …
    Symbol,
    /// What begins no token.
    Odd,
    /// After the last one.
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    /// Where it ends.
    pub(super) fn end(&self) -> usize {
        if self.kind == Kind::End {
            self.start
        } else {
            self.start + self.text.len()
        }
    }

    /// Whether it is this keyword, in whatever case.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this symbol.
    pub(super) fn is(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }
}

/// All tokens, and one [`Kind::End`] behind them.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            at += 1;
            continue;
        }
        let (kind, length) = token(&text[at..], first);
        tokens.push(Token {
            kind,
            text: &text[at..at + length],
            start: at,
        });
        at += length;
    }
    let end = tokens.last().map_or(0, Token::end);
    tokens.push(Token {
        kind: Kind::End,
        text: "<EOF>",
        start: end,
    });
    tokens
}

/// The first token of a text that begins with `first`, which is no space.
fn token(text: &str, first: char) -> (Kind, usize) {
    let name_length = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        end.unwrap_or(text.len())
    };
    match first {
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Word, name_length(text)),
        '0'..='9' => {
            let end = text.find(|c: char| !c.is_ascii_digit());
            (Kind::Number, end.unwrap_or(text.len()))
        }
        '#' | ':' => match name_length(&text[1..]) {
            0 => (Kind::Odd, 1),
            length if first == '#' => (Kind::Name, 1 + length),
            length => (Kind::Value, 1 + length),
        },
        _ => {
            let symbols = [
                "<>", "<=", ">=", "<", ">", "=", "(", ")", ",", ".", "[", "]", "+", "-",
            ];
            let found = symbols.iter().find(|symbol| text.starts_with(**symbol));
            match found {
                Some(symbol) => (Kind::Symbol, symbol.len()),
                None => (Kind::Odd, first.len_utf8()),
            }
        }
    }
}
