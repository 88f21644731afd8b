//! Payloads that are nearly JSON: what is wrong with one value stays with that value.
//!
//! In: the keys that are wanted, a payload that the general reader in [`pointer`](super::pointer) refused, or in which a
//! number needs all of its digits, which that reader does not see. Out: what stands there, in slots, if brackets, keys and
//! commas are where JSON has them. `NaN`, `Infinity` and numbers beyond all floats are numbers that are not finite; any
//! other word, and text that is broken, is [`Found::Unreadable`] and a matter of its field alone. A payload that ends too
//! early, or has anything behind its end, stays refused: nobody knows what is missing.

use super::pointer::{Found, Node, scalar};

/// Fills `slots`, all `Missing` before. None if the payload is not nearly JSON: then the slots mean nothing.
pub(super) fn read<'de>(root: &Node, payload: &'de [u8], slots: &mut [Found<'de>]) -> Option<()> {
    let mut scan = Scan { bytes: payload, at: 0, slots };
    scan.space();
    scan.value(Some(root))?;
    scan.space();
    (scan.at == payload.len()).then_some(())
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

    fn take(&mut self) -> Option<u8> {
        let byte = self.byte()?;
        self.at += 1;
        Some(byte)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    fn put(&mut self, node: &Node, found: Found<'de>) {
        if node.is_target
            && let Some(slot) = self.slots.get_mut(node.slots.start)
        {
            *slot = found;
        }
    }

    /// Goes as deep as the pointers do; what nobody wants is passed over without going into it.
    fn value(&mut self, node: Option<&Node>) -> Option<()> {
        match (self.byte(), node) {
            (Some(b'{'), Some(node)) => {
                self.put(node, Found::Object);
                self.object(node)
            }
            (Some(b'['), Some(node)) => {
                self.put(node, Found::Array);
                self.array(node)
            }
            (Some(b'{' | b'['), None) => self.pass_over(),
            (_, node) => {
                let token = if self.byte() == Some(b'"') { self.text()? } else { self.word()? };
                if let Some(node) = node {
                    self.scalar(node, token)?;
                }
                Some(())
            }
        }
    }

    fn object(&mut self, node: &Node) -> Option<()> {
        self.at += 1;
        self.space();
        if self.byte()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.text()?;
            let child = serde_json::from_slice::<String>(key).ok().and_then(|key| node.child(&key));
            self.space();
            if self.take()? != b':' {
                return None;
            }
            self.space();
            // A repeated key replaces all that the earlier one held.
            if let Some(slots) = child.and_then(|child| self.slots.get_mut(child.slots.clone())) {
                slots.fill(Found::Missing);
            }
            self.value(child)?;
            self.space();
            match self.take()? {
                b',' => self.space(),
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn array(&mut self, node: &Node) -> Option<()> {
        self.at += 1;
        self.space();
        if self.byte()? == b']' {
            self.at += 1;
            return Some(());
        }
        let mut index = 0;
        loop {
            self.value(node.element(index))?;
            index += 1;
            self.space();
            match self.take()? {
                b',' => self.space(),
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Text with its quotes.
    fn text(&mut self) -> Option<&'de [u8]> {
        let start = self.at;
        if self.take()? != b'"' {
            return None;
        }
        loop {
            match self.take()? {
                b'"' => return self.bytes.get(start..self.at),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    /// All up to where a value ends, but for space; may be empty.
    fn word(&mut self) -> Option<&'de [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let len = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b'"' | b'{' | b'['));
        let len = len.unwrap_or(rest.len());
        self.at += len;
        Some(rest.get(..len)?.trim_ascii_end())
    }

    /// An object or an array that nobody wants, whatever is in it.
    fn pass_over(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            match self.byte()? {
                b'"' => {
                    self.text()?;
                    continue;
                }
                b'{' => open.push(b'}'),
                b'[' => open.push(b']'),
                end @ (b'}' | b']') => {
                    open.pop().filter(|expected| *expected == end)?;
                }
                _ => {}
            }
            self.at += 1;
            if open.is_empty() {
                return Some(());
            }
        }
    }

    fn scalar(&mut self, node: &Node, token: &'de [u8]) -> Option<()> {
        if node.keeps_digits
            && let Some(text) = digits(token)
        {
            self.put(node, Found::Digits(text));
            return Some(());
        }
        if let Some(large) = large_integer(token) {
            self.put(node, large);
            return Some(());
        }
        if scalar(node, token, self.slots).is_err() {
            // A whole payload that is one unreadable word is no JSON in any sense.
            if token.len() == self.bytes.trim_ascii().len() && not_finite(token).is_none() {
                return None;
            }
            self.put(node, not_finite(token).map_or(Found::Unreadable(token), Found::Float));
        }
        Some(())
    }
}

/// A number of JSON that is no integer of 64 bits.
fn digits(token: &[u8]) -> Option<&str> {
    serde_json::from_slice::<f64>(token).ok()?;
    std::str::from_utf8(token).ok().filter(|text| text.parse::<i64>().is_err())
}

/// An integer beyond 64 bits.
fn large_integer(token: &[u8]) -> Option<Found<'static>> {
    let text = std::str::from_utf8(token).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_large = digits.len() > 18 && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_large || text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
        return None;
    }
    let x = text.parse().ok().filter(|x: &f64| x.is_finite())?;
    // A float prints all of its digits.
    Some(if format!("{x:.0}") == text { Found::Float(x) } else { Found::Rounded(x) })
}

/// What programs print for numbers that are not finite, and numbers beyond the largest float.
fn not_finite(token: &[u8]) -> Option<f64> {
    let word = std::str::from_utf8(token).ok()?.to_ascii_lowercase();
    let bare = word.trim_start_matches(['-', '+']);
    let is_one_of = |words: &[&str]| words.iter().any(|start| bare.starts_with(start));
    if bare == "nan" || is_one_of(&["nan(", "1.#qnan", "1.#snan", "1.#ind"]) {
        return Some(f64::NAN);
    }
    let infinite = if word.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    if bare.starts_with("1.#inf") {
        return Some(infinite);
    }
    word.parse().ok().filter(|x: &f64| x.is_infinite())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::ingest::pointer::PointerTree;

    fn read(pointers: &[&str], payload: &[u8]) -> Option<Vec<String>> {
        let (tree, slots) = PointerTree::new(pointers.iter().copied());
        let mut found = vec![Found::Missing; tree.slot_count()];
        tree.read(payload, &mut found).ok()?;
        Some(slots.into_iter().map(|slot| format!("{:?}", found[slot])).collect())
    }

    fn text(text: &str) -> String {
        format!("{:?}", Found::Text(Cow::Borrowed(text)))
    }

    #[test]
    fn what_is_wrong_with_one_value_spares_its_neighbours() {
        let (forty, missing) = ("Integer(40)".to_owned(), "Missing".to_owned());
        for (word, found) in [
            ("NaN", "Float(NaN)"),
            ("nan", "Float(NaN)"),
            ("-nan(ind)", "Float(NaN)"),
            ("Infinity", "Float(inf)"),
            ("-inf", "Float(-inf)"),
            ("-Infinity", "Float(-inf)"),
            ("1.#INF", "Float(inf)"),
            ("1e400", "Float(inf)"),
            ("-1e400", "Float(-inf)"),
            ("21.5 C", "Unreadable([50, 49, 46, 53, 32, 67])"),
            ("", "Unreadable([])"),
            ("007", "Unreadable([48, 48, 55])"),
            ("\"\\q\"", "Unreadable([34, 92, 113, 34])"),
        ] {
            for payload in [format!("{{\"a\":{word},\"b\":40}}"), format!("\u{feff}{{\"b\": 40 , \"a\": {word} }}")] {
                let both = read(&["/a", "/b"], payload.as_bytes());
                assert_eq!(both, Some(vec![found.to_owned(), forty.clone()]), "{payload}");
                let only = read(&["/c", "/b"], payload.as_bytes());
                assert_eq!(only, Some(vec![missing.clone(), forty.clone()]), "{payload}");
            }
            let list = format!("[{word},{{\"x\":[{word},1]}},40]");
            assert_eq!(
                read(&["/2", "/1/x/1"], list.as_bytes()),
                Some(vec![forty.clone(), "Integer(1)".into()]),
                "{list}"
            );
        }
    }

    #[test]
    fn integers_beyond_64_bits_tell_what_was_lost() {
        for (written, found) in [
            ("18446744073709551616", "Float(1.8446744073709552e19)"),
            ("18446744073709551617", "Rounded(1.8446744073709552e19)"),
            ("-9223372036854775809", "Rounded(-9.223372036854776e18)"),
            ("100000000000000000000000", "Rounded(1e23)"),
            ("1e23", "Float(1e23)"),
            ("1234567890123456789012345678901234567890123", "Rounded(1.2345678901234567e42)"),
        ] {
            let payload = format!("{{\"a\":[{written}],\"b\":{written}}}");
            assert_eq!(read(&["/a/0", "/b"], payload.as_bytes()), Some(vec![found.to_owned(); 2]), "{written}");
        }
    }

    #[test]
    fn a_byte_that_is_no_utf_8_is_a_matter_of_its_own_text() {
        let payload = b"{\"n\xfcme\":1,\"a\":\"gr\xfcn\",\"b\":\"blau\",\"c\":{\"d\":[\"\xfc\", NaN]}}";
        let found = read(&["/b", "/a"], payload).unwrap();
        assert_eq!(found[0], text("blau"));
        assert!(found[1].starts_with("Unreadable"), "{found:?}");
    }

    #[test]
    fn where_something_is_missing_or_too_much_all_of_it_is_refused() {
        for payload in [
            "",
            "NaN x",
            "{\"b\":4",
            "{\"b\":40",
            "{\"b\":40,",
            "{\"b\":40,\"a\":{\"c\":NaN}",
            "{\"b\":40}}",
            "{\"b\":40} {}",
            "{\"b\":40,\"a\":21,5}",
            "{\"b\":40 \"a\":NaN}",
            "{b:40}",
            "{\"b\":40,}",
            "[1,2",
            "{\"b\" 40}",
            "b",
            "{\"b\":40]",
            "{\"b\":40,\"x\":[}]}",
        ] {
            assert_eq!(read(&["/b", "/a"], payload.as_bytes()), None, "{payload}");
        }
    }
}
