//! Turns a cell of a table into a value of a payload. In: text, the kind of a signal. Out: JSON. Never rejects a cell:
//! one that does not fit stays text, and the decoder judges it as it would judge the plant.

use serde_json::Value as Json;

use crate::scene::ValueKind;
use crate::value::Conversion;

/// Words for a value that its sensor did not have.
const MISSING: [&str; 7] = ["nan", "null", "none", "n/a", "na", "bad", "#n/a"];

/// None for an empty cell: the logger had nothing to say; a text may be empty. `to_payload` takes the cell's number to
/// the payload's.
pub(super) fn json(text: &str, kind: ValueKind, to_payload: &Conversion) -> Option<Json> {
    let text = text.trim();
    if text.is_empty() && kind != ValueKind::Text {
        return None;
    }
    if kind != ValueKind::Text && MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(Json::Null);
    }
    Some(match kind {
        ValueKind::Number => match number(text).map(|x| to_payload.apply(x)).and_then(serde_json::Number::from_f64) {
            Some(number) => Json::Number(number),
            None => Json::String(text.to_owned()),
        },
        ValueKind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "1.0" | "on" | "yes" | "wahr" | "vrai" => Json::Bool(true),
            "false" | "0" | "0.0" | "off" | "no" | "falsch" | "faux" => Json::Bool(false),
            _ => Json::String(text.to_owned()),
        },
        ValueKind::Text => Json::String(text.to_owned()),
    })
}

/// With a point, or with the comma that half of the world writes; never with both, whose meaning nobody knows.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().or_else(|| match text.split_once(',') {
        Some((whole, part)) if !part.contains(',') => format!("{whole}.{part}").parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_by_the_kind_of_its_signal() {
        let plain = &Conversion::IDENTITY;
        let number = |text| json(text, ValueKind::Number, plain);
        assert_eq!(number("21.5"), Some(Json::from(21.5)));
        assert_eq!(number("21,5"), Some(Json::from(21.5)));
        assert_eq!(number("1.021,5"), Some(Json::from("1.021,5")), "ambiguous: the decoder says so");
        assert_eq!(number(" NaN "), Some(Json::Null));
        assert_eq!(number("  "), None);
        assert_eq!(json("25", ValueKind::Number, &Conversion::from_parts([9.0, 160.0, 5.0])), Some(Json::from(77.0)));
        assert_eq!(json("On", ValueKind::Bool, plain), Some(Json::Bool(true)));
        assert_eq!(json("0.0", ValueKind::Bool, plain), Some(Json::Bool(false)));
        assert_eq!(json("2", ValueKind::Bool, plain), Some(Json::from("2")));
        assert_eq!(json("none", ValueKind::Text, plain), Some(Json::from("none")));
        assert_eq!(json("", ValueKind::Text, plain), Some(Json::from("")));
    }
}
