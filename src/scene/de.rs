//! Reads plain serde types out of a tree. In: a tree of [`ron_tree`](super::ron_tree). Out: the value, and every
//! problem found on the way. Never stops at the first problem.
//!
//! serde's derived code gives up at its first error. So a value that cannot be read is reported, then left out, and
//! the file is read again: a bad field counts as absent, a bad list item or map entry is passed over, its siblings go
//! on. Follow-up errors (a field that is missing because it was left out) are not reported.

mod access;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Expected, Unexpected, Visitor};

use super::format::NAMED;
use super::nearest::nearest;
use super::ron_tree::{Field, Kind, Node, NodeId};
use super::secret;
use super::span::{SPANNED, Span};
use access::{Entries, Fields, Items, NamedParts, SpannedParts, Variant};

/// A file with more problems than this is reported up to here.
pub const MAX_PROBLEMS: usize = 200;

/// Something in the tree that the wanted type cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub rule: &'static str,
    pub span: Span,
    pub brief: String,
    pub hint: Option<String>,
}

/// Reads a `T`, or as much of it as can be read.
pub fn read<'t, T: Deserialize<'t>>(root: &'t Node<'t>) -> (Option<T>, Vec<Problem>) {
    let context = Context::default();
    duplicates(root, &mut Vec::new(), &context);
    loop {
        context.path.borrow_mut().clear();
        let result = T::deserialize(Reader { node: root, context: &context });
        let error = match result {
            Ok(value) => return (Some(value), context.problems.into_inner()),
            Err(error) => error,
        };
        let (id, span) = error.node.unwrap_or((root.id, root.span));
        if !error.follow_up {
            let brief = format!("{}{}", error.item, error.brief);
            context.report(Problem { rule: error.rule, span, brief, hint: error.hint.map(String::from) });
        }
        let fresh = context.left_out.borrow_mut().insert(id);
        if id == root.id || !fresh || context.problems.borrow().len() >= MAX_PROBLEMS {
            return (None, context.problems.into_inner());
        }
    }
}

#[derive(Default)]
struct Context<'t> {
    left_out: RefCell<HashSet<NodeId>>,
    problems: RefCell<Vec<Problem>>,
    /// Names of the items around the value being read.
    path: RefCell<Vec<&'t str>>,
}

impl Context<'_> {
    fn report(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    fn is_out(&self, node: &Node<'_>) -> bool {
        self.left_out.borrow().contains(&node.id)
    }

    /// `Pump.flow: `, the beginning of a message.
    fn item(&self) -> String {
        let path = self.path.borrow();
        if path.is_empty() { String::new() } else { format!("{}: ", path.join(".")) }
    }
}

/// What a list item calls itself.
fn own_name<'t>(node: &Node<'t>) -> Option<&'t str> {
    let Kind::Struct(_, fields) = &node.kind else { return None };
    fields.iter().find(|field| field.name == "id").and_then(|field| match &field.value.kind {
        Kind::Text(std::borrow::Cow::Borrowed(text)) => Some(*text),
        _ => None,
    })
}

/// Reports names that stand twice in a struct or a map; the second one is left out.
fn duplicates<'t>(node: &'t Node<'t>, path: &mut Vec<&'t str>, context: &Context<'t>) {
    let named = own_name(node);
    path.extend(named);
    let mut seen: HashSet<&str> = HashSet::new();
    let mut check = |name: &'t str, span: Span, value: &Node<'t>, what: &str, rule: &'static str, path: &[&str]| {
        if !seen.insert(name) {
            let item = if path.is_empty() { String::new() } else { format!("{}: ", path.join(".")) };
            let brief = format!("{item}the {what} `{name}` stands here a second time");
            context.report(Problem { rule, span, brief, hint: Some("keep one of the two".to_owned()) });
            context.left_out.borrow_mut().insert(value.id);
        }
    };
    match &node.kind {
        Kind::Struct(_, fields) => {
            for field in fields {
                check(field.name, field.span, &field.value, "field", "duplicate-field", path);
                duplicates(&field.value, path, context);
            }
        }
        Kind::Map(entries) => {
            for (key, value) in entries {
                let Kind::Text(name) = &key.kind else { continue };
                check(name, key.span, value, "name", "duplicate-name", path);
                path.push(name);
                duplicates(value, path, context);
                path.pop();
            }
        }
        Kind::List(items) | Kind::Tuple(_, items) => {
            for item in items {
                duplicates(item, path, context);
            }
        }
        _ => {}
    }
    if named.is_some() {
        path.pop();
    }
}

