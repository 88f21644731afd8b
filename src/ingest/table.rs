//! Which signals a topic feeds, and how: made once per scene and broker, read for every message.

use bevy::platform::collections::HashMap;

use super::pointer::{Found, PointerTree};
use super::topic::{FilterTrie, covers, has_wildcard};
use super::value::{self, Wanted};
use super::{ClockError, DecodeError, Message, Outcome};
use crate::scene::{Binding, Decoder, Origin, Scene, Signal, TimeField, TimeFormat};
use crate::twin::{Quality, Reason, Sample, SignalIndex, Timestamp};

/// Fields of a topic that are read without allocating.
const SLOTS_ON_STACK: usize = 24;
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
}

/// All that is read from messages that match one filter.
#[derive(Debug, Default)]
struct Plan {
    raw: Vec<(SignalIndex, Wanted)>,
    fields: Vec<Field>,
    tree: PointerTree,
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
            let Origin::Mqtt(binding) = &signal.origin else { continue };
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
        };
        for filter in &order {
            let number = table.plans.len() as u32;
            table.plans.push(Plan::new(by_filter.get(filter).map_or(&[], Vec::as_slice)));
            if has_wildcard(filter) {
                table.wildcards.insert(filter, number);
            } else {
                table.exact.insert((*filter).into(), number);
            }
        }
        let chosen = scene.brokers.get(broker).map_or(&[][..], |broker| &broker.subscribe);
        table.filters = if chosen.is_empty() { minimal(&order) } else { minimal(chosen) };
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

    /// Adds the samples of a message to `out`.
    pub fn decode(&self, message: &Message, out: &mut Vec<Sample>) -> Outcome {
        let before = out.len();
        let mut outcome = Outcome { unknown_topic: true, ..Outcome::default() };
        if let Some(number) = self.exact.get(message.topic) {
            self.decode_by(*number, message, out, &mut outcome);
        }
        if !self.wildcards.is_empty() {
            self.wildcards
                .for_each_match(message.topic, &mut |number| self.decode_by(number, message, out, &mut outcome));
        }
        outcome.samples = out.len() - before;
        outcome
    }

    fn decode_by(&self, number: u32, message: &Message, out: &mut Vec<Sample>, outcome: &mut Outcome) {
        outcome.unknown_topic = false;
        if let Some(plan) = self.plans.get(number as usize) {
            plan.decode(message, out, outcome);
        }
    }
}

impl Plan {
    fn new(bound: &[(&Signal, &Binding)]) -> Self {
        let mut plan = Plan::default();
        for (signal, binding) in bound {
            let wanted =
                Wanted { kind: signal.kind, scale: binding.scale, offset: binding.offset, range: signal.range };
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
        let (tree, slots) = PointerTree::new(values.chain(times));
        let mut slots = slots.into_iter();
        plan.fields.iter_mut().map(|field| &mut field.slot).zip(slots.by_ref()).for_each(|(to, slot)| *to = slot);
        let times = plan.fields.iter_mut().filter_map(|field| field.time.as_mut());
        times.zip(slots).for_each(|(time, slot)| time.slot = slot);
        plan.tree = tree;
        plan
    }

    fn decode(&self, message: &Message, out: &mut Vec<Sample>, outcome: &mut Outcome) {
        if !self.raw.is_empty() {
            self.decode_raw(message, out, outcome);
        }
        if self.fields.is_empty() {
            return;
        }
        let count = self.tree.slot_count();
        if count <= SLOTS_ON_STACK {
            let mut slots = [const { Found::Missing }; SLOTS_ON_STACK];
            self.decode_json(message, &mut slots[..count], out, outcome);
        } else {
            self.decode_json(message, &mut vec![Found::Missing; count], out, outcome);
        }
    }

    fn decode_raw(&self, message: &Message, out: &mut Vec<Sample>, outcome: &mut Outcome) {
        let found = value::raw(message.payload);
        for (signal, wanted) in &self.raw {
            let (value, quality) = found.as_ref().and_then(|found| wanted.value(found)).unwrap_or_else(|| {
                outcome.error.get_or_insert_with(|| match &found {
                    None => DecodeError::NotText,
                    Some(found) => DecodeError::Kind {
                        pointer: "payload".to_owned(),
                        found: value::describe(found),
                        expected: wanted.expected(),
                    },
                });
                (wanted.stand_in(), Quality::bad(Reason::DecodeError))
            });
            let quality = if message.retained { unless_worse(quality) } else { quality };
            out.push(sample(*signal, message.receive_time, message, value, quality));
        }
    }

    fn decode_json<'de>(
        &self,
        message: &Message<'de>,
        slots: &mut [Found<'de>],
        out: &mut Vec<Sample>,
        outcome: &mut Outcome,
    ) {
        if let Err(cause) = self.tree.read(message.payload, slots) {
            outcome.error.get_or_insert_with(|| DecodeError::NotJson { cause: cause.to_string() });
            self.mark_undecodable(message, out);
            return;
        }
        let mut clock = Clock { message, last: None };
        let mut something = false;
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
            let (value, mut quality) = field.wanted.value(found).unwrap_or_else(|| {
                outcome.error.get_or_insert_with(|| DecodeError::Kind {
                    pointer: field.pointer.to_string(),
                    found: value::describe(found),
                    expected: field.wanted.expected(),
                });
                (field.wanted.stand_in(), Quality::bad(Reason::DecodeError))
            });
            if message.retained && source_time.is_none() {
                quality = unless_worse(quality);
            }
            out.push(sample(field.signal, source_time.unwrap_or(message.receive_time), message, value, quality));
        }
        if !something && let Some(first) = self.fields.first() {
            outcome.error.get_or_insert_with(|| DecodeError::NothingThere {
                pointer: first.pointer.to_string(),
                count: self.fields.len(),
            });
            self.mark_undecodable(message, out);
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
            None | Some(Found::Missing) => None,
            Some(found) => match value::source_time(found, from.format, &from.pointer, self.message.receive_time) {
                Ok(time) => Some(time),
                Err(error) => {
                    problem.get_or_insert(error);
                    None
                }
            },
        };
        self.last = Some((key, time));
        time
    }
}

fn sample(
    signal: SignalIndex,
    source_time: Timestamp,
    message: &Message,
    value: crate::twin::Value,
    quality: Quality,
) -> Sample {
    Sample { signal, source_time, receive_time: message.receive_time, value, quality }
}

/// The quality of a retained value whose age is unknown.
fn unless_worse(quality: Quality) -> Quality {
    quality.max(Quality::uncertain(Reason::Retained))
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
