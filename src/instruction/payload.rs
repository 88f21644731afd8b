//! The message of a command: the inverse of a binding. In: a command, its arguments, its token. Out: bytes. Pure.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::ingest::{json_number, put, whole_payload};
use crate::scene::Command;
use crate::scene::commands::{Payload, Piece, TOKEN};
use crate::value::Value;

/// The bytes that go out, in the units that the equipment wants.
pub fn payload(command: &Command, arguments: &[Value], token: &str) -> Vec<u8> {
    let piece = |piece: &Piece| match piece {
        Piece::Constant(value) => json(value),
        Piece::Token(text) => Json::from(text.replace(TOKEN, token)),
        Piece::Parameter { at, to_payload } => match arguments.get(*at) {
            Some(Value::Number(x)) => json_number(to_payload.apply(*x)),
            Some(other) => json(other),
            None => Json::Null,
        },
    };
    match &command.payload {
        Payload::Raw(only) => whole_payload(&piece(only)),
        Payload::Json(pieces) => {
            let mut fields = Json::Null;
            pieces.iter().for_each(|(pointer, value)| put(&mut fields, pointer, piece(value)));
            fields.to_string().into_bytes()
        }
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::Number(x) => json_number(*x),
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Text(text) => Json::from(&**text),
    }
}

/// A payload as people read it: text as it is, other bytes in hexadecimal.
pub fn shown(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) if !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') => text.to_owned(),
        _ => payload.iter().fold("0x".to_owned(), |mut text, byte| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}
