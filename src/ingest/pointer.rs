//! All JSON pointers of a topic in one pass over the payload, without a tree of values.
//!
//! In: pointers (RFC 6901) once, payloads often. Out: what stands at each pointer, in slots. Allocates only for strings
//! with escapes. The result equals `serde_json::Value::pointer`, repeated keys (the last one counts) included.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::flat::{self, KeyIndex};
use super::lenient;

/// What stands at a pointer.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Found<'a> {
    Missing,
    Null,
    Bool(bool),
    /// Integers keep all their digits: nanoseconds since 1970 do not fit a float.
    Integer(i64),
    Float(f64),
    /// A number that is no integer of 64 bits, as it is written: a float would not hold the nanoseconds of a time.
    Digits(&'a str),
    /// An integer beyond 64 bits or so, and the float that is nearest to it.
    Rounded(f64),
    Text(Cow<'a, str>),
    Array,
    Object,
    /// A value that is not JSON, in a payload that is otherwise.
    Unreadable(&'a [u8]),
}

/// What some programs put before UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// From here on an integer may be read as a float, and does not tell that digits were lost.
const LARGE: f64 = (1_u64 << 63) as f64;

/// Pointers as a tree of keys.
#[derive(Clone, Debug, Default)]
pub(super) struct PointerTree {
    root: Node,
    /// Whether all keys can be compared byte by byte.
    plain: bool,
    /// Slots whose numbers keep their digits.
    digits: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Sorted by key.
    pub children: Vec<(Box<str>, Node)>,
    pub index: KeyIndex,
    pub is_target: bool,
    /// Whether a number is wanted as it is written.
    pub keeps_digits: bool,
    /// The slots of this subtree; the first one is this node's own if it is a target.
    pub slots: Range<usize>,
}

impl PointerTree {
    /// A tree and the slot of each pointer, in the order given. Equal pointers share a slot.
    /// A pointer that is not empty and lacks its leading slash is read as if it had one.
    pub fn new<'a>(pointers: impl Iterator<Item = &'a str> + Clone) -> (Self, Vec<usize>) {
        let mut root = Node::default();
        for pointer in pointers.clone() {
            root.insert(&keys(pointer));
        }
        root.number(0);
        let plain = pointers.clone().all(|pointer| keys(pointer).iter().all(|key| flat::is_plain(key)));
        let slots = pointers.map(|pointer| root.slot(&keys(pointer))).collect();
        (Self { root, plain, digits: Vec::new() }, slots)
    }

    /// Numbers at one of its pointers shall be [`Found::Digits`] if they are no integers of 64 bits.
    pub fn keep_digits(&mut self, pointer: &str) {
        if let Some(node) = self.root.descendant(&keys(pointer)) {
            node.keeps_digits = true;
            self.digits.push(node.slots.start);
        }
    }

    pub fn slot_count(&self) -> usize {
        self.root.slots.len()
    }

    /// Fills `slots` (all `Missing` before) from a payload, which must be one JSON text and nothing else, but for single
    /// values that are wrong: see [`lenient`]. The error is that of strict JSON.
    pub fn read<'de>(&self, payload: &'de [u8], slots: &mut [Found<'de>]) -> Result<(), serde_json::Error> {
        if self.plain {
            if flat::read(&self.root, payload, slots).is_some() {
                return Ok(());
            }
            slots.fill(Found::Missing);
        }
        let payload = payload.strip_prefix(BYTE_ORDER_MARK).unwrap_or(payload);
        // The end of a text in C.
        let payload =
            payload.get(..payload.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)).unwrap_or(payload);
        let read = self.read_any(payload, slots);
        let is_float = |slot: &usize| matches!(slots.get(*slot), Some(Found::Float(_) | Found::Rounded(_)));
        let is_large = |found: &Found| matches!(found, Found::Float(x) if x.abs() >= LARGE);
        if read.is_ok() && !self.digits.iter().any(is_float) && !slots.iter().any(is_large) {
            return Ok(());
        }
        // This reader sees the text of numbers, and finds the same in JSON that is right.
        slots.fill(Found::Missing);
        match (lenient::read(&self.root, payload, slots), read) {
            (Some(()), _) => Ok(()),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => {
                slots.fill(Found::Missing);
                self.read_any(payload, slots)
            }
        }
    }

    /// Whatever JSON it is.
    fn read_any<'de>(&self, payload: &'de [u8], slots: &mut [Found<'de>]) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(payload);
        Reader { node: &self.root, slots }.deserialize(&mut deserializer)?;
        deserializer.end()
    }
}

