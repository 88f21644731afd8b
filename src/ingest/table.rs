//! Which signals a topic feeds, and how: made once per scene and broker, read for every message.

use std::sync::Arc;

use bevy::platform::collections::HashMap;

use super::pointer::{Found, PointerTree};
use super::topic::{FilterTrie, covers, has_wildcard};
use super::value::{self, Wanted};
use super::{ClockError, DecodeError, Message, Outcome};
use crate::scene::{Binding, Decoder, Scene, Signal, SignalSource, TimeField, TimeFormat};
use crate::value::{Origin, Quality, Reason, Sample, Shift, SignalIndex, Timestamp, Value};

/// Fields of a topic that are read without allocating.
const SLOTS_ON_STACK: usize = 24;
/// Most topics have no more than these: to clear and drop slots costs as much as to fill them.
const FEW_SLOTS: usize = 12;
/// Wildcard filters that are compared pair by pair to leave out covered ones; more are subscribed as they are.
const MOST_COMPARED: usize = 2_000;

/// The bindings of one scene to one broker.
#[derive(Debug)]
pub struct BindingTable {
    generation: u32,
    exact: HashMap<Box<str>, u32>,
    wildcards: FilterTrie,
    plans: Vec<Plan>,
    filters: Vec<String>,
    /// Topics on which equipment answers to commands.
    answers: Vec<String>,
}

/// Trees by their pointers, so many of values and the rest of times. Twins of one type share theirs, which keeps it in the processor's cache.
type Trees = HashMap<(usize, Vec<String>), (Arc<PointerTree>, Vec<usize>)>;

/// All that is read from messages that match one filter.
#[derive(Debug, Default)]
struct Plan {
    raw: Vec<(SignalIndex, Wanted)>,
    fields: Vec<Field>,
    tree: Arc<PointerTree>,
}

#[derive(Debug)]
struct Field {
    signal: SignalIndex,
    wanted: Wanted,
    pointer: Box<str>,
    slot: usize,
    time: Option<TimeSource>,
}

#[derive(Debug)]
struct TimeSource {
    pointer: Box<str>,
    format: TimeFormat,
    slot: usize,
}

impl BindingTable {
    /// The bindings of `scene` to the broker of that name, and those that name no broker.
    pub fn new(scene: &Scene, broker: &str, generation: u32) -> Self {
        let mut by_filter: HashMap<&str, Vec<(&Signal, &Binding)>> = HashMap::default();
        let mut order: Vec<&str> = Vec::new();
        for signal in &scene.signals {
            let SignalSource::Mqtt(binding) = &signal.source else { continue };
            if binding.broker.as_deref().is_some_and(|name| name != broker) {
                continue;
            }
            let bound = by_filter.entry(&binding.topic).or_default();
            if bound.is_empty() {
                order.push(&binding.topic);
            }
            bound.push((signal, binding));
        }

        let mut table = Self {
            generation,
            exact: HashMap::default(),
            wildcards: FilterTrie::default(),
            plans: Vec::with_capacity(order.len()),
            filters: Vec::new(),
            answers: scene.answers_from(broker).map(str::to_owned).collect(),
        };
        table.answers.sort_unstable();
        table.answers.dedup();
        let mut trees = Trees::default();
        for filter in &order {
            let number = table.plans.len() as u32;
            table.plans.push(Plan::new(by_filter.get(filter).map_or(&[], Vec::as_slice), &mut trees));
            if has_wildcard(filter) {
                table.wildcards.insert(filter, number);
            } else {
                table.exact.insert((*filter).into(), number);
            }
        }
        let chosen = scene.brokers.get(broker).map_or(&[][..], |broker| &broker.subscribe);
        let answers = table.answers.iter().map(String::as_str);
        table.filters = match chosen.is_empty() {
            true => minimal(&order.iter().copied().chain(answers).collect::<Vec<_>>()),
            false => minimal(chosen),
        };
        table
    }

