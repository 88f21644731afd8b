//! Reads a file as text, however it was written. In: bytes. Out: UTF-8, and what the bytes are if they are no text. Never
//! looks at cells: [`cell`] is for a single one that is no UTF-8.

use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom};

pub(super) trait Input: Read + Seek {}

impl<T: Read + Seek> Input for T {}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    /// Or one that agrees with it in ASCII.
    Utf8,
    Utf16 {
        is_big: bool,
    },
}

/// A file as UTF-8, as long as it was when it was opened.
pub(super) struct Source<'s> {
    input: Box<dyn Input + 's>,
    pub encoding: Encoding,
    /// Behind the byte order mark.
    start: u64,
    len: u64,
    left: u64,
    /// Text that is not taken yet, from `at` on.
    text: Vec<u8>,
    at: usize,
    /// Of UTF-16: an odd byte, and the first half of a pair.
    odd: Option<u8>,
    high: Option<u16>,
    /// Of what was read so far.
    pub last: u8,
    pub has_open_quote: bool,
}

impl<'s> Source<'s> {
    pub fn open(mut input: impl Input + 's) -> io::Result<Self> {
        let len = input.seek(SeekFrom::End(0))?;
        input.rewind()?;
        let mut head = Vec::new();
        input.by_ref().take(256).read_to_end(&mut head)?;
        let (encoding, start) = encoding(&head);
        let input = Box::new(input);
        let (text, odd, high) = (Vec::new(), None, None);
        let mut source =
            Self { input, encoding, start, len, left: 0, text, at: 0, odd, high, last: 0, has_open_quote: false };
        source.rewind(0)?;
        Ok(source)
    }

    /// Reads again, from a byte of the text on.
    pub fn rewind(&mut self, from: u64) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(self.start))?;
        self.left = self.len - self.start;
        self.text.clear();
        (self.at, self.odd, self.high, self.last) = (0, None, None, 0);
        io::copy(&mut self.by_ref().take(from), &mut io::sink())?;
        self.has_open_quote = false;
        Ok(())
    }

    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        let mut bytes = vec![0; 1 << 15];
        while self.text.is_empty() && self.left > 0 {
            let most = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let count = self.input.read(&mut bytes[..most])?;
            self.left = if count == 0 { 0 } else { self.left - count as u64 };
            match self.encoding {
                Encoding::Utf8 => self.text.extend_from_slice(&bytes[..count]),
                Encoding::Utf16 { is_big } => self.utf16(&bytes[..count], is_big),
            }
        }
        if self.left == 0 && (self.odd.take().is_some() | self.high.take().is_some()) {
            self.text.extend_from_slice("\u{fffd}".as_bytes());
        }
        Ok(())
    }

    fn utf16(&mut self, bytes: &[u8], is_big: bool) {
        let mut put = |c: char| self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        for byte in bytes {
            let Some(first) = self.odd.take() else {
                self.odd = Some(*byte);
                continue;
            };
            let pair = [first, *byte];
            let unit = if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
            let units = self.high.take().into_iter().chain([unit]);
            let is_high = (0xd800..0xdc00).contains(&unit);
            if is_high {
                // The one before it, if any, has no second half.
                units.take_while(|one| *one != unit).for_each(|_| put('\u{fffd}'));
                self.high = Some(unit);
                continue;
            }
            char::decode_utf16(units).for_each(|c| put(c.unwrap_or('\u{fffd}')));
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.fill()?;
        }
        let count = into.len().min(self.text.len() - self.at);
        let taken = &self.text[self.at..self.at + count];
        into[..count].copy_from_slice(taken);
        self.last = taken.last().copied().unwrap_or(self.last);
        self.has_open_quote ^= memchr::memchr_iter(b'"', taken).count() % 2 == 1;
        self.at += count;
        Ok(count)
    }
}

fn encoding(head: &[u8]) -> (Encoding, u64) {
    match head {
        [0xef, 0xbb, 0xbf, ..] => return (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => return (Encoding::Utf16 { is_big: false }, 2),
        [0xfe, 0xff, ..] => return (Encoding::Utf16 { is_big: true }, 2),
        _ => {}
    }
    // Without a mark: headers are mostly ASCII, so that every other byte is 0.
    let pairs = head.len() / 2;
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    match (zeros(0), zeros(1)) {
        (0, n) if pairs >= 4 && n * 4 >= pairs * 3 => (Encoding::Utf16 { is_big: false }, 0),
        (n, 0) if pairs >= 4 && n * 4 >= pairs * 3 => (Encoding::Utf16 { is_big: true }, 0),
        _ => (Encoding::Utf8, 0),
    }
}

/// What a file is that is no text, and what to do with it.
pub(super) fn foreign(head: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 11] = [
        (b"PK\x03\x04", "a ZIP file, probably a spreadsheet (.xlsx, .ods): save the sheet as CSV and import that"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls): save the sheet as CSV and import that"),
        (b"\x1f\x8b", "packed with gzip: unpack it first"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first"),
        (b"BZh", "packed with bzip2: unpack it first"),
        (b"PAR1", "a Parquet file: convert it to CSV first"),
        (b"\x89MCAP", "an MCAP file: `pollux import mcap` reads it"),
        (b"SQLite format 3", "a SQLite database: export the table as CSV first"),
        (b"\xff\xfe\0\0", "text in UTF-32: save it as UTF-8"),
        (b"\0\0\xfe\xff", "text in UTF-32: save it as UTF-8"),
        (b"%PDF", "a PDF: export the table as CSV first"),
    ];
    KINDS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| *what)
}

/// A cell as text; whether it was no UTF-8, and was read as Windows-1252, which holds Latin-1.
pub(super) fn cell(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (bytes.iter().map(|byte| windows_1252(*byte)).collect::<String>().into(), true),
    }
}

fn windows_1252(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => UPPER[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(bytes: Vec<u8>) -> String {
        let mut source = Source::open(Cursor::new(bytes)).expect("a source");
        let (mut first, mut again) = (String::new(), String::new());
        source.read_to_string(&mut first).expect("text");
        source.rewind(0).expect("a second time");
        source.read_to_string(&mut again).expect("text");
        assert_eq!(first, again);
        first
    }

    #[test]
    fn every_unicode_is_read_with_and_without_its_mark() {
        let text = "time,°C 𝄞\n";
        let units = || text.encode_utf16();
        assert_eq!(read(format!("\u{feff}{text}").into_bytes()), text);
        assert_eq!(read([0xff, 0xfe].into_iter().chain(units().flat_map(u16::to_le_bytes)).collect()), text);
        assert_eq!(read([0xfe, 0xff].into_iter().chain(units().flat_map(u16::to_be_bytes)).collect()), text);
        assert_eq!(read("time,flow\n".encode_utf16().flat_map(u16::to_le_bytes).collect()), "time,flow\n");
        assert_eq!(read("time,flow\n".encode_utf16().flat_map(u16::to_be_bytes).collect()), "time,flow\n");
        assert_eq!(read(vec![0xff, 0xfe, b'a', 0, 0x3d, 0xd8, b'b', 0, b'c']), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn a_cell_that_is_no_utf_8_is_read_as_windows_1252() {
        assert_eq!(cell("grün".as_bytes()), ("grün".into(), false));
        assert_eq!(cell(b"gr\xfcn \x80"), ("grün €".into(), true));
    }
}