/// Puts one JSON value without brackets at a node, if it is wanted there.
pub(super) fn scalar<'de>(node: &Node, token: &'de [u8], slots: &mut [Found<'de>]) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(token);
    Reader { node, slots }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// The unescaped keys of a pointer.
fn keys(pointer: &str) -> Vec<String> {
    if pointer.is_empty() {
        return Vec::new();
    }
    let path = pointer.strip_prefix('/').unwrap_or(pointer);
    path.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect()
}

impl Node {
    fn insert(&mut self, keys: &[String]) {
        let Some((first, rest)) = keys.split_first() else {
            self.is_target = true;
            return;
        };
        let at = match self.children.binary_search_by(|(key, _)| (**key).cmp(first)) {
            Ok(at) => at,
            Err(at) => {
                self.children.insert(at, (first.as_str().into(), Node::default()));
                at
            }
        };
        self.children[at].1.insert(rest);
    }

    /// Numbers slots in depth-first order, so that every subtree has a contiguous range; returns the next free one.
    fn number(&mut self, first: usize) -> usize {
        let mut next = first + usize::from(self.is_target);
        for (_, child) in &mut self.children {
            next = child.number(next);
        }
        self.slots = first..next;
        self.index = KeyIndex::new(self.children.iter().map(|(key, _)| &**key));
        next
    }

    /// Of a pointer that was inserted.
    fn slot(&self, keys: &[String]) -> usize {
        match keys.split_first() {
            Some((first, rest)) => self.child(first).map_or(self.slots.start, |child| child.slot(rest)),
            None => self.slots.start,
        }
    }

    fn descendant(&mut self, keys: &[String]) -> Option<&mut Node> {
        let Some((first, rest)) = keys.split_first() else { return Some(self) };
        let at = self.children.binary_search_by(|(name, _)| (**name).cmp(first)).ok()?;
        self.children.get_mut(at)?.1.descendant(rest)
    }

    pub fn child(&self, key: &str) -> Option<&Node> {
        // A few keys are found faster by looking at all: most differ in length or in the first byte.
        if self.children.len() <= 16 {
            self.children.iter().find(|(name, _)| **name == *key).map(|(_, node)| node)
        } else {
            let at = self.children.binary_search_by(|(name, _)| (**name).cmp(key)).ok()?;
            self.children.get(at).map(|(_, node)| node)
        }
    }

    /// The child at an array index, written as RFC 6901 asks: digits without leading zeros.
    pub fn element(&self, index: usize) -> Option<&Node> {
        if self.children.is_empty() {
            return None;
        }
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut left = index;
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        std::str::from_utf8(&digits[at..]).ok().and_then(|key| self.child(key))
    }
}

/// Reads the value at one node.
struct Reader<'t, 's, 'de> {
    node: &'t Node,
    slots: &'s mut [Found<'de>],
}

