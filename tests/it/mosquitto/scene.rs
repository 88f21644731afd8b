//! A small scene, and a listener on it that a test can ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pollux::ingest::{BindingTable, SharedTable};
use pollux::scene::{
    Binding, Broker, Credentials, Decoder, Limits, MqttVersion, Scene, Signal, SignalSource, TimeField, TimeFormat,
    Tls, Twin, ValueKind,
};
use pollux::source::{Clock, ConnectionState, SourceHandle, SourceSnapshot, mqtt};
use pollux::value::{Conversion, Sample, SignalIndex, Timestamp, TwinIndex, Unit};

pub const FLOW: SignalIndex = SignalIndex(0);
pub const RUNNING: SignalIndex = SignalIndex(1);
pub const STATE: SignalIndex = SignalIndex(2);
pub const TEMPERATURE: SignalIndex = SignalIndex(3);
pub const NOTE: SignalIndex = SignalIndex(4);

pub fn broker(url: &str) -> Broker {
    Broker {
        url: url.to_owned(),
        version: MqttVersion::V3,
        client_id: None,
        subscribe: Vec::new(),
        qos: 0,
        keep_alive: Duration::from_secs(30),
        max_packet: 1 << 20,
        credentials: None,
        tls: Tls::default(),
        commands: false,
    }
}

pub fn with_login(url: &str, credentials: Credentials) -> Broker {
    Broker { credentials: Some(credentials), ..broker(url) }
}

/// One pump: three fields of a JSON telemetry topic, a raw temperature, a wildcard note.
pub fn scene(broker: Broker) -> Scene {
    let telemetry = "hall/P-101/telemetry";
    let json = |pointer: &str| Decoder::Json(pointer.to_owned());
    let time = || TimeField::Json { pointer: "/ts".into(), format: TimeFormat::Milliseconds };
    let signals = vec![
        signal(FLOW, "flow", ValueKind::Number, telemetry, json("/flow"), TimeField::Receive),
        signal(RUNNING, "running", ValueKind::Bool, telemetry, json("/motor/running"), TimeField::Receive),
        signal(STATE, "state", ValueKind::Text, telemetry, json("/state"), time()),
        signal(
            TEMPERATURE,
            "temperature",
            ValueKind::Number,
            "hall/P-101/temperature",
            Decoder::Raw,
            TimeField::Receive,
        ),
        signal(NOTE, "note", ValueKind::Text, "notes/+/P-101/#", Decoder::Raw, TimeField::Receive),
    ];
    let twin = Twin::new(TwinIndex(0), "P-101", "Pump", 0..signals.len() as u32);
    Scene { brokers: [("plant".to_owned(), broker)].into(), twins: vec![twin], signals, ..Scene::default() }
}

fn signal(index: SignalIndex, name: &str, kind: ValueKind, topic: &str, decoder: Decoder, time: TimeField) -> Signal {
    let binding = Binding { broker: None, topic: topic.into(), decoder, time, conversion: Conversion::IDENTITY };
    Signal {
        index,
        twin: TwinIndex(0),
        name: name.into(),
        label: String::new(),
        kind,
        unit: Unit::none(),
        source: SignalSource::Mqtt(binding),
        expires: None,
        range: (kind == ValueKind::Number).then_some((-100.0, 1000.0)),
        limits: Limits::default(),
    }
}

/// A listener and all that it has said so far.
pub struct Probe {
    pub handle: SourceHandle,
    pub table: SharedTable,
    pub seen: Vec<Sample>,
}

impl Probe {
    pub fn start(scene: &Scene) -> Self {
        let table = SharedTable::new(BindingTable::new(scene, "plant", 0));
        let broker = &scene.brokers["plant"];
        let handle = mqtt::spawn("plant", broker, table.clone(), Arc::new(|| ()), Clock::WALL, None).unwrap();
        Self { handle, table, seen: Vec::new() }
    }

    /// Connected and subscribed: the broker answers subscriptions before it passes on what comes later.
    pub fn connected(scene: &Scene) -> Self {
        let mut probe = Self::start(scene);
        probe.wait_for("a connection", |_, status| status.state == ConnectionState::Connected);
        std::thread::sleep(Duration::from_millis(200));
        probe
    }

    pub fn status(&self) -> SourceSnapshot {
        self.handle.status.snapshot(Timestamp::now())
    }

    pub fn wait_for(&mut self, what: &str, mut is_so: impl FnMut(&[Sample], &SourceSnapshot) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(60);
        loop {
            while let Some(batch) = self.handle.receiver.try_recv() {
                self.seen.extend(batch.samples);
            }
            let status = self.status();
            if is_so(&self.seen, &status) {
                return;
            }
            assert!(
                Instant::now() < give_up,
                "no {what}: {status:#?}, {} samples: {:?}",
                self.seen.len(),
                self.seen.last()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for a sample of `signal` after the first `skip` of it.
    pub fn sample(&mut self, signal: SignalIndex, skip: usize) -> Sample {
        let nth = |seen: &[Sample]| seen.iter().filter(|sample| sample.signal == signal).nth(skip).cloned();
        self.wait_for("sample", |seen, _| nth(seen).is_some());
        nth(&self.seen).unwrap()
    }

    /// Waits for an error that holds `part`.
    pub fn error_with(&mut self, part: &str) -> SourceSnapshot {
        self.wait_for(part, |_, status| status.error.as_ref().is_some_and(|error| error.contains(part)));
        self.status()
    }
}
