//! Looks at the first bytes of a connection. In: the beginning of a CONNECT packet. Out: whether the broker can take
//! the client as it is, and, if not, the same packet with what the broker would refuse replaced. Pure: reads no socket.
//!
//! Two things that the standard allows are not served by the `mqtt5` crate as they are:
//! - client identifiers with `/`, `\` or control characters, longer than 128 bytes, named `.` or `..`, or beginning
//!   with `cert:`; MQTT 5 section 3.1.3.1 lets a server refuse these, but devices in the field use them, so each gets
//!   an alias;
//! - keep-alive 0, which turns the check off (section 3.1.2.10); the crate closes such a connection after 300 s of
//!   silence, so it is told the longest keep-alive there is.
//!
//! Layout of CONNECT: MQTT 5, section 3.1, and MQTT 3.1.1, section 3.1.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// A CONNECT holds at most seven fields of 64 KiB and its properties.
pub(super) const LONGEST_CONNECT: usize = 1024 * 1024;
/// Longest identifier that the crate accepts, in bytes.
const LONGEST_ID: usize = 128;
/// Replaces keep-alive 0: 65,535 s. The crate waits 1½ times that, 27 hours.
const LONGEST_KEEP_ALIVE: [u8; 2] = [0xff, 0xff];

/// What the first bytes say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Knock {
    /// Too few bytes to say.
    Incomplete,
    /// Not MQTT.
    Stranger,
    /// The broker takes it from here, even if only to refuse it in the words of the protocol.
    Plain,
    /// Needs [`adapt`] first.
    Adapt,
}

/// Where the fields lie, counted from the first byte of the packet.
struct Layout {
    /// Where the fixed header ends.
    body: usize,
    /// Length of the whole packet.
    total: usize,
    keep_alive: usize,
    /// Without its two bytes of length; may lie beyond the bytes seen so far.
    id: Range<usize>,
}

pub(super) fn examine(head: &[u8]) -> Knock {
    let layout = match layout(head) {
        Ok(layout) => layout,
        Err(knock) => return knock,
    };
    if head.get(layout.keep_alive..layout.keep_alive + 2) == Some(&[0, 0]) || layout.id.len() > LONGEST_ID {
        return Knock::Adapt;
    }
    match head.get(layout.id).map(std::str::from_utf8) {
        None => Knock::Incomplete,
        Some(Ok(id)) if needs_alias(id) => Knock::Adapt,
        Some(_) => Knock::Plain,
    }
}

/// Length of the whole CONNECT packet, as soon as it can be told.
pub(super) fn total_length(head: &[u8]) -> Option<usize> {
    fixed_header(head).ok().map(|(_, total)| total)
}

/// The packet with a client identifier and a keep-alive that the broker accepts; unchanged where nothing is odd.
pub(super) fn adapt(packet: &[u8], aliases: &Aliases) -> Vec<u8> {
    let Ok(layout) = layout(packet) else { return packet.to_vec() };
    let (Some(before), Some(id), Some(after)) = (
        packet.get(layout.body..layout.id.start.saturating_sub(2)),
        packet.get(layout.id.clone()),
        packet.get(layout.id.end..layout.total),
    ) else {
        return packet.to_vec();
    };
    let alias = std::str::from_utf8(id).ok().filter(|id| needs_alias(id)).map(|id| aliases.of(id));
    let id = alias.as_deref().map_or(id, str::as_bytes);
    let Ok(id_length) = u16::try_from(id.len()) else { return packet.to_vec() };

    let mut body = before.to_vec();
    if let Some(keep_alive) = body.get_mut(layout.keep_alive - layout.body..layout.keep_alive - layout.body + 2)
        && keep_alive == [0, 0]
    {
        keep_alive.copy_from_slice(&LONGEST_KEEP_ALIVE);
    }
    body.extend_from_slice(&id_length.to_be_bytes());
    body.extend_from_slice(id);
    body.extend_from_slice(after);
    let mut adapted = vec![CONNECT];
    write_variable(body.len(), &mut adapted);
    adapted.extend_from_slice(&body);
    adapted
}

/// Names for clients whose own the broker does not accept: the same name always gets the same alias, as long as the
/// broker runs, so that its session is found again. Random keys keep one client from guessing another's alias.
#[derive(Default)]
pub(super) struct Aliases {
    high: RandomState,
    low: RandomState,
}

impl Aliases {
    fn of(&self, id: &str) -> String {
        format!("alias-{:016x}{:016x}", self.high.hash_one(id), self.low.hash_one(id))
    }
}

fn needs_alias(id: &str) -> bool {
    // U+0000 makes the packet malformed (section 1.5.4): the broker has to see and refuse it.
    !id.contains('\0') && (!mqtt5::is_path_safe_client_id(id) || id.starts_with("cert:"))
}

/// First byte of CONNECT.
const CONNECT: u8 = 0x10;

/// Where the fixed header ends and where the packet ends.
fn fixed_header(head: &[u8]) -> Result<(usize, usize), Knock> {
    match head.first() {
        None => return Err(Knock::Incomplete),
        Some(&CONNECT) => {}
        Some(_) => return Err(Knock::Stranger),
    }
    let (length, body) = variable(head, 1)?;
    let total = body + length;
    if total > LONGEST_CONNECT { Err(Knock::Stranger) } else { Ok((body, total)) }
}

