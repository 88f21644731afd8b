//! Reads answers of equipment. In: an answer as the scene describes it, a message. Out: whether the command was obeyed. Pure.

use serde_json::Value as Json;

use crate::scene::commands::Answer;
use crate::value::Value;

/// So many characters of an answer are shown and kept at most.
const LONGEST_SHOWN: usize = 200;

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
    let text = String::from_utf8_lossy(payload);
    let text = match answer.token.as_deref() {
        None => text.trim().to_owned(),
        Some("") => match beside(&text, token) {
            Some(rest) => rest,
            None => return Said::Nothing,
        },
        Some(pointer) => {
            if json.as_ref().and_then(|json| json.pointer(pointer)).and_then(Json::as_str) != Some(token) {
                return Said::Nothing;
            }
            text.trim().to_owned()
        }
    };
    let (found, shown) = match &answer.pointer {
        // A whole payload is a text where it is no other value.
        None => match serde_json::from_str(&text) {
            Ok(json @ (Json::Bool(_) | Json::Number(_) | Json::Null)) => (json, text),
            _ => (Json::from(text.clone()), text),
        },
        Some(pointer) => match json.as_ref().and_then(|json| json.pointer(pointer)) {
            Some(found) => (found.clone(), found.to_string()),
            None => return Said::Refused(format!("the answer has nothing at {pointer:?}: {}", cut(&text))),
        },
    };
    let is_equal = match &answer.equals {
        Value::Bool(flag) => found.as_bool() == Some(*flag),
        Value::Number(x) => found.as_f64() == Some(*x),
        // What a text says may look like a number.
        Value::Text(text) => found.as_str().map_or_else(|| shown == **text, |found| found == &**text),
    };
    if is_equal { Said::Obeyed } else { Said::Refused(format!("the equipment answers {}", cut(&shown))) }
}

/// What stands in a text beside a token, without the marks between them; none if the token is not there as a word.
fn beside(text: &str, token: &str) -> Option<String> {
    let (before, after) = text.split_once(token)?;
    let is_part_of_word = before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
    let is_mark = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '=' | '|');
    let (before, after) = (before.trim_matches(is_mark), after.trim_matches(is_mark));
    let space = if before.is_empty() || after.is_empty() { "" } else { " " };
    (!is_part_of_word).then(|| format!("{before}{space}{after}"))
}

/// Equipment may say much: the journal keeps the beginning, and how much there was.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}… (cut, {} bytes in all)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}
