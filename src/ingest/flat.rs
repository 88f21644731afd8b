//! The common payload read fast: JSON objects of plain keys and scalars, some levels deep.
//!
//! In: the keys that are wanted, a payload. Out: what stands there, in slots, if all of the payload was understood; then
//! it is what the general reader in [`pointer`](super::pointer) would have found. Whatever is unusual (escapes, arrays,
//! exponents, numbers of many digits, anything malformed) is left to that reader, which alone decides what is an error.

use super::pointer::{Found, Node};

/// Deeper payloads are left to the general reader, which has a limit of its own.
const DEEPEST: usize = 16;
/// Digits that surely fit 64 bits.
const MOST_DIGITS: usize = 18;
/// Up to here every integer is a float, and dividing it by a power of ten up to 10²² rounds once: the result is the
/// nearest float (Clinger, "How to read floating point numbers accurately", 1990).
const EXACT: u64 = 1 << 53;
const POWERS: [f64; MOST_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// Finds the child of a node by the first eight bytes and the length of its key: a hash table that is mostly empty.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyIndex {
    /// A power of two of them, or none.
    entries: Box<[Entry]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    word: u64,
    len: usize,
    /// One more than its position; 0 where the entry is free.
    child: usize,
}

impl KeyIndex {
    pub fn new<'a>(keys: impl ExactSizeIterator<Item = &'a str>) -> Self {
        if keys.len() == 0 {
            return Self::default();
        }
        let mut entries = vec![Entry::default(); (keys.len() * 4).next_power_of_two()].into_boxed_slice();
        for (position, key) in keys.enumerate() {
            let entry = Entry { word: first_word(key.as_bytes()), len: key.len(), child: position + 1 };
            let mut at = place(entry.word, entry.len);
            while entries[at & (entries.len() - 1)].child != 0 {
                at += 1;
            }
            entries[at & (entries.len() - 1)] = entry;
        }
        Self { entries }
    }

    /// The only child that can have this key, by its position.
    fn candidate(&self, word: u64, len: usize, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mask = self.entries.len().checked_sub(1)?;
        let mut at = place(word, len);
        loop {
            let entry = self.entries.get(at & mask)?;
            let child = entry.child.checked_sub(1)?;
            if entry.word == word && entry.len == len && (len <= 8 || is_it(child)) {
                return Some(child);
            }
            at += 1;
        }
    }
}

