//! Text, characters and numbers of RON. In: the parser at the first character of a literal. Out: its value.

use std::borrow::Cow;

use super::{Kind, Parser, SyntaxError, is_word_char};

impl<'t> Parser<'t> {
    pub(super) fn raw_text_ahead(&self) -> bool {
        let rest = self.rest().trim_start_matches('r');
        self.rest().len() == rest.len() + 1 && rest.trim_start_matches('#').starts_with('"')
    }

    /// `r"…"`, `r#"…"#`
    pub(super) fn raw_text(&mut self) -> Result<Cow<'t, str>, SyntaxError> {
        let start = self.at;
        let rest = self.rest().get(1..).unwrap_or("");
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let body_at = start + 1 + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        let body = self.text.get(body_at..).unwrap_or("");
        match body.find(&end) {
            Some(len) => {
                self.at = body_at + len + end.len();
                Ok(Cow::Borrowed(body.get(..len).unwrap_or("")))
            }
            None => {
                let hint = format!("end it with `{end}`");
                Err(self.error(start..body_at.min(self.text.len()), "this text is never closed", Some(hint)))
            }
        }
    }

    pub(super) fn text_literal(&mut self) -> Result<Cow<'t, str>, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut owned: Option<String> = None;
        loop {
            let rest = self.rest();
            let Some(len) = rest.find(['"', '\\']) else {
                let hint = "end it with `\"`".to_owned();
                return Err(self.error(start..start + 1, "this text is never closed", Some(hint)));
            };
            let plain = rest.get(..len).unwrap_or("");
            self.at += len;
            if self.take('"') {
                return Ok(match owned {
                    Some(mut text) => {
                        text.push_str(plain);
                        Cow::Owned(text)
                    }
                    None => Cow::Borrowed(plain),
                });
            }
            let text = owned.get_or_insert_with(String::new);
            text.push_str(plain);
            let escaped = self.escape()?;
            text.push(escaped);
        }
    }

    pub(super) fn char_literal(&mut self) -> Result<Kind<'t>, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some('\\') => self.escape()?,
            Some(c) if c != '\'' && c != '\n' => {
                self.at += c.len_utf8();
                c
            }
            _ => '\'',
        };
        if !self.take('\'') {
            let hint = "text stands in double quotes: `\"…\"`".to_owned();
            return Err(self.error(start..start + 1, "this is not a single character", Some(hint)));
        }
        Ok(Kind::Char(c))
    }

    /// At a backslash.
    fn escape(&mut self) -> Result<char, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek();
        self.at += letter.map_or(0, char::len_utf8);
        let simple = match letter {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('0') => Some('\0'),
            Some(c @ ('\\' | '"' | '\'')) => Some(c),
            Some('x') => self.hex(2).and_then(|code| (code < 0x80).then_some(code)).and_then(char::from_u32),
            Some('u') if self.take('{') => {
                let digits = self.rest().find('}').filter(|len| (1..=6).contains(len));
                let code = digits.and_then(|len| self.hex(len));
                if self.take('}') { code.and_then(char::from_u32) } else { None }
            }
            _ => None,
        };
        simple.ok_or_else(|| {
            let hint = r#"known are \n \r \t \0 \\ \" \' \x41 and \u{20ac}; or write raw text: r"…""#.to_owned();
            self.error(start..self.at.max(start + 1), "this escape is not known", Some(hint))
        })
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text = self.rest().get(..digits).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += digits;
        u32::from_str_radix(text, 16).ok()
    }

    pub(super) fn number(&mut self) -> Result<Kind<'t>, SyntaxError> {
        let start = self.at;
        let rest = self.rest();
        let mut len = 0;
        let bytes = rest.as_bytes();
        while let Some(&byte) = bytes.get(len) {
            let after_exponent = len > 0 && matches!(bytes.get(len - 1), Some(b'e' | b'E')) && !rest.starts_with("0x");
            let sign = matches!(byte, b'+' | b'-') && (len == 0 || after_exponent);
            if !(sign || byte == b'.' || is_word_char(char::from(byte))) {
                break;
            }
            len += 1;
        }
        self.at += len;
        let text = rest.get(..len).unwrap_or("");
        self.parse_number(text).ok_or_else(|| {
            self.error(start..start + len.max(1), format!("`{text}` is not a number"), None)
        })
    }

    fn parse_number(&self, text: &str) -> Option<Kind<'t>> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let negative = text.starts_with('-');
        match unsigned {
            "inf" => return Some(Kind::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY })),
            "NaN" => return Some(Kind::Float(f64::NAN)),
            _ => {}
        }
        if let Some(hex) = unsigned.strip_prefix("0x") {
            let fine = !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
            let value = i128::from(fine.then(|| u64::from_str_radix(hex, 16).ok()).flatten()?);
            return Some(Kind::Integer(if negative { -value } else { value }));
        }
        // Underscores stand between digits only: `1_000`.
        let digits = unsigned.as_bytes();
        let is_digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
        for (at, _) in digits.iter().enumerate().filter(|(_, byte)| **byte == b'_') {
            if !(at > 0 && is_digit(digits.get(at - 1)) && is_digit(digits.get(at + 1))) {
                return None;
            }
        }
        let plain: Cow<'_, str> = if unsigned.contains('_') { unsigned.replace('_', "").into() } else { unsigned.into() };
        if plain.bytes().all(|b| b.is_ascii_digit()) && !plain.is_empty() {
            if let Ok(value) = plain.parse::<i64>() {
                return Some(Kind::Integer(if negative { -i128::from(value) } else { i128::from(value) }));
            }
        } else if !plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) {
            return None;
        }
        let value: f64 = plain.parse().ok()?;
        Some(Kind::Float(if negative { -value } else { value }))
    }
}
