//! How serde walks through lists, maps, structs and variants of the tree. Passes over what was left out.

use serde::de::value::{BorrowedStrDeserializer, U32Deserializer};
use serde::de::{self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::{Context, Field, Kind, Node, ReadError, Reader, SPANNED, Span, own_name};

pub(super) struct Items<'a, 't> {
    items: std::slice::Iter<'t, Node<'t>>,
    context: &'a Context<'t>,
}

impl<'a, 't> Items<'a, 't> {
    pub(super) fn new(items: &'t [Node<'t>], context: &'a Context<'t>) -> Self {
        Self { items: items.iter(), context }
    }
}

impl<'t> SeqAccess<'t> for Items<'_, 't> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        let context = self.context;
        let Some(node) = self.items.find(|node| !context.is_out(node)) else { return Ok(None) };
        let name = own_name(node);
        context.path.borrow_mut().extend(name);
        let value = seed.deserialize(Reader { node, context })?;
        if name.is_some() {
            context.path.borrow_mut().pop();
        }
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

pub(super) struct Entries<'a, 't> {
    entries: std::slice::Iter<'t, (Node<'t>, Node<'t>)>,
    value: Option<&'t (Node<'t>, Node<'t>)>,
    context: &'a Context<'t>,
}

impl<'a, 't> Entries<'a, 't> {
    pub(super) fn new(entries: &'t [(Node<'t>, Node<'t>)], context: &'a Context<'t>) -> Self {
        Self { entries: entries.iter(), value: None, context }
    }
}

impl<'t> MapAccess<'t> for Entries<'_, 't> {
    type Error = ReadError;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        let context = self.context;
        self.value = self.entries.find(|(key, value)| !context.is_out(key) && !context.is_out(value));
        self.value.map(|(key, _)| seed.deserialize(Reader { node: key, context })).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let Some((key, node)) = self.value else { return Err(de::Error::custom("a value without a key")) };
        let name = if let Kind::Text(name) = &key.kind { Some(&**name) } else { None };
        self.context.path.borrow_mut().extend(name);
        let value = seed.deserialize(Reader { node, context: self.context })?;
        if name.is_some() {
            self.context.path.borrow_mut().pop();
        }
        Ok(value)
    }
}

pub(super) struct Fields<'a, 't> {
    fields: std::vec::IntoIter<&'t Field<'t>>,
    value: Option<&'t Node<'t>>,
    context: &'a Context<'t>,
}

impl<'a, 't> Fields<'a, 't> {
    pub(super) fn new(fields: Vec<&'t Field<'t>>, context: &'a Context<'t>) -> Self {
        Self { fields: fields.into_iter(), value: None, context }
    }
}

impl<'t> MapAccess<'t> for Fields<'_, 't> {
    type Error = ReadError;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        let Some(field) = self.fields.next() else { return Ok(None) };
        self.value = Some(&field.value);
        seed.deserialize(BorrowedStrDeserializer::new(field.name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let Some(node) = self.value else { return Err(de::Error::custom("a value without a field")) };
        seed.deserialize(Reader { node, context: self.context })
    }
}

/// File, start, end and the value itself.
pub(super) struct SpannedParts<'a, 't> {
    next: u8,
    reader: Reader<'a, 't>,
}

impl<'a, 't> SpannedParts<'a, 't> {
    pub(super) fn new(reader: Reader<'a, 't>) -> Self {
        Self { next: 0, reader }
    }
}

impl<'t> SeqAccess<'t> for SpannedParts<'_, 't> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        let span = self.reader.node.span;
        self.next += 1;
        let number = |value: u32| -> U32Deserializer<ReadError> { value.into_deserializer() };
        match self.next {
            1 => seed.deserialize(number(span.file.0)).map(Some),
            2 => seed.deserialize(number(span.start)).map(Some),
            3 => seed.deserialize(number(span.end)).map(Some),
            4 => seed.deserialize(self.reader).map(Some),
            _ => Ok(None),
        }
    }
}

/// The name of `Name(field: value)`, then its fields as a map; both with their places.
pub(super) struct NamedParts<'a, 't> {
    next: u8,
    reader: Reader<'a, 't>,
    name: &'t str,
    fields: &'t [Field<'t>],
}

