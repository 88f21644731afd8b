//! The memory of producers, as a keyframe holds it. In: blobs by name. Out: JSON, and the same blobs. Never looks into them.
//!
//! `{"P-101.efficiency": {"version": 1, "data": "00ff10"}}`: bytes as hexadecimal digits, which the compression of a chunk
//! halves again.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::produce::ProducerState;

/// States up to this size stand in every keyframe; larger ones less often, see [`format`](mod@super::format).
pub const LARGE_STATE: usize = 64 << 10;

/// Whether a state need not stand in every keyframe.
pub fn is_large(state: &ProducerState) -> bool {
    state.data.len() > LARGE_STATE
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u16,
    data: String,
}

pub(super) fn serialize<S: Serializer>(
    states: &BTreeMap<String, ProducerState>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let stored = |state: &ProducerState| Stored { version: state.version, data: to_hex(&state.data) };
    serializer.collect_map(states.iter().map(|(name, state)| (name, stored(state))))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, ProducerState>, D::Error> {
    let stored = BTreeMap::<String, Stored>::deserialize(deserializer)?;
    let states = stored.into_iter().map(|(name, Stored { version, data })| match from_hex(&data) {
        Some(data) => Ok((name, ProducerState { version, data })),
        None => Err(serde::de::Error::custom(format_args!(
            "{name}: its data are not written as pairs of hexadecimal digits"
        ))),
    });
    states.collect()
}

fn to_hex(data: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = data.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_state_survives_its_file(data in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(from_hex(&to_hex(&data)), Some(data));
        }

        #[test]
        fn no_text_breaks_it(text in "\\PC{0,20}|[0-9a-fA-F]{0,9}") {
            if let Some(data) = from_hex(&text) {
                prop_assert_eq!(data.len() * 2, text.len());
            }
        }
    }

    #[test]
    fn a_half_byte_is_refused() {
        assert_eq!((from_hex("00ff10"), from_hex("00f"), from_hex("0g")), (Some(vec![0, 255, 16]), None, None));
    }
}