impl<'de> Reader<'_, '_, 'de> {
    fn put(&mut self, found: Found<'de>) {
        if self.node.is_target
            && let Some(slot) = self.slots.get_mut(self.node.slots.start)
        {
            *slot = found;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.put(Found::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<(), E> {
        self.put(Found::Bool(value));
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<(), E> {
        self.put(Found::Integer(value));
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, value: u64) -> Result<(), E> {
        let beyond = || match value as f64 {
            x if x as u128 == u128::from(value) => Found::Float(x),
            x => Found::Rounded(x),
        };
        self.put(i64::try_from(value).map_or_else(|_| beyond(), Found::Integer));
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<(), E> {
        self.put(Found::Float(value));
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(mut self, value: &'de str) -> Result<(), E> {
        self.put(Found::Text(Cow::Borrowed(value)));
        Ok(())
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<(), E> {
        if self.node.is_target {
            self.put(Found::Text(Cow::Owned(value.to_owned())));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        self.put(Found::Array);
        let mut index = 0;
        loop {
            let more = match self.node.element(index) {
                Some(node) => elements.next_element_seed(Reader { node, slots: &mut *self.slots })?.is_some(),
                None => elements.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.put(Found::Object);
        while let Some(child) = entries.next_key_seed(Key { node: self.node })? {
            let Some(node) = child else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            // A repeated key replaces all that the earlier one held.
            if let Some(slots) = self.slots.get_mut(node.slots.clone()) {
                slots.fill(Found::Missing);
            }
            entries.next_value_seed(Reader { node, slots: &mut *self.slots })?;
        }
        Ok(())
    }
}

/// Finds the child that a key leads to, without keeping the key.
struct Key<'t> {
    node: &'t Node,
}

impl<'de, 't> DeserializeSeed<'de> for Key<'t> {
    type Value = Option<&'t Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'_> for Key<'t> {
    type Value = Option<&'t Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.node.child(key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9_f64).prop_map(Value::from),
            "[a-c~/\"\\\\é]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab01~/]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Objects as devices write them, with repeated keys, odd numbers and spaces, and now and then a wrong character.
    fn almost_json() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            4 => "(a|b|flow|temperature|temperatura|é|)",
            1 => r#"(\\u0061|a\\"|flow\\\\|[a-zß]{0,12})"#,
        ];
        let scalar = prop_oneof![
            "-?(0|[1-9][0-9]{0,20})",
            r"-?(0|[1-9][0-9]{0,9})\.[0-9]{1,12}",
            "-?[0-9]{0,3}\\.?[0-9]{0,3}([eE][+-]?[0-9]{1,2})?",
            "(true|false|null|nul|truex)",
            r#""([a-z é]|\\"|\\n|\\u00e9|\t){0,4}""#,
            "\\[(1|2,3)?\\]",
        ];
        let object = |value: BoxedStrategy<String>| {
            let space = "( |\\n|){0,1}";
            prop::collection::vec((key.clone(), space, value, space), 0..5).prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(k, s, v, t)| format!("{s}\"{k}\"{t}:{s}{v}{t}")).collect();
                format!("{{{}}}", fields.join(","))
            })
        };
        let inner = prop_oneof![3 => scalar.clone(), 1 => object(scalar.boxed())].boxed();
        let whole = object(prop_oneof![3 => inner.clone(), 1 => object(inner)].boxed());
        let wrong = prop::option::weighted(0.2, (any::<prop::sample::Index>(), "[\"{}:,.0-9e x\\\\]"));
        (whole, wrong).prop_map(|(mut text, wrong)| {
            if let Some((at, character)) = wrong {
                let places: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
                text.insert_str(*at.get(&places), &character);
            }
            text
        })
    }

    fn expected(value: Option<&Value>) -> Found<'static> {
        match value {
            None => Found::Missing,
            Some(Value::Null) => Found::Null,
            Some(Value::Bool(b)) => Found::Bool(*b),
            Some(Value::Number(n)) => {
                n.as_i64().map_or_else(|| Found::Float(n.as_f64().unwrap_or(f64::NAN)), Found::Integer)
            }
            Some(Value::String(s)) => Found::Text(Cow::Owned(s.clone())),
            Some(Value::Array(_)) => Found::Array,
            Some(Value::Object(_)) => Found::Object,
        }
    }

    fn read(pointers: &[String], payload: &[u8]) -> Result<Vec<Found<'static>>, String> {
        let (tree, slots) = PointerTree::new(pointers.iter().map(String::as_str));
        let mut found = vec![Found::Missing; tree.slot_count()];
        tree.read(payload, &mut found).map_err(|e| e.to_string())?;
        let own = |found: &Found| match found {
            Found::Text(text) => Found::Text(Cow::Owned(text.to_string())),
            Found::Missing => Found::Missing,
            Found::Null => Found::Null,
            Found::Bool(b) => Found::Bool(*b),
            Found::Integer(i) => Found::Integer(*i),
            Found::Float(x) => Found::Float(*x),
            Found::Rounded(x) => Found::Rounded(*x),
            Found::Digits(_) => Found::Digits(""),
            Found::Unreadable(_) => Found::Unreadable(b""),
            Found::Array => Found::Array,
            Found::Object => Found::Object,
        };
        Ok(slots.into_iter().map(|slot| own(&found[slot])).collect())
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_serde_jsons_pointer_finds(
            value in json(),
            pointers in prop::collection::vec("(/(a|b|0|1|00|01|~0|~1|)){0,3}", 1..6),
        ) {
            // serde_json may read a number of 16 digits or more one step beside what was written: both sides read it.
            let text = value.to_string();
            let value: Value = serde_json::from_str(&text).unwrap();
            let found = read(&pointers, text.as_bytes()).unwrap();
            let wanted: Vec<_> = pointers.iter().map(|pointer| expected(value.pointer(pointer))).collect();
            prop_assert_eq!(found, wanted);
        }

        #[test]
        fn the_fast_reader_agrees_with_the_general_one(
            payload in almost_json(),
            pointers in prop::collection::vec("(/(a|b|flow|temperature|temperatura|é|)){0,3}", 1..6),
        ) {
            let (tree, _) = PointerTree::new(pointers.iter().map(String::as_str));
            let mut fast = vec![Found::Missing; tree.slot_count()];
            if flat::read(&tree.root, payload.as_bytes(), &mut fast).is_some() {
                let mut general = vec![Found::Missing; tree.slot_count()];
                tree.read_any(payload.as_bytes(), &mut general).unwrap();
                // As text, where minus zero differs from zero.
                prop_assert_eq!(format!("{fast:?}"), format!("{general:?}"), "{}", payload);
            }
        }

        #[test]
        fn the_readers_agree_on_digits(
            payload in almost_json(),
            pointers in prop::collection::vec("(/(a|b|flow|temperature|temperatura|é|)){0,3}", 1..6),
        ) {
            let (mut tree, _) = PointerTree::new(pointers.iter().map(String::as_str));
            pointers.iter().for_each(|pointer| tree.keep_digits(pointer));
            let mut fast = vec![Found::Missing; tree.slot_count()];
            if flat::read(&tree.root, payload.as_bytes(), &mut fast).is_some() {
                let mut found = vec![Found::Missing; tree.slot_count()];
                prop_assert!(lenient::read(&tree.root, payload.as_bytes(), &mut found).is_some(), "{}", payload);
                prop_assert_eq!(fast, found, "{}", payload);
            }
        }

        #[test]
        fn the_lenient_reader_agrees_with_the_strict_one_on_json(
            payload in almost_json(),
            pointers in prop::collection::vec("(/(a|b|flow|temperature|temperatura|é|)){0,3}", 1..6),
        ) {
            let (tree, _) = PointerTree::new(pointers.iter().map(String::as_str));
            let mut strict = vec![Found::Missing; tree.slot_count()];
            if tree.read_any(payload.as_bytes(), &mut strict).is_ok() {
                let mut found = vec![Found::Missing; tree.slot_count()];
                prop_assert!(lenient::read(&tree.root, payload.as_bytes(), &mut found).is_some(), "{}", payload);
                // The strict one does not know what was lost of integers beyond 64 bits.
                let same = |found: &[Found]| format!("{found:?}").replace("Rounded(", "Float(");
                prop_assert_eq!(same(&found), same(&strict), "{}", payload);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            pointers in prop::collection::vec("(/[ab01~]{0,2}){0,3}", 1..6),
        ) {
            let _ = read(&pointers, &bytes);
        }
    }

    #[test]
    fn a_repeated_key_replaces_all_of_the_earlier_one() {
        let pointers = ["/a/b".to_owned(), "/a/c".to_owned()];
        let found = read(&pointers, br#"{"a":{"b":1},"a":{"c":2}}"#).unwrap();
        assert_eq!(found, [Found::Missing, Found::Integer(2)]);
    }

    #[test]
    fn usual_payloads_take_the_fast_way() {
        let pointers = ["/ts", "/flow", "/state/mode", "/temperature_of_casing", "/é"];
        let (tree, slots) = PointerTree::new(pointers.into_iter());
        let payload = r#"{ "ts":1769860800123, "flow":-12.50,"other":"x", "state":{"mode":"AUTO"},
                          "temperature_of_casing":7, "temperature_of_bearing":8, "é":null}"#;
        let mut found = vec![Found::Missing; tree.slot_count()];
        assert!(tree.plain && flat::read(&tree.root, payload.as_bytes(), &mut found).is_some());
        let found: Vec<_> = slots.into_iter().map(|slot| found[slot].clone()).collect();
        let text = Found::Text(Cow::Borrowed("AUTO"));
        let wanted = [Found::Integer(1_769_860_800_123), Found::Float(-12.5), text, Found::Integer(7), Found::Null];
        assert_eq!(found, wanted);
    }

    #[test]
    fn where_digits_are_wanted_every_reader_keeps_them() {
        let (mut tree, slots) = PointerTree::new(["/t", "/v", "/a/1"].into_iter());
        tree.keep_digits("/t");
        tree.keep_digits("/a/1");
        for (payload, wanted) in [
            (r#"{"t":1769860800.5,"v":0.5}"#, [Found::Digits("1769860800.5"), Found::Float(0.5), Found::Missing]),
            (r#"{"t":1769860800,"v":0.5}"#, [Found::Integer(1_769_860_800), Found::Float(0.5), Found::Missing]),
            (r#"{"t":"1769860800.5"}"#, [Found::Text("1769860800.5".into()), Found::Missing, Found::Missing]),
            // More digits than the fast reader takes, an escape, an array, an exponent, a neighbour that is no JSON.
            (r#"{"t":1769860800.123456789}"#, [Found::Digits("1769860800.123456789"), Found::Missing, Found::Missing]),
            (r#"{"\u0074" : 1.50 }"#, [Found::Digits("1.50"), Found::Missing, Found::Missing]),
            (r#"{"a":[1.5, 17.698e8]}"#, [Found::Missing, Found::Missing, Found::Digits("17.698e8")]),
            (r#"{"t":0.25,"x":NaN,"v":1.5}"#, [Found::Digits("0.25"), Found::Float(1.5), Found::Missing]),
            ("{\"t\":0.25}\0\0", [Found::Digits("0.25"), Found::Missing, Found::Missing]),
            (r#"{"t":-0,"v":2.5}"#, [Found::Float(-0.0), Found::Float(2.5), Found::Missing]),
            (r#"{"t":1e400,"v":2.5}"#, [Found::Float(f64::INFINITY), Found::Float(2.5), Found::Missing]),
            (r#"{"t":18446744073709551616}"#, [Found::Digits("18446744073709551616"), Found::Missing, Found::Missing]),
        ] {
            let mut found = vec![Found::Missing; tree.slot_count()];
            tree.read(payload.as_bytes(), &mut found).unwrap();
            let found: Vec<_> = slots.iter().map(|slot| found[*slot].clone()).collect();
            assert_eq!(found, wanted, "{payload}");
        }
    }

    #[test]
    fn an_escaped_key_is_found_too() {
        let found = read(&["/a".to_owned(), "/b\"".to_owned()], br#"{"\u0061":1,"b\"":2}"#).unwrap();
        assert_eq!(found, [Found::Integer(1), Found::Integer(2)]);
    }

    #[test]
    fn text_after_the_json_is_an_error() {
        assert!(read(&["/a".to_owned()], b"{\"a\":1} x").is_err());
        assert!(read(&["/a".to_owned()], &[b'['; 100_000]).is_err());
    }
}
