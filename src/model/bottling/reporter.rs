//! From readings to messages: instruments with noise and resolution, topics, source time, states on change.
//!
//! In: true values. Out: messages. Never changes the line; its randomness is a stream of its own, so that what is
//! reported never touches what happens.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::{Emit, Message, Noise};
use crate::value::{Timestamp, powi};

/// The stream of randomness that instruments use; machines have smaller numbers.
const INSTRUMENTS: u64 = 1000;

#[derive(Clone, Debug)]
pub(super) struct Reporter {
    prefix: String,
    noise: Noise,
    now: Timestamp,
    topic: String,
    /// Newest state sent per twin.
    states: BTreeMap<&'static str, &'static str>,
}

/// The readings of one message.
pub(super) struct Readings<'a> {
    noise: &'a mut Noise,
    fields: Map<String, Value>,
}

impl Readings<'_> {
    /// A reading with an instrument's noise (standard deviation) and resolution (decimals).
    pub fn number(&mut self, name: &str, truth: f64, sigma: f64, decimals: i32) -> &mut Self {
        let read = truth + if sigma > 0.0 { self.noise.normal(sigma) } else { 0.0 };
        let scale = powi(10.0, decimals);
        self.fields.insert(name.to_owned(), Value::from((read * scale).round() / scale));
        self
    }

    pub fn count(&mut self, name: &str, count: u64) -> &mut Self {
        self.fields.insert(name.to_owned(), Value::from(count));
        self
    }

    pub fn flag(&mut self, name: &str, on: bool) -> &mut Self {
        self.fields.insert(name.to_owned(), Value::from(on));
        self
    }

    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.fields.insert(name.to_owned(), Value::from(text));
        self
    }
}

impl Reporter {
    pub fn new(prefix: &str, seed: u64) -> Self {
        Self {
            prefix: prefix.to_owned(),
            noise: Noise::new(seed, INSTRUMENTS),
            now: Timestamp::default(),
            topic: String::new(),
            states: BTreeMap::new(),
        }
    }

    pub fn begin(&mut self, epoch: Timestamp, elapsed: Duration) {
        self.now = epoch + elapsed;
    }

    /// Sends all states again, as a broker may have forgotten them.
    pub fn forget_states(&mut self) {
        self.states.clear();
    }

    fn address(&mut self, twin: &str, leaf: &str) {
        self.topic.clear();
        for (i, level) in [self.prefix.as_str(), twin, leaf].into_iter().enumerate() {
            if i > 0 {
                self.topic.push('/');
            }
            self.topic.push_str(level);
        }
    }

    fn send(&self, payload: &[u8], retain: bool, qos: u8, emit: &mut Emit<'_>) {
        emit(Message { topic: &self.topic, payload, retain, qos });
    }

    fn gather(&mut self, read: impl FnOnce(&mut Readings<'_>)) -> Map<String, Value> {
        let mut readings = Readings { noise: &mut self.noise, fields: Map::new() };
        read(&mut readings);
        readings.fields
    }

    /// `{"flow": 6.48, …, "ts": 1700000000000}` with milliseconds since the epoch.
    pub fn telemetry(&mut self, twin: &str, leaf: &str, emit: &mut Emit<'_>, read: impl FnOnce(&mut Readings<'_>)) {
        let mut fields = self.gather(read);
        fields.insert("ts".to_owned(), Value::from(self.now.0.div_euclid(1_000_000)));
        self.address(twin, leaf);
        self.send(Value::Object(fields).to_string().as_bytes(), false, 0, emit);
    }

    /// `{"data": {…}, "time": "2026-01-31T12:00:00Z"}`, as another maker's gateway would send it.
    pub fn gateway(&mut self, twin: &str, leaf: &str, emit: &mut Emit<'_>, read: impl FnOnce(&mut Readings<'_>)) {
        let data = Value::Object(self.gather(read));
        let message =
            Map::from_iter([("data".to_owned(), data), ("time".to_owned(), Value::from(self.now.to_string()))]);
        self.address(twin, leaf);
        self.send(Value::Object(message).to_string().as_bytes(), false, 0, emit);
    }

    /// The whole payload is one value.
    pub fn raw(&mut self, twin: &str, leaf: &str, text: &str, emit: &mut Emit<'_>) {
        self.address(twin, leaf);
        self.send(text.as_bytes(), false, 0, emit);
    }

    /// Retained, on change or when `refresh` is set.
    pub fn state(&mut self, twin: &'static str, state: &'static str, refresh: bool, emit: &mut Emit<'_>) {
        if self.states.insert(twin, state) != Some(state) || refresh {
            self.address(twin, "state");
            self.send(state.as_bytes(), true, 1, emit);
        }
    }

    pub fn nameplate(&mut self, twin: &str, maker: &str, model: &str, serial: &str, emit: &mut Emit<'_>) {
        let fields = [("maker", maker), ("model", model), ("serial", serial)];
        let fields = Map::from_iter(fields.map(|(name, text)| (name.to_owned(), Value::from(text))));
        self.address(twin, "nameplate");
        self.send(Value::Object(fields).to_string().as_bytes(), true, 1, emit);
    }
}