    /// Rises with each scene; batches carry it.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// What to subscribe to, sorted: the broker's own list, else the bound topics; without doubles and without filters
    /// that others cover.
    pub fn filters(&self) -> &[String] {
        &self.filters
    }

    /// Whether equipment answers to commands on this topic.
    pub fn is_answer(&self, topic: &str) -> bool {
        self.answers.binary_search_by(|known| known.as_str().cmp(topic)).is_ok()
    }

    /// Adds the samples of a message to `out`.
    pub fn decode(&self, message: &Message, out: &mut Vec<Sample>) -> Outcome {
        self.decode_shifted(message, Shift::NONE, out)
    }

    /// The same as if its sender's clock were so much ahead: the times in the payload are later.
    pub fn decode_shifted(&self, message: &Message, clock: Shift, out: &mut Vec<Sample>) -> Outcome {
        let before = out.len();
        let mut outcome = Outcome { unknown_topic: true, ..Outcome::default() };
        if let Some(number) = self.exact.get(message.topic) {
            self.decode_by(*number, message, clock, out, &mut outcome);
        }
        if !self.wildcards.is_empty() {
            self.wildcards
                .for_each_match(message.topic, &mut |number| self.decode_by(number, message, clock, out, &mut outcome));
        }
        outcome.samples = out.len() - before;
        outcome
    }

    fn decode_by(&self, number: u32, message: &Message, clock: Shift, out: &mut Vec<Sample>, outcome: &mut Outcome) {
        outcome.unknown_topic = false;
        if let Some(plan) = self.plans.get(number as usize) {
            // A retained message is deleted so: no value, and no fault.
            if !message.payload.is_empty() {
                plan.decode(message, clock, out, outcome);
            }
        }
    }
}

impl Plan {
    fn new(bound: &[(&Signal, &Binding)], trees: &mut Trees) -> Self {
        let mut plan = Plan::default();
        for (signal, binding) in bound {
            let wanted = Wanted::of(signal, binding);
            match &binding.decoder {
                Decoder::Raw => plan.raw.push((signal.index, wanted)),
                Decoder::Json(pointer) => plan.fields.push(Field {
                    signal: signal.index,
                    wanted,
                    pointer: pointer.as_str().into(),
                    slot: 0,
                    time: match &binding.time {
                        TimeField::Receive => None,
                        TimeField::Json { pointer, format } => {
                            Some(TimeSource { pointer: pointer.as_str().into(), format: *format, slot: 0 })
                        }
                    },
                }),
            }
        }
        let values = plan.fields.iter().map(|field| &*field.pointer);
        let times = plan.fields.iter().filter_map(|field| field.time.as_ref()).map(|time| &*time.pointer);
        let pointers: Vec<String> = values.chain(times).map(str::to_owned).collect();
        let (tree, slots) = trees.entry((plan.fields.len(), pointers)).or_insert_with_key(|(values, pointers)| {
            let (mut tree, slots) = PointerTree::new(pointers.iter().map(String::as_str));
            pointers.iter().skip(*values).for_each(|time| tree.keep_digits(time));
            (Arc::new(tree), slots)
        });
        plan.tree = tree.clone();
        let mut slots = slots.iter().copied();
        plan.fields.iter_mut().map(|field| &mut field.slot).zip(slots.by_ref()).for_each(|(to, slot)| *to = slot);
        let times = plan.fields.iter_mut().filter_map(|field| field.time.as_mut());
        times.zip(slots).for_each(|(time, slot)| time.slot = slot);
        plan
    }

    fn decode(&self, message: &Message, clock: Shift, out: &mut Vec<Sample>, outcome: &mut Outcome) {
        if !self.raw.is_empty() {
            self.decode_raw(message, out, outcome);
        }
        if self.fields.is_empty() {
            return;
        }
        let count = self.tree.slot_count();
        if count <= FEW_SLOTS {
            let mut slots = [const { Found::Missing }; FEW_SLOTS];
            self.decode_json((message, clock), &mut slots[..count], out, outcome);
        } else if count <= SLOTS_ON_STACK {
            let mut slots = [const { Found::Missing }; SLOTS_ON_STACK];
            self.decode_json((message, clock), &mut slots[..count], out, outcome);
        } else {
            self.decode_json((message, clock), &mut vec![Found::Missing; count], out, outcome);
        }
    }