fn place(word: u64, len: usize) -> usize {
    // Fibonacci hashing (Knuth, volume 3, section 6.4): the upper bits depend on all of the word.
    ((word ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
}

/// The first eight bytes, zeros where there are fewer.
fn first_word(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(first) => u64::from_le_bytes(*first),
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Whether a key is written in JSON as it is, so that bytes can be compared.
pub(super) fn is_plain(key: &str) -> bool {
    key.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
}

/// Fills `slots`, all `Missing` before, below the node `root`, whose keys are all plain. None if the payload is not of
/// the common kind: then the slots mean nothing.
pub(super) fn read<'de>(root: &Node, payload: &'de [u8], slots: &mut [Found<'de>]) -> Option<()> {
    let mut scan = Scan { bytes: payload, at: 0, slots };
    scan.space();
    scan.expect(b'{')?;
    scan.put(root, Found::Object);
    scan.object(root, 0)?;
    scan.space();
    (scan.at == payload.len()).then_some(())
}

#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Float(f64),
}

struct Scan<'de, 's> {
    bytes: &'de [u8],
    at: usize,
    slots: &'s mut [Found<'de>],
}

impl<'de> Scan<'de, '_> {
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.byte()? == wanted).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    #[inline]
    fn put(&mut self, node: &Node, found: Found<'de>) {
        if node.is_target
            && let Some(slot) = self.slots.get_mut(node.slots.start)
        {
            *slot = found;
        }
    }

    /// The rest of an object, behind its brace.
    fn object(&mut self, node: &Node, depth: usize) -> Option<()> {
        self.space();
        if self.byte()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.expect(b'"')?;
            let child = self.key(node)?;
            self.space();
            self.expect(b':')?;
            self.space();
            match child {
                Some(child) => self.value(child, depth)?,
                None => drop(self.scalar()?),
            }
            self.space();
            let end = self.byte()?;
            self.at += 1;
            match end {
                b',' => self.space(),
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn value(&mut self, node: &Node, depth: usize) -> Option<()> {
        // A repeated key replaces all that the earlier one held.
        if node.slots.len() > 1 || !node.is_target {
            self.slots.get_mut(node.slots.clone())?.fill(Found::Missing);
        }
        if self.byte()? == b'{' {
            if depth == DEEPEST {
                return None;
            }
            self.at += 1;
            self.put(node, Found::Object);
            return self.object(node, depth + 1);
        }
        // Numbers, by far the most frequent, go to their slot without a detour through memory.
        match self.byte()? {
            b'-' | b'0'..=b'9' => {
                let start = self.at;
                match self.number()? {
                    Number::Integer(x) => self.put(node, Found::Integer(x)),
                    Number::Float(_) if node.keeps_digits => {
                        let text = self.bytes.get(start..self.at)?;
                        self.put(node, Found::Digits(std::str::from_utf8(text).ok()?));
                    }
                    Number::Float(x) => self.put(node, Found::Float(x)),
                }
            }
            _ => {
                let found = self.scalar()?;
                self.put(node, found);
            }
        }
        Some(())
    }

    /// The rest of a key, behind its first quote, and the child that it leads to.
    fn key<'n>(&mut self, node: &'n Node) -> Option<Option<&'n Node>> {
        let rest = self.bytes.get(self.at..)?;
        let word = first_word(rest);
        let (word, len) = match first_quote(word) {
            Some(len) => (word & !(u64::MAX << (8 * len)), len),
            None => (word, 8 + memchr::memchr(b'"', rest.get(8..)?)?),
        };
        let key = rest.get(..len)?;
        self.at += len + 1;
        let name = |child: usize| node.children.get(child).map(|(name, _)| name.as_bytes());
        match node.index.candidate(word, len, |child| name(child) == Some(key)) {
            Some(child) => node.children.get(child).map(|(_, child)| Some(child)),
            // Where there is an escape, the quote may not be the end, and the key may be a wanted one.
            None => key.iter().all(|byte| (b' '..0x80).contains(byte) && *byte != b'\\').then_some(None),
        }
    }

    fn scalar(&mut self) -> Option<Found<'de>> {
        match self.byte()? {
            b'-' | b'0'..=b'9' => Some(match self.number()? {
                Number::Integer(x) => Found::Integer(x),
                Number::Float(x) => Found::Float(x),
            }),
            b'"' => self.text(),
            b't' => self.literal(b"true", Found::Bool(true)),
            b'f' => self.literal(b"false", Found::Bool(false)),
            b'n' => self.literal(b"null", Found::Null),
            _ => None,
        }
    }

    fn literal(&mut self, word: &[u8], found: Found<'de>) -> Option<Found<'de>> {
        self.bytes.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            found
        })
    }

    fn text(&mut self) -> Option<Found<'de>> {
        let rest = self.bytes.get(self.at + 1..)?;
        let text = rest.get(..memchr::memchr(b'"', rest)?)?;
        self.at += text.len() + 2;
        let text = std::str::from_utf8(text).ok().filter(|text| is_plain(text))?;
        Some(Found::Text(text.into()))
    }

    /// A number of few digits and no exponent.
    #[inline]
    fn number(&mut self) -> Option<Number> {
        let negative = self.byte()? == b'-';
        self.at += usize::from(negative);
        let leading = self.byte()?;
        let (mut digits, whole) = self.digits(0);
        if whole == 0 || whole > MOST_DIGITS || whole > 1 && leading == b'0' {
            return None;
        }
        match self.byte()? {
            b'.' => {}
            b'e' | b'E' => return None,
            // Minus zero is a float.
            _ if negative && digits == 0 => return None,
            _ => return i64::try_from(digits).ok().map(|x| Number::Integer(if negative { -x } else { x })),
        }
        self.at += 1;
        let decimals;
        (digits, decimals) = self.digits(digits);
        if decimals == 0 || whole + decimals > MOST_DIGITS || digits > EXACT || matches!(self.byte()?, b'e' | b'E') {
            return None;
        }
        let x = digits as f64 / POWERS.get(decimals)?;
        Some(Number::Float(if negative { -x } else { x }))
    }

    /// Appends digits to a number; their count. With more than [`MOST_DIGITS`] in all the number means nothing.
    fn digits(&mut self, mut number: u64) -> (u64, usize) {
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        (number, self.at - start)
    }
}

/// How many bytes stand before the first quote in eight.
fn first_quote(word: u64) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let differs = word ^ (ONES * b'"' as u64);
    // The lowest bit that is set marks the first byte that is zero (Warren, "Hacker's Delight", section 6-1).
    let zeros = differs.wrapping_sub(ONES) & !differs & (ONES << 7);
    (zeros != 0).then(|| (zeros.trailing_zeros() / 8) as usize)
}
