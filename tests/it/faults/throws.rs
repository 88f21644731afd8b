//! Any faults of the four machines, and all that a plant with them says.

use pollux::fault::{self, Course, Defect, Fault, Kind, Layer, LinkEffect, ProcessEffect, Recurrence, SensorEffect};
use pollux::network::Target;
use pollux::plant::{Message, Plant};
use pollux::scene::Scene;
use proptest::prelude::*;

use super::signal;
use crate::simulated::{SECOND, START};

/// A message as it goes out: time, topic, payload, retain, out of a store, QoS.
pub type Said = (u64, String, Vec<u8>, bool, bool, u8);

pub fn said(message: Message<'_>) -> Said {
    let Message { topic, payload, retain, from_store, qos, time, .. } = message;
    (time, topic.to_owned(), payload.to_vec(), retain, from_store, qos)
}

/// What a plant says until a time; `open`: without what is due then.
pub fn carry(plant: &mut Plant, until: u64, open: bool) -> Vec<Said> {
    let mut all = Vec::new();
    let mut emit = |message: Message<'_>| all.push(said(message));
    match open {
        true => plant.run_before(until, START, &mut emit),
        false => plant.run(until, START, &mut emit),
    }
    all
}

/// The first messages that differ, with payloads as text; none where all are the same.
pub fn difference(one: &[Said], other: &[Said]) -> Option<String> {
    let at = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at))?;
    let told = |said: Option<&Said>| {
        let (time, topic, payload, retain, from_store, _) = said?;
        let text: String = String::from_utf8_lossy(payload).chars().take(60).collect();
        Some(format!("{} s {topic} {text} {retain} {from_store}", *time as f64 / 1e9))
    };
    Some(format!("message {at}: {:?} and {:?}", told(one.get(at)), told(other.get(at))))
}

/// Numbers that say what a fault is.
#[derive(Clone, Debug)]
pub struct Throw {
    kind: &'static Kind,
    place: usize,
    sizes: Vec<f64>,
    course: Course,
}

impl Throw {
    /// The fault itself, for a scene and its plant.
    pub fn fault(&self, number: usize, scene: &Scene, plant: &Plant) -> Fault {
        let one_of = |all: &[&'static str]| all[self.place % all.len()];
        let signals = ["P-1.flow", "T-1.level", "T-1.full", "P-1.state", "P-1.vibration", "V-1.position", "C-1.taken"];
        let span = 10.0;
        let sizes: Vec<f64> = self
            .kind
            .parameters
            .iter()
            .zip(&self.sizes)
            .map(|(one, size)| one.in_unit(one.usual.0 + size * (one.usual.1 - one.usual.0), span))
            .collect();
        let defect = match self.kind.layer {
            Layer::Process => {
                let (id, input) = [("P-1.pump", "speed"), ("V-1", "command"), ("C-1", "demand")][self.place % 3];
                let machine = plant.network().machine(id).expect("a machine");
                let input = plant.network().description(machine).input(input).expect("an input");
                let target = Target::Input { machine, input };
                Defect::Process { target, effect: ProcessEffect::of(self.kind.name, &sizes).expect("an effect") }
            }
            Layer::Sensor if self.kind.name == "swapped" => {
                let other = signals[(self.place + 1) % signals.len()];
                Defect::Swapped { signals: (signal(scene, one_of(&signals)), signal(scene, other)) }
            }
            Layer::Sensor => {
                let effect = SensorEffect::of(self.kind.name, &sizes).expect("an effect");
                Defect::Sensor { signal: signal(scene, one_of(&signals)), effect }
            }
            Layer::Link => {
                let topics = vec![one_of(&["#", "well/P-1/#", "well/+/flow", "well/T-1/data"]).to_owned()];
                let effect = LinkEffect::of(self.kind.name, &sizes).expect("an effect");
                Defect::Link { broker: None, topics, effect }
            }
        };
        Fault { id: format!("F-{number}"), defect, course: self.course }
    }
}

/// Faults in the first twelve seconds; times in tenths of a second, so that they meet those of messages.
pub fn throws() -> impl Strategy<Value = Throw> {
    let kinds: Vec<&'static Kind> = fault::kinds().collect();
    let lasts = prop::option::of((1..60_u64, prop::option::of(1..40_u64)));
    let course = (0..120_i64, 0..30_u64, lasts);
    (prop::sample::select(kinds), 0..60_usize, prop::collection::vec(0.0..1.0, 2), course).prop_map(
        |(kind, place, sizes, (onset, ramp, lasts))| {
            let tenths = |count: u64| count * SECOND / 10;
            let ramp = if kind.ramps { tenths(ramp.saturating_sub(15)) } else { 0 };
            let recurrence = lasts.and_then(|(lasts, pause)| {
                pause.map(|pause| Recurrence { every: tenths(lasts + pause), times: Some(2 + pause % 3) })
            });
            let duration = lasts.map(|(lasts, _)| tenths(lasts));
            let course = Course { onset: onset * SECOND as i64 / 10, ramp, duration, recurrence };
            Throw { kind, place, sizes, course }
        },
    )
}

impl Throw {
    /// The same from a time on, for so long.
    pub fn from(&self, onset: u64, duration: Option<u64>) -> Self {
        let course = Course { onset: onset as i64, ramp: self.course.ramp, duration, recurrence: None };
        Self { course, ..self.clone() }
    }
}

pub fn faults(throws: &[Throw], scene: &Scene, plant: &Plant) -> Vec<Fault> {
    throws.iter().enumerate().map(|(number, throw)| throw.fault(number, scene, plant)).collect()
}