    fn decode_raw(&self, message: &Message, out: &mut Vec<Sample>, outcome: &mut Outcome) {
        let found = value::raw(message.payload);
        for (signal, wanted) in &self.raw {
            let (value, quality) = found.as_ref().and_then(|found| wanted.value(found)).unwrap_or_else(|| {
                outcome.tell(|| match &found {
                    None => DecodeError::NotText,
                    Some(found) => DecodeError::Kind {
                        pointer: "payload".to_owned(),
                        found: value::describe(found),
                        expected: wanted.expected(),
                    },
                });
                (wanted.stand_in(), Quality::bad(Reason::DecodeError))
            });
            let quality = if message.retained { wanted.retained(quality, None, message.receive_time) } else { quality };
            out.push(sample(*signal, message.receive_time, message, value, quality));
        }
    }

    fn decode_json<'de>(
        &self,
        (message, ahead): (&Message<'de>, Shift),
        slots: &mut [Found<'de>],
        out: &mut Vec<Sample>,
        outcome: &mut Outcome,
    ) {
        if let Err(cause) = self.tree.read(message.payload, slots) {
            outcome.tell(|| DecodeError::NotJson { cause: cause.to_string() });
            self.mark_undecodable(message, out);
            return;
        }
        let mut clock = Clock { message, ahead, last: None };
        let mut something = false;
        out.reserve(self.fields.len());
        for field in &self.fields {
            let found = match slots.get(field.slot) {
                None | Some(Found::Missing) => continue,
                Some(found) => found,
            };
            something = true;
            let source_time = match &field.time {
                None => None,
                Some(time) => clock.source_time(time, slots, &mut outcome.clock),
            };
            let told = source_time;
            let source_time = source_time.unwrap_or(message.receive_time);
            let of_age = |quality| match message.retained {
                true => field.wanted.retained(quality, told, message.receive_time),
                false => quality,
            };
            // Built where it will stand: a sample that is copied as a whole waits for each of its parts.
            if let Some((x, quality)) = field.wanted.number(found) {
                let quality = of_age(quality);
                out.push(Sample {
                    signal: field.signal,
                    source_time,
                    receive_time: message.receive_time,
                    value: Value::Number(x),
                    quality,
                    origin: Origin::Measured,
                });
                continue;
            }
            let (value, quality) = field.wanted.value(found).unwrap_or_else(|| {
                outcome.tell(|| DecodeError::Kind {
                    pointer: field.pointer.to_string(),
                    found: value::describe(found),
                    expected: field.wanted.expected(),
                });
                (field.wanted.stand_in(), Quality::bad(Reason::DecodeError))
            });
            let quality = of_age(quality);
            out.push(sample(field.signal, source_time, message, value, quality));
        }
        if !something && let Some(first) = self.fields.first() {
            outcome.tell(|| DecodeError::NothingThere { pointer: first.pointer.to_string(), count: self.fields.len() });
        }
    }

    fn mark_undecodable(&self, message: &Message, out: &mut Vec<Sample>) {
        out.extend(self.fields.iter().map(|field| {
            let quality = Quality::bad(Reason::DecodeError);
            sample(field.signal, message.receive_time, message, field.wanted.stand_in(), quality)
        }));
    }
}

/// Source times of one message: all fields mostly share one, which is read once.
struct Clock<'m, 'de> {
    message: &'m Message<'de>,
    /// How much the sender's clock is ahead of the one that it has.
    ahead: Shift,
    last: Option<((usize, TimeFormat), Option<Timestamp>)>,
}

impl Clock<'_, '_> {
    fn source_time(
        &mut self,
        from: &TimeSource,
        slots: &[Found],
        problem: &mut Option<ClockError>,
    ) -> Option<Timestamp> {
        let key = (from.slot, from.format);
        if let Some((last, time)) = self.last
            && last == key
        {
            return time;
        }
        let time = match slots.get(from.slot) {
            None | Some(Found::Missing) => {
                problem.get_or_insert_with(|| ClockError::Missing { pointer: from.pointer.to_string() });
                None
            }
            Some(found) => {
                match value::source_time(found, from.format, &from.pointer, self.ahead, self.message.receive_time) {
                    Ok(time) => Some(time),
                    Err(error) => {
                        problem.get_or_insert(error);
                        None
                    }
                }
            }
        };
        self.last = Some((key, time));
        time
    }
}

#[inline]
fn sample(
    signal: SignalIndex,
    source_time: Timestamp,
    message: &Message,
    value: crate::value::Value,
    quality: Quality,
) -> Sample {
    Sample { signal, source_time, receive_time: message.receive_time, value, quality, origin: Origin::Measured }
}

/// Sorted, without doubles and without filters that others cover.
fn minimal<S: AsRef<str>>(filters: &[S]) -> Vec<String> {
    let mut all: Vec<&str> = filters.iter().map(AsRef::as_ref).collect();
    all.sort_unstable();
    all.dedup();
    let wild: Vec<&str> = all.iter().copied().filter(|filter| has_wildcard(filter)).collect();
    let mut trie = FilterTrie::default();
    for (number, filter) in wild.iter().enumerate() {
        trie.insert(filter, number as u32);
    }
    let is_covered = |filter: &str| {
        if !has_wildcard(filter) {
            let mut covered = false;
            trie.for_each_match(filter, &mut |_| covered = true);
            covered
        } else {
            wild.len() <= MOST_COMPARED
                && wild.iter().any(|wide| {
                    *wide != filter
                        && covers(wide, filter)
                        && !(filter.starts_with('$') && wide.starts_with(['+', '#']))
                })
        }
    };
    all.iter().filter(|filter| !is_covered(filter)).map(|filter| (*filter).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scene::{Limits, ValueKind};
    use crate::value::{Conversion, TwinIndex, Unit, Value};

    const NOW: Timestamp = Timestamp(1_769_860_800_000_000_000);

    fn json(pointer: &str) -> Decoder {
        Decoder::Json(pointer.to_owned())
    }

    fn scene(bound: &[(&str, Decoder, ValueKind)]) -> Scene {
        let signals = bound.iter().enumerate().map(|(n, (topic, decoder, kind))| Signal {
            index: SignalIndex(n as u32),
            twin: TwinIndex(0),
            name: format!("s{n}"),
            label: String::new(),
            kind: *kind,
            unit: Unit::none(),
            source: SignalSource::Mqtt(Binding {
                broker: None,
                topic: (*topic).to_owned(),
                decoder: decoder.clone(),
                time: TimeField::Receive,
                conversion: Conversion::IDENTITY,
            }),
            expires: None,
            range: None,
            limits: Limits::default(),
        });
        Scene { signals: signals.collect(), ..Scene::default() }
    }

    fn decode(table: &BindingTable, topic: &str, payload: &[u8]) -> (Vec<Sample>, Outcome) {
        let mut out = Vec::new();
        let message = Message { topic, payload, retained: false, qos: 0, receive_time: NOW };
        let outcome = table.decode(&message, &mut out);
        (out, outcome)
    }

    #[test]
    fn one_message_feeds_all_signals_of_its_topic_exact_and_wildcard() {
        let number = ValueKind::Number;
        let table = BindingTable::new(
            &scene(&[("a/b", json("/x"), number), ("a/b", json("/y/0"), number), ("a/+", json("/x"), number)]),
            "plant",
            3,
        );
        let (samples, outcome) = decode(&table, "a/b", br#"{"x":1,"y":[2]}"#);
        let values: Vec<_> = samples.iter().map(|sample| (sample.signal.0, sample.value.as_f64())).collect();
        assert_eq!(values, [(0, Some(1.0)), (1, Some(2.0)), (2, Some(1.0))]);
        assert_eq!(outcome, Outcome { samples: 3, ..Outcome::default() });
        assert!(decode(&table, "b", b"1").1.unknown_topic);
        assert_eq!(table.generation(), 3);
    }

    #[test]
    fn a_missing_field_is_no_error_unless_all_are_missing() {
        let number = ValueKind::Number;
        let table = BindingTable::new(&scene(&[("t", json("/x"), number), ("t", json("/y"), number)]), "plant", 0);
        let (samples, outcome) = decode(&table, "t", br#"{"y":1}"#);
        assert_eq!((samples.len(), outcome.error), (1, None));
        let (samples, outcome) = decode(&table, "t", br#"{"z":1}"#);
        assert_eq!(samples, [], "a message of another kind says nothing of the signals");
        expect_test::expect!["none of the 2 bound fields is in the payload, not even `/x`"]
            .assert_eq(&outcome.error.unwrap().to_string());
    }

    #[test]
    fn a_wrong_kind_names_pointer_found_and_expected_and_spares_the_other_fields() {
        let kinds = [("t", json("/x"), ValueKind::Number), ("t", json("/y"), ValueKind::Text)];
        let table = BindingTable::new(&scene(&kinds), "plant", 0);
        let (samples, outcome) = decode(&table, "t", br#"{"x":[1],"y":"ok"}"#);
        assert_eq!(samples[0].quality, Quality::bad(Reason::DecodeError));
        assert_eq!(samples[1].value, Value::Text("ok".into()));
        expect_test::expect!["`/x` is an array, expected a number"].assert_eq(&outcome.error.unwrap().to_string());
    }

    #[test]
    fn all_that_is_wrong_in_a_message_is_told_and_each_field_stands_for_itself() {
        let kinds = [ValueKind::Number, ValueKind::Number, ValueKind::Text, ValueKind::Bool];
        let bound: Vec<_> = ["/a", "/b", "/c", "/d"].iter().map(|pointer| json(pointer)).zip(kinds).collect();
        let bound: Vec<_> = bound.into_iter().map(|(decoder, kind)| ("t", decoder, kind)).collect();
        let table = BindingTable::new(&scene(&bound), "plant", 0);
        let (samples, outcome) = decode(&table, "t", b"{\"a\":NaN,\"b\":40,\"c\":5,\"d\":maybe,\"e\":\"\xfc\"}");
        let qualities: Vec<_> = samples.iter().map(|sample| sample.quality).collect();
        let undecodable = Quality::bad(Reason::DecodeError);
        assert_eq!(qualities, [Quality::bad(Reason::NotFinite), Quality::GOOD, undecodable, undecodable]);
        expect_test::expect![[
            "`/c` is the number 5, expected text; `/d` is `maybe`, which is no JSON value, expected a boolean"
        ]]
        .assert_eq(&outcome.error.unwrap().to_string());
        let (_, outcome) = decode(&table, "t", br#"{"a":"x","b":"y","c":1,"d":2}"#);
        assert_eq!(outcome.error.unwrap().to_string().matches(';').count(), 3);
    }

    #[test]
    fn an_empty_payload_deletes_a_retained_message_and_is_no_value() {
        let bound = [("t", Decoder::Raw, ValueKind::Text), ("t", Decoder::Raw, ValueKind::Number)];
        let both = [bound[0].clone(), bound[1].clone(), ("t", json("/x"), ValueKind::Number)];
        let (samples, outcome) = decode(&BindingTable::new(&scene(&both), "plant", 0), "t", b"");
        assert_eq!((samples.len(), outcome), (0, Outcome::default()));
    }

    #[test]
    fn a_source_time_that_is_not_there_is_told() {
        let mut scene = scene(&[("t", json("/x"), ValueKind::Number)]);
        if let SignalSource::Mqtt(binding) = &mut scene.signals[0].source {
            binding.time = TimeField::Json { pointer: "/tsx".into(), format: TimeFormat::Seconds };
        }
        let (samples, outcome) = decode(&BindingTable::new(&scene, "plant", 0), "t", br#"{"x":1,"ts":5}"#);
        assert_eq!((samples[0].quality, samples[0].source_time), (Quality::GOOD, NOW));
        let said = "clock: the source time `/tsx` is not in the payload: the receive time stands for it";
        assert_eq!(outcome.clock.unwrap().to_string(), said);
    }

    #[test]
    fn a_pointer_may_be_a_value_of_one_topic_and_the_time_of_another() {
        let number = |topic, pointer| (topic, json(pointer), ValueKind::Number);
        let mut scene = scene(&[number("a", "/x"), number("a", "/t"), number("b", "/x")]);
        if let SignalSource::Mqtt(binding) = &mut scene.signals[2].source {
            binding.time = TimeField::Json { pointer: "/t".into(), format: TimeFormat::Seconds };
        }
        let table = BindingTable::new(&scene, "plant", 0);
        let payload = br#"{"x":1,"t":1600000000.123456789}"#;
        let (values, _) = decode(&table, "a", payload);
        assert_eq!(values[1].value, Value::Number("1600000000.123456789".parse().unwrap()));
        let (timed, _) = decode(&table, "b", payload);
        assert_eq!(timed[0].source_time, Timestamp(1_600_000_000_123_456_789), "all nine decimals");
    }

    #[test]
    fn more_fields_than_fit_the_stack_decode_alike() {
        let bound: Vec<_> = (0..100).map(|n| ("t", json(&format!("/f{n}")), ValueKind::Number)).collect();
        let table = BindingTable::new(&scene(&bound), "plant", 0);
        let payload: Vec<String> = (0..100).map(|n| format!("\"f{n}\":{n}")).collect();
        let (samples, _) = decode(&table, "t", format!("{{{}}}", payload.join(",")).as_bytes());
        assert!(samples.iter().enumerate().all(|(n, sample)| sample.value == Value::Number(n as f64)));
        assert_eq!(samples.len(), 100);
    }

    #[test]
    fn filters_leave_out_what_others_cover() {
        let raw = |topic| (topic, Decoder::Raw, ValueKind::Number);
        let bound = [raw("a/b"), raw("a/+"), raw("a/b"), raw("c"), raw("$SYS/x"), raw("d/#"), raw("d/+/e")];
        assert_eq!(BindingTable::new(&scene(&bound), "plant", 0).filters(), ["$SYS/x", "a/+", "c", "d/#"]);
    }

    #[test]
    fn bindings_of_another_broker_are_left_out() {
        let mut scene = scene(&[("a", Decoder::Raw, ValueKind::Number), ("b", Decoder::Raw, ValueKind::Number)]);
        if let SignalSource::Mqtt(binding) = &mut scene.signals[1].source {
            binding.broker = Some("other".to_owned());
        }
        assert_eq!(BindingTable::new(&scene, "plant", 0).filters(), ["a"]);
        assert_eq!(BindingTable::new(&scene, "other", 0).filters(), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn arbitrary_payloads_never_panic_and_give_one_sample_a_signal_at_most(
            payload in prop::collection::vec(any::<u8>(), 0..100),
            text in "[\\[\\]{}:,\"ab0-9.eE+-]{0,40}",
        ) {
            let kinds = [ValueKind::Number, ValueKind::Bool, ValueKind::Text];
            let bound: Vec<_> =
                kinds.iter().flat_map(|kind| [("t", Decoder::Raw, *kind), ("t", json("/a"), *kind)]).collect();
            let table = BindingTable::new(&scene(&bound), "plant", 0);
            for payload in [&payload[..], text.as_bytes()] {
                let (samples, outcome) = decode(&table, "t", payload);
                prop_assert_eq!(samples.len(), outcome.samples);
                prop_assert!(samples.len() <= bound.len());
            }
        }
    }
}