#[derive(Clone, Copy)]
struct Reader<'a, 't> {
    node: &'t Node<'t>,
    context: &'a Context<'t>,
}

/// What serde says went wrong; the innermost reader adds where.
#[derive(Debug)]
struct ReadError {
    rule: &'static str,
    brief: String,
    hint: Option<Box<str>>,
    missing: Option<&'static str>,
    node: Option<(NodeId, Span)>,
    item: Box<str>,
    /// Comes only from something that was left out before.
    follow_up: bool,
}

impl ReadError {
    fn new(rule: &'static str, brief: String) -> Self {
        Self { rule, brief, hint: None, missing: None, node: None, item: "".into(), follow_up: false }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.brief)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("bad-value", message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = wanted(expected);
        let is_bare = matches!(found, Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_));
        let hint = (wanted == "a string" && is_bare).then(|| "write it in quotes".into());
        Self { hint, ..Self::new("wrong-type", format!("{wanted} is expected here, found {}", describe(found))) }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("bad-value", format!("{} is expected here, found {}", wanted(expected), describe(found)))
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self::new("wrong-type", format!("{expected} is expected here, found {len} values"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(field), ..Self::new("missing-field", format!("the field `{field}` is missing")) }
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        let hint = match nearest(found, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", expected.join(", ")),
        };
        Self { hint: Some(hint.into()), ..Self::new("unknown-variant", format!("`{found}` is not known here")) }
    }
}

/// In the words of people who do not write Rust.
fn wanted(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on".to_owned(),
        "i32" | "i64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        other => other.to_owned(),
    }
}

fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Str(text) => format!("the text {text:?}"),
        Unexpected::Float(x) => format!("the number {x}"),
        Unexpected::Unsigned(x) => format!("the number {x}"),
        Unexpected::Signed(x) => format!("the number {x}"),
        Unexpected::Bool(b) => format!("`{b}`"),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "named fields".to_owned(),
        Unexpected::Unit => "nothing".to_owned(),
        Unexpected::Other(text) => text.to_owned(),
        other => other.to_string(),
    }
}

impl<'a, 't> Reader<'a, 't> {
    /// Says where an error arose, once.
    fn place<T>(self, result: Result<T, ReadError>) -> Result<T, ReadError> {
        result.map_err(|mut error| {
            if error.node.is_none() {
                error.node = Some((self.node.id, self.node.span));
                error.item = self.context.item().into();
                error.follow_up = match (&self.node.kind, error.missing) {
                    (Kind::Struct(_, fields), Some(missing)) => {
                        fields.iter().any(|f| f.name == missing && self.context.is_out(&f.value))
                    }
                    (Kind::List(items) | Kind::Tuple(_, items), None) => items.iter().any(|i| self.context.is_out(i)),
                    _ => false,
                };
            }
            error
        })
    }

    fn unexpected<V: Visitor<'t>>(self, visitor: &V, what: &str) -> Result<V::Value, ReadError> {
        self.place(Err(de::Error::invalid_type(Unexpected::Other(what), visitor)))
    }

    /// The fields of a struct that the wanted type knows; the others are reported.
    fn known_fields(self, fields: &'t [Field<'t>], known: &'static [&'static str]) -> Vec<&'t Field<'t>> {
        let mut kept = Vec::with_capacity(fields.len());
        for field in fields.iter().filter(|field| !self.context.is_out(&field.value)) {
            if known.contains(&field.name) {
                kept.push(field);
                continue;
            }
            self.context.left_out.borrow_mut().insert(field.value.id);
            let is_secret = secret::FIELDS.contains(&field.name);
            let (rule, hint) = match nearest(field.name, known.iter().copied()) {
                _ if is_secret => {
                    let way = r#"credentials: Env(user: "PLANT_USER", password: "PLANT_PASSWORD")"#;
                    ("secret-in-scene", format!("secrets never stand in a scene; name where they are: `{way}`"))
                }
                Some(near) => ("unknown-field", format!("did you mean `{near}`?")),
                None => ("unknown-field", format!("known fields are {}", known.join(", "))),
            };
            let brief = format!("{}unknown field `{}`", self.context.item(), field.name);
            self.context.report(Problem { rule, span: field.span, brief, hint: Some(hint) });
        }
        kept
    }
}