fn layout(head: &[u8]) -> Result<Layout, Knock> {
    let (body, total) = fixed_header(head)?;
    let field = |range: Range<usize>| {
        if range.end > total { Err(Knock::Plain) } else { head.get(range).ok_or(Knock::Incomplete) }
    };
    if field(body..body + 6)? != b"\x00\x04MQTT" {
        // Nothing else was ever called MQTT, save its forerunner, which the broker refuses by the book.
        return Err(if field(body..body + 8)? == b"\x00\x06MQIsdp" { Knock::Plain } else { Knock::Stranger });
    }
    let keep_alive = body + 8;
    field(keep_alive..keep_alive + 2)?;
    let after_keep_alive = keep_alive + 2;
    let id_length_at = match field(body + 6..body + 7)? {
        [4] => after_keep_alive,
        [5] => {
            let (properties, start) = variable(head, after_keep_alive)?;
            start + properties
        }
        _ => return Err(Knock::Plain),
    };
    let id = id_length_at + 2;
    let length = match field(id_length_at..id)? {
        &[high, low] => usize::from(u16::from_be_bytes([high, low])),
        _ => return Err(Knock::Plain),
    };
    if id + length > total {
        return Err(Knock::Plain);
    }
    Ok(Layout { body, total, keep_alive, id: id..id + length })
}

/// A variable byte integer (section 1.5.5) and where the next field begins.
fn variable(head: &[u8], at: usize) -> Result<(usize, usize), Knock> {
    let mut value = 0;
    for (digit, position) in (at..at + 4).enumerate() {
        let byte = *head.get(position).ok_or(Knock::Incomplete)?;
        value |= usize::from(byte & 0x7f) << (7 * digit);
        if byte & 0x80 == 0 {
            return Ok((value, position + 1));
        }
    }
    Err(Knock::Stranger)
}

fn write_variable(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let digit = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(digit);
        }
        out.push(digit | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A CONNECT with a user name after the identifier, so that there is something to keep.
    fn connect(level: u8, keep_alive: u16, properties: &[u8], id: &str) -> Vec<u8> {
        let mut body = b"\x00\x04MQTT".to_vec();
        body.extend([level, 0b1000_0010]);
        body.extend(keep_alive.to_be_bytes());
        if level == 5 {
            write_variable(properties.len(), &mut body);
            body.extend(properties);
        }
        for text in [id, "anna"] {
            body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            body.extend(text.as_bytes());
        }
        let mut packet = vec![CONNECT];
        write_variable(body.len(), &mut packet);
        packet.extend(body);
        packet
    }

    #[test]
    fn ordinary_clients_pass_as_they_are() {
        for level in [4, 5] {
            for id in ["", "pump-7", "+", "#", "$SYS", "a b", "Zähler ☃", &"x".repeat(128)] {
                assert_eq!(examine(&connect(level, 60, &[], id)), Knock::Plain, "{level} {id:?}");
            }
        }
    }

    #[test]
    fn identifiers_and_keep_alives_that_the_broker_would_turn_away_are_adapted() {
        for level in [4, 5] {
            for id in ["hall/3/pump", "a\\b", ".", "..", "cert:7", "tab\there", &"x".repeat(129), &"é".repeat(32_000)]
            {
                assert_eq!(examine(&connect(level, 60, &[], id)), Knock::Adapt, "{level} {id:?}");
            }
            assert_eq!(examine(&connect(level, 0, &[], "pump-7")), Knock::Adapt);
        }
    }

    #[test]
    fn what_is_not_mqtt_is_a_stranger_and_what_is_malformed_is_left_to_the_broker() {
        for bytes in
            [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01", b"\x10\xff\xff\xff\xff\x00", b"\x10\x0c\x00\x04HTTP...."]
        {
            assert_eq!(examine(bytes), Knock::Stranger, "{bytes:?}");
        }
        assert_eq!(examine(&connect(4, 60, &[], "nul\0")), Knock::Plain);
        assert_eq!(examine(&connect(6, 60, &[], "a/b")), Knock::Plain);
        assert_eq!(examine(b"\x10\x10\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x02ab"), Knock::Plain);
        assert_eq!(examine(b"\x10\x02\x00\x04"), Knock::Plain);
    }

    #[test]
    fn an_alias_is_the_same_for_the_same_name_only() {
        let aliases = Aliases::default();
        assert_eq!(aliases.of("a/b"), aliases.of("a/b"));
        assert_ne!(aliases.of("a/b"), aliases.of("a/c"));
        assert_ne!(aliases.of("a/b"), Aliases::default().of("a/b"));
        assert!(!needs_alias(&aliases.of("a/b")));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut connect_like = vec![CONNECT];
            connect_like.extend(&bytes);
            for head in [bytes, connect_like] {
                examine(&head);
                adapt(&head, &Aliases::default());
            }
        }

        #[test]
        fn only_a_whole_identifier_is_judged(id in "[a-z/]{1,40}", level in 4_u8..=5) {
            let packet = connect(level, 60, &[0x21, 0, 10], &id);
            let known_from = packet.len() - 6;
            for length in 0..known_from {
                prop_assert_eq!(examine(&packet[..length]), Knock::Incomplete);
            }
            let expected = if id.contains('/') { Knock::Adapt } else { Knock::Plain };
            prop_assert_eq!(examine(&packet[..known_from]), expected);
        }

        #[test]
        fn adapting_changes_the_identifier_and_keep_alive_and_nothing_else(
            id in ".{0,200}", level in 4_u8..=5, keep_alive in prop_oneof![Just(0), any::<u16>()],
            properties in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let aliases = Aliases::default();
            let expected_id = if needs_alias(&id) { aliases.of(&id) } else { id.clone() };
            let expected_keep_alive = if keep_alive == 0 { 0xffff } else { keep_alive };
            let adapted = adapt(&connect(level, keep_alive, &properties, &id), &aliases);
            prop_assert_eq!(&adapted, &connect(level, expected_keep_alive, &properties, &expected_id));
            prop_assert_eq!(total_length(&adapted), Some(adapted.len()));
        }
    }
}
