//! Reads answers of equipment. In: an answer as the scene describes it, a message. Out: whether the command was obeyed. Pure.

use serde_json::Value as Json;

use crate::scene::commands::Answer;
use crate::value::Value;

/// What a message says about a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// It is no answer to this command.
    Nothing,
    Obeyed,
    /// In the words of the equipment.
    Refused(String),
}

pub(super) fn said(answer: &Answer, token: &str, topic: &str, payload: &[u8]) -> Said {
    if topic != answer.topic || payload.is_empty() {
        return Said::Nothing;
    }
    let json: Option<Json> = serde_json::from_slice(payload).ok();
    if let Some(pointer) = &answer.token
        && json.as_ref().and_then(|json| json.pointer(pointer)).and_then(Json::as_str) != Some(token)
    {
        return Said::Nothing;
    }
    let raw = || String::from_utf8_lossy(payload).trim().to_owned();
    let (found, shown) = match &answer.pointer {
        None => match json {
            // A whole payload is a text where it is no other value.
            Some(json) if !json.is_string() && !json.is_object() && !json.is_array() => (json, raw()),
            _ => (Json::from(raw()), raw()),
        },
        Some(pointer) => match json.as_ref().and_then(|json| json.pointer(pointer)) {
            Some(found) => (found.clone(), found.to_string()),
            None => return Said::Refused(format!("the answer has nothing at {pointer:?}: {}", raw())),
        },
    };
    let is_equal = match &answer.equals {
        Value::Bool(flag) => found.as_bool() == Some(*flag),
        Value::Number(x) => found.as_f64() == Some(*x),
        // What a text says may look like a number.
        Value::Text(text) => found.as_str().map_or_else(|| shown == **text, |found| found == &**text),
    };
    if is_equal { Said::Obeyed } else { Said::Refused(format!("the equipment answers {shown}")) }
}