impl<'t> Reader<'_, 't> {
    /// `Name(field: value)`: a name that the wanted type does not know beforehand, and fields likewise.
    fn named<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let (name, fields): (&'t str, &'t [Field<'t>]) = match &self.node.kind {
            Kind::Struct(Some(name), fields) => (name, fields),
            Kind::Tuple(Some(name), items) if items.is_empty() => (name, &[]),
            Kind::Word(name) => (name, &[]),
            _ => return de::Deserializer::deserialize_any(self, visitor),
        };
        self.place(visitor.visit_seq(NamedParts::new(self, name, fields)))
    }
}

impl<'a, 't> de::Deserializer<'t> for Reader<'a, 't> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let context = self.context;
        let result = match &self.node.kind {
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Integer(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => Err(de::Error::custom(format!("the number {value} is too large"))),
            },
            Kind::Float(value) if !value.is_finite() => {
                Err(ReadError::new("not-finite", format!("a finite number is expected here, found {value}")))
            }
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::Char(value) => visitor.visit_char(*value),
            Kind::Text(text) => visitor.visit_str(text),
            Kind::Word(word) => return self.unexpected(&visitor, &format!("the word `{word}` without quotes")),
            Kind::List(items) => visitor.visit_seq(Items::new(items, context)),
            Kind::Tuple(None, items) => visitor.visit_seq(Items::new(items, context)),
            Kind::Map(entries) => visitor.visit_map(Entries::new(entries, context)),
            Kind::Struct(None, _) => return self.unexpected(&visitor, "named fields"),
            Kind::Tuple(Some(name), _) | Kind::Struct(Some(name), _) => {
                return self.unexpected(&visitor, &format!("`{name}(…)`"));
            }
        };
        self.place(result)
    }

    fn deserialize_f32<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.kind {
            Kind::Float(value) if value.is_finite() && !(*value as f32).is_finite() => {
                self.place(Err(ReadError::new("not-finite", format!("the number {value} is too large"))))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.kind {
            Kind::Word("None") => visitor.visit_none(),
            Kind::Tuple(Some("Some"), items) => match items.as_slice() {
                [inner] if !self.context.is_out(inner) => visitor.visit_some(Reader { node: inner, ..self }),
                [_] => visitor.visit_none(),
                _ => self.unexpected(&visitor, "`Some` without exactly one value"),
            },
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        match name {
            SPANNED => visitor.visit_seq(SpannedParts::new(self)),
            NAMED => self.named(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let (found, given): (_, &'t [Field<'t>]) = match &self.node.kind {
            Kind::Struct(found, given) => (found, given),
            Kind::Tuple(found, items) if items.is_empty() => (found, &[]),
            Kind::Map(_) => return self.unexpected(&visitor, "`{…}`: fields stand in round brackets"),
            _ => return self.deserialize_any(visitor),
        };
        if let Some(found) = found.filter(|found| *found != name) {
            let error = ReadError::new("wrong-type", format!("`{name}(…)` is expected here, found `{found}(…)`"));
            return self.place(Err(error));
        }
        let known = self.known_fields(given, fields);
        self.place(visitor.visit_map(Fields::new(known, self.context)))
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.kind {
            Kind::Word(word) => self.place(visitor.visit_enum(Variant { name: word, reader: self })),
            Kind::Tuple(Some(word), _) | Kind::Struct(Some(word), _) => {
                self.place(visitor.visit_enum(Variant { name: word, reader: self }))
            }
            Kind::Text(text) if variants.contains(&&**text) => {
                let hint = Some(format!("write {text} without quotes").into());
                let error = ReadError::new("wrong-type", format!("a word is expected here, found the text {text:?}"));
                self.place(Err(ReadError { hint, ..error }))
            }
            _ => {
                let brief = format!("one of {} is expected here", variants.join(", "));
                self.place(Err(ReadError::new("wrong-type", brief)))
            }
        }
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}