impl<'a, 't> NamedParts<'a, 't> {
    pub(super) fn new(reader: Reader<'a, 't>, name: &'t str, fields: &'t [Field<'t>]) -> Self {
        Self { next: 0, reader, name, fields }
    }
}

impl<'t> SeqAccess<'t> for NamedParts<'_, 't> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        self.next += 1;
        match self.next {
            1 => {
                let begin = self.reader.node.span.start as usize;
                let span = Span::new(self.reader.node.span.file, begin..begin + self.name.len());
                seed.deserialize(Name { text: self.name, span }).map(Some)
            }
            2 => seed.deserialize(FieldMap { fields: self.fields, context: self.reader.context }).map(Some),
            _ => Ok(None),
        }
    }
}

/// A word that stands without quotes, and its place.
#[derive(Clone, Copy)]
struct Name<'t> {
    text: &'t str,
    span: Span,
}

impl<'t> de::Deserializer<'t> for Name<'t> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_borrowed_str(self.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        match name {
            SPANNED => visitor.visit_seq(NameParts { next: 0, name: self }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct NameParts<'t> {
    next: u8,
    name: Name<'t>,
}

impl<'t> SeqAccess<'t> for NameParts<'t> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        self.next += 1;
        let number = |value: u32| -> U32Deserializer<ReadError> { value.into_deserializer() };
        match self.next {
            1 => seed.deserialize(number(self.name.span.file.0)).map(Some),
            2 => seed.deserialize(number(self.name.span.start)).map(Some),
            3 => seed.deserialize(number(self.name.span.end)).map(Some),
            4 => seed.deserialize(self.name).map(Some),
            _ => Ok(None),
        }
    }
}

/// Named fields as a map with text keys.
struct FieldMap<'a, 't> {
    fields: &'t [Field<'t>],
    context: &'a Context<'t>,
}

impl<'t> de::Deserializer<'t> for FieldMap<'_, 't> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_map(NamedFields { fields: self.fields.iter(), value: None, context: self.context })
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct NamedFields<'a, 't> {
    fields: std::slice::Iter<'t, Field<'t>>,
    value: Option<&'t Node<'t>>,
    context: &'a Context<'t>,
}

impl<'t> MapAccess<'t> for NamedFields<'_, 't> {
    type Error = ReadError;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        let context = self.context;
        let Some(field) = self.fields.find(|field| !context.is_out(&field.value)) else { return Ok(None) };
        self.value = Some(&field.value);
        seed.deserialize(Name { text: field.name, span: field.span }).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let Some(node) = self.value else { return Err(de::Error::custom("a value without a field")) };
        seed.deserialize(Reader { node, context: self.context })
    }
}

pub(super) struct Variant<'a, 't> {
    pub(super) name: &'t str,
    pub(super) reader: Reader<'a, 't>,
}

impl<'t> EnumAccess<'t> for Variant<'_, 't> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Self), ReadError> {
        let name = seed.deserialize(BorrowedStrDeserializer::<ReadError>::new(self.name))?;
        Ok((name, self))
    }
}

impl<'t> VariantAccess<'t> for Variant<'_, 't> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match &self.reader.node.kind {
            Kind::Word(_) => Ok(()),
            _ => Err(ReadError::new("wrong-type", format!("`{}` takes no values", self.name))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value, ReadError> {
        match &self.reader.node.kind {
            Kind::Tuple(_, items) => match items.as_slice() {
                [node] => seed.deserialize(Reader { node, ..self.reader }),
                _ => Err(ReadError::new("wrong-type", format!("`{}` takes exactly one value", self.name))),
            },
            _ => Err(ReadError::new("wrong-type", format!("`{}` takes one value: `{}(…)`", self.name, self.name))),
        }
    }

    fn tuple_variant<V: Visitor<'t>>(self, len: usize, visitor: V) -> Result<V::Value, ReadError> {
        match &self.reader.node.kind {
            Kind::Tuple(_, items) if items.len() == len => visitor.visit_seq(Items::new(items, self.reader.context)),
            _ => Err(ReadError::new("wrong-type", format!("`{}` takes {len} values in brackets", self.name))),
        }
    }

    fn struct_variant<V: Visitor<'t>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let given: &'t [Field<'t>] = match &self.reader.node.kind {
            Kind::Struct(_, given) => given,
            Kind::Tuple(_, items) if items.is_empty() => &[],
            _ => {
                return Err(ReadError::new("wrong-type", format!("`{}` takes named fields in brackets", self.name)));
            }
        };
        let known = self.reader.known_fields(given, fields);
        visitor.visit_map(Fields::new(known, self.reader.context))
    }
}
