//! The world at the cursor as JSON: what `--state` writes. A contract with users' scripts.
//!
//! In: the world. Out: plain data in sorted order. Never changes anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy::prelude::*;
use serde::Serialize;

use crate::alarm::{self, Alarm, Deed, Flags, Shelving};
use crate::analysis::{Analysis, Laid, OverlayView};
use crate::event::{Commanded, Event, FaultSpan, FaultSpans, Kind, commanded};
use crate::fault::{Site, WrittenFault};
use crate::history::{Cursor, Extent, Horizon, ViewTime};
use crate::layers::{Counterpart, Counterparts, LayerKind, Layers, Slot};
use crate::record::{RecordStatus, Recording};
use crate::scene::rule::{AlarmPath, Priority, Rule, Subject, message};
use crate::scene::{Limits, LoadedScene, Scene};
use crate::source::plant::PlantSnapshot;
use crate::source::{ConnectionState, SourceReport, SourceSnapshot, Sources};
use crate::stage::{Current, Entities, Standing, current_at};
use crate::value::{Origin, Timestamp, Value};

#[derive(Serialize, Debug)]
pub struct State {
    pub scene: String,
    pub cursor: CursorState,
    pub sources: BTreeMap<String, SourceState>,
    /// Why what is shown is simulated; absent where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// The simulated plant that the session runs in the place of a real one; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plant: Option<PlantSnapshot>,
    /// What is recorded; null if nothing is.
    pub recording: Option<RecordStatus>,
    /// The recording that lies beside this, if it is the only layer. Its values stand with the signals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<BesideState>,
    /// All layers that lie beside this, if there are several or one is no recording. Their values stand with the signals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerState>,
    /// Faults that are set on purpose, as was known by the moment of the cursor; in the order in which they were set.
    pub faults: Vec<FaultState>,
    /// What the world would be with those that lie over the data: signals that may be other, alarms that are. Absent where
    /// nothing lies over it at the moment of the cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlay: Option<OverlayState>,
    pub history: HistoryState,
    pub twins: BTreeMap<String, TwinState>,
    /// Commands to equipment, in the order in which they were prepared, as far as they had come at the moment of the
    /// cursor; absent where there were none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Commanded>,
    /// What keeps alarms from being judged and events from being kept.
    pub troubles: Vec<String>,
    /// What was known by the moment of the cursor, as far as it is remembered: in the order of time.
    #[serde(serialize_with = "shared")]
    pub events: Vec<Arc<Event>>,
}

#[derive(Serialize, Debug)]
pub struct CursorState {
    /// `live`, `paused` or `playing`.
    pub mode: &'static str,
    pub at: String,
    pub speed: f64,
    /// The last moment that the cursor may stand at beyond now; absent where no layer reaches beyond it. At a moment beyond
    /// now no signal has a value of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Timestamp>,
    /// Of what the cursor moves in; absent in a live session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingState>,
}

/// A replay: first and last moment of the recording.
#[derive(Serialize, Debug)]
pub struct RecordingState {
    pub start: Timestamp,
    pub end: Timestamp,
}

#[derive(Serialize, Debug)]
pub struct LayerState {
    /// `recording`, `branch`, `forecast` or `overlay`.
    pub kind: &'static str,
    #[serde(flatten)]
    pub beside: BesideState,
}

#[derive(Serialize, Debug)]
pub struct BesideState {
    pub name: String,
    /// `wall`, `start` or `event:TEXT`.
    pub aligned_by: Option<String>,
    /// From a moment here to the one there that belongs to it; null while the event that aligns the two is waited for.
    pub shift_secs: Option<f64>,
    /// First and last moment of it, in its own time.
    pub start: Timestamp,
    pub end: Timestamp,
    /// The moment that belongs to the cursor; null where it has none.
    pub at: Option<Timestamp>,
    pub only_here: Vec<String>,
    pub only_there: Vec<String>,
    /// Signals that both have, and why they cannot be compared.
    pub not_comparable: BTreeMap<String, String>,
    pub troubles: Vec<String>,
}

/// What the same signal has in a layer, by the name of the layer.
#[derive(Serialize, Debug)]
pub struct LayerValueState {
    pub layer: String,
    #[serde(flatten)]
    pub value: CounterpartState,
}

/// What the same signal has in a layer, in the unit here.
#[derive(Serialize, Debug)]
pub struct CounterpartState {
    pub value: serde_json::Value,
    pub quality: String,
    pub source_time: Option<String>,
    pub receive_time: Option<String>,
    /// As of a signal here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Value there minus value here; null unless both are numbers.
    pub difference: Option<f64>,
    /// The band that the value is taken to lie in; absent for what is known exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// The difference as a share of the signal's scale, 0 to 1.
    pub weight: f64,
}

#[derive(Serialize, Debug)]
pub struct SourceState {
    pub address: String,
    /// `connecting`, `connected`, `disconnected` or `stopped`.
    pub state: &'static str,
    pub error: Option<String>,
    pub reconnects: u64,
    /// Scenes of simulated plants that say that they publish there; absent without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plants: Vec<String>,
    pub received: u64,
    pub received_bytes: u64,
    pub decoded: u64,
    pub unknown_topics: u64,
    pub decode_errors: u64,
    /// Source times that could not be used; their samples carry the receive time.
    pub clock_problems: u64,
    pub dropped: u64,
    pub coalesced: u64,
    pub unknown: BTreeMap<String, u64>,
    pub problems: BTreeMap<String, ProblemState>,
    /// Of the connection.
    pub alarms: Vec<AlarmState>,
}

#[derive(Serialize, Debug)]
pub struct ProblemState {
    pub count: u64,
    pub last_error: String,
    pub last_payload: String,
    pub last_time: String,
}

/// A fault that somebody has set.
#[derive(Serialize, Debug)]
pub struct FaultState {
    /// Where it acts: `overlay`, `plant` or `rig`.
    pub site: Site,
    pub id: String,
    /// `sensor`, `link` or `process`.
    pub layer: &'static str,
    pub kind: &'static str,
    /// What it is on, in words.
    pub on: String,
    pub by: Option<String>,
    pub reason: String,
    /// Since when it is set.
    pub since: Timestamp,
    /// Whether it acts at the moment of the cursor.
    pub active: bool,
    /// When it is over by itself; null where somebody must clear it.
    pub until: Option<Timestamp>,
    /// From the moment of the cursor to then.
    pub remaining_secs: Option<f64>,
    /// Samples or messages that it has changed, held back, lost or added so far; absent where nobody counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted: Option<u64>,
    pub fault: WrittenFault,
}

/// What is simulated beside the truth.
#[derive(Serialize, Debug)]
pub struct OverlayState {
    /// `simulated`: nothing of it is measured.
    pub origin: Origin,
    pub since: Timestamp,
    /// When its last fault was cleared; null while there are some.
    pub until: Option<Timestamp>,
    pub twins: BTreeMap<String, OverlayTwinState>,
}

#[derive(Serialize, Debug, Default)]
pub struct OverlayTwinState {
    pub signals: BTreeMap<String, SignalState>,
    pub alarms: Vec<OverlayAlarmState>,
}

/// An alarm that stands otherwise than in truth.
#[derive(Serialize, Debug)]
pub struct OverlayAlarmState {
    #[serde(flatten)]
    pub alarm: AlarmState,
    /// How it stands in truth: that is what is annunciated.
    pub truth: alarm::State,
}

#[derive(Serialize, Debug)]
pub struct HistoryState {
    pub samples: u64,
    pub bytes: u64,
    pub budget_bytes: u64,
    pub evicted: u64,
    pub out_of_order: u64,
    /// Samples whose signal had left the scene when they arrived.
    pub orphaned: u64,
}

#[derive(Serialize, Debug)]
pub struct TwinState {
    #[serde(rename = "type")]
    pub type_name: String,
    pub signals: BTreeMap<String, SignalState>,
    pub alarms: Vec<AlarmState>,
}

/// An alarm that is not normal, or that is shelved, suppressed or out of service.
#[derive(Serialize, Debug)]
pub struct AlarmState {
    /// The signal that it is about; absent for alarms of a twin or a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Unique within the twin: `vibration.high`.
    pub rule: String,
    pub state: alarm::State,
    /// Source time of the last change of state.
    pub since: Timestamp,
    pub priority: Priority,
    /// What happened, with the limit that was violated.
    pub message: String,
    /// In the unit of the signal.
    pub value: Option<f64>,
    pub trigger: Option<f64>,
    pub worst: Option<f64>,
    pub unit: String,
    pub activations: u64,
    /// Samples that came too late to count.
    pub late: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shelved: Option<Shelving>,
    pub suppressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_service: Option<Deed>,
    /// The least certain origin of the samples that brought it here; absent if these were measured, or derived from what was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

#[derive(Serialize, Debug)]
pub struct SignalState {
    pub value: serde_json::Value,
    pub unit: String,
    /// `Good`, `Uncertain`, `Stale` or `Bad`.
    pub quality: String,
    /// Why it is not good; absent if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// How the value stands against its limits: `normal`, `warning` or `critical`; absent without limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<&'static str>,
    pub source_time: Option<String>,
    pub receive_time: Option<String>,
    /// `simulated`, `estimated` or `forecast`; absent if it was measured, or derived from what was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// In the recording that is the only layer, if both have the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<CounterpartState>,
    /// In each of several layers that has the signal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerValueState>,
}

/// Reads the whole state at the cursor.
pub fn of(world: &mut World) -> State {
    let scene = world.resource::<LoadedScene>().scene.clone();
    let moment = *world.resource::<ViewTime>();
    let cursor = *world.resource::<Cursor>();
    let extent = world.resource::<Extent>().clone();
    let report = match world.get_resource::<Sources>() {
        Some(sources) => sources.report(moment.now),
        None => world.resource::<SourceReport>().clone(),
    };
    let (usage, orphaned, troubles, alarms, events, laid, overlay) = {
        let knowledge = world.resource::<Analysis>().lock();
        let chronicle = knowledge.chronicle();
        let alarms = match cursor.is_live() {
            true => knowledge.alarms().to_vec(),
            false => chronicle.alarms_at(&scene, moment.shown),
        };
        let known_by = if cursor.is_live() { Timestamp::MAX } else { moment.shown };
        let events: Vec<Arc<Event>> = chronicle.journal().known_by(known_by).cloned().collect();
        let (laid, overlay) = (knowledge.laid(), knowledge.overlay());
        (knowledge.history.usage(), knowledge.orphaned(), knowledge.troubles(), alarms, events, laid, overlay)
    };
    // In a recording alarms say what they were judged by, whatever scene it is shown in.
    let recorded = extent.bounds().map(|_| recorded_messages(&events)).unwrap_or_default();
    let alarms_of = |rules: &mut dyn Iterator<Item = &Rule>| -> Vec<AlarmState> {
        let told = |rule: &Rule| {
            let state = alarm_state(&scene, rule, alarms.get(rule.index.at())?)?;
            let message =
                recorded.get(&AlarmPath::of_rule(rule, &scene)).map_or(state.message, |said| (*said).to_owned());
            Some(AlarmState { message, ..state })
        };
        rules.filter_map(told).collect()
    };
    let entities = &world.resource::<Entities>().signals;
    let slots: Vec<&Slot> = world.get_resource::<Layers>().map(|layers| layers.iter().collect()).unwrap_or_default();
    let lone = lone_recording(&slots);
    let twins = scene.twins.iter().map(|twin| {
        let signals = scene.signals_of(twin).iter().map(|signal| {
            let entity = entities.get(signal.index.at()).copied();
            let current = entity.and_then(|entity| world.get::<Current>(entity));
            let state = signal_state(current.cloned().unwrap_or_default(), signal.unit.symbol(), &signal.limits);
            let counterparts = entity.and_then(|entity| world.get::<Counterparts>(entity));
            let (beside, layers) = match lone {
                Some(_) => (counterparts.and_then(|all| all.get(0)).map(counterpart_state), Vec::new()),
                None => (None, counterparts.map(|all| layer_values(&slots, all)).unwrap_or_default()),
            };
            (signal.name.clone(), SignalState { beside, layers, ..state })
        });
        let state = TwinState {
            type_name: twin.type_name.clone(),
            signals: signals.collect(),
            alarms: alarms_of(&mut scene.alarms_of(twin.index).iter()),
        };
        (twin.id.clone(), state)
    });
    State {
        scene: scene.name.clone(),
        cursor: CursorState {
            horizon: world.resource::<Horizon>().0.filter(|horizon| *horizon > moment.now),
            ..cursor_state(cursor, moment, &extent)
        },
        simulated: report.simulated(&scene.name),
        sources: report
            .sources
            .into_iter()
            .map(|snapshot: SourceSnapshot| {
                let alarms = alarms_of(&mut scene.alarms_of_broker(&snapshot.name));
                (snapshot.name.clone(), source_state(snapshot, alarms))
            })
            .collect(),
        plant: report.plant,
        recording: world.get_resource::<Recording>().and_then(Recording::status),
        beside: lone.map(beside_state),
        layers: match lone {
            Some(_) => Vec::new(),
            None => slots.iter().map(|slot| layer_state(slot)).collect(),
        },
        faults: faults_at(&events, &laid, moment.shown),
        overlay: overlay.and_then(|view| overlay_state(&scene, &view, &alarms, moment.shown, cursor.is_live())),
        history: HistoryState {
            samples: usage.samples,
            bytes: usage.bytes,
            budget_bytes: usage.budget_bytes,
            evicted: usage.evicted,
            out_of_order: usage.out_of_order,
            orphaned,
        },
        twins: twins.collect(),
        troubles,
        commands: commanded(events.iter().map(|event| &**event)),
        events,
    }
}

/// What the newest event of each alarm says.
fn recorded_messages(events: &[Arc<Event>]) -> BTreeMap<AlarmPath, &str> {
    let said = events.iter().filter_map(|event| match &event.kind {
        Kind::Alarm { message, .. } => Some((event.alarm_path()?, message.as_str())),
        _ => None,
    });
    said.collect()
}

fn shared<S: serde::Serializer>(events: &[Arc<Event>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(events.iter().map(|event| &**event))
}

/// Those that stand at a moment.
fn faults_at(events: &[Arc<Event>], laid: &[Laid], shown: Timestamp) -> Vec<FaultState> {
    let state = |span: &FaultSpan| {
        let FaultSpan { site, fault, by, reason, set, .. } = span.clone();
        let until = fault.course.end();
        let laid = laid.iter().find(|laid| site == Site::Overlay && laid.fault.id == fault.id);
        FaultState {
            site,
            id: fault.id.clone(),
            layer: fault.layer().name(),
            kind: fault.kind().name,
            on: fault.on(),
            by,
            reason,
            since: set,
            active: fault.course.is_active(shown),
            until,
            remaining_secs: until.map(|until| until.secs_since(shown).max(0.0)),
            acted: laid.map(|laid| laid.acted),
            fault,
        }
    };
    FaultSpans::of(events.iter().map(|event| &**event)).standing(shown).map(state).collect()
}

/// `truth` are the alarms as they stand. None before it has begun, and after it has ended.
fn overlay_state(
    scene: &Scene,
    view: &OverlayView,
    truth: &[Alarm],
    shown: Timestamp,
    is_live: bool,
) -> Option<OverlayState> {
    if shown < view.since || view.until.is_some_and(|until| shown >= until) {
        return None;
    }
    let world = view.analysis.lock();
    let alarms = match is_live {
        true => world.alarms().to_vec(),
        false => world.chronicle().alarms_at(scene, shown),
    };
    let mut twins: BTreeMap<String, OverlayTwinState> = BTreeMap::new();
    for index in view.concerned.iter() {
        let Some(signal) = scene.signals.get(index.at()) else { continue };
        let Some(twin) = scene.twins.get(signal.twin.at()) else { continue };
        let current = current_at(world.history.latest_known(*index, shown), signal.expires, shown);
        let state = signal_state(current, signal.unit.symbol(), &signal.limits);
        twins.entry(twin.id.clone()).or_default().signals.insert(signal.name.clone(), state);
    }
    for twin in &scene.twins {
        for rule in scene.alarms_of(twin.index) {
            let both = alarms.get(rule.index.at()).zip(truth.get(rule.index.at()));
            let Some((alarm, truth)) = both.filter(|(alarm, truth)| alarm.state != truth.state) else { continue };
            let alarm = OverlayAlarmState { alarm: told(scene, rule, alarm), truth: truth.state };
            twins.entry(twin.id.clone()).or_default().alarms.push(alarm);
        }
    }
    Some(OverlayState { origin: Origin::Simulated, since: view.since, until: view.until, twins })
}

/// None for an alarm that has nothing to tell.
fn alarm_state(scene: &Scene, rule: &Rule, alarm: &Alarm) -> Option<AlarmState> {
    let is_quiet = alarm.state == alarm::State::Normal && alarm.flags.is_clear();
    (!is_quiet).then(|| told(scene, rule, alarm))
}

fn told(scene: &Scene, rule: &Rule, alarm: &Alarm) -> AlarmState {
    let signal = match &rule.subject {
        Subject::Signal(index) => scene.signals.get(index.at()),
        Subject::Twin(_) | Subject::Broker(_) => None,
    };
    let number = |x: Option<f64>| x.filter(|x| x.is_finite());
    let Flags { shelved, suppressed, out_of_service } = alarm.flags.clone();
    AlarmState {
        signal: signal.map(|signal| signal.name.clone()),
        rule: rule.name.clone(),
        state: alarm.state,
        since: alarm.since,
        priority: rule.priority,
        message: message(rule, scene),
        value: number(alarm.current),
        trigger: number(alarm.trigger),
        worst: number(alarm.worst),
        unit: signal.map(|signal| signal.unit.symbol().to_owned()).unwrap_or_default(),
        activations: alarm.activations,
        late: alarm.late,
        acknowledged_by: alarm.acknowledged.as_ref().map(|deed| deed.by.clone()),
        acknowledged_at: alarm.acknowledged.as_ref().map(|deed| deed.at),
        shelved,
        suppressed,
        out_of_service,
        origin: alarm.origin,
    }
}

fn cursor_state(cursor: Cursor, moment: ViewTime, extent: &Extent) -> CursorState {
    let (mode, speed) = match cursor {
        Cursor::Live => ("live", 1.0),
        Cursor::Paused(_) => ("paused", 0.0),
        Cursor::Playing { speed, .. } => ("playing", speed),
    };
    let recording = extent.bounds().map(|(start, end)| RecordingState { start, end });
    CursorState { mode, at: moment.shown.to_string(), speed, horizon: None, recording }
}

fn source_state(snapshot: SourceSnapshot, alarms: Vec<AlarmState>) -> SourceState {
    SourceState {
        alarms,
        address: snapshot.address,
        state: match snapshot.state {
            ConnectionState::Connecting => "connecting",
            ConnectionState::Connected => "connected",
            ConnectionState::Disconnected => "disconnected",
            ConnectionState::Stopped => "stopped",
        },
        error: snapshot.error,
        reconnects: snapshot.reconnects,
        plants: snapshot.plants,
        received: snapshot.received,
        received_bytes: snapshot.received_bytes,
        decoded: snapshot.decoded,
        unknown_topics: snapshot.unknown_topics,
        decode_errors: snapshot.decode_errors,
        clock_problems: snapshot.clock_problems,
        dropped: snapshot.dropped,
        coalesced: snapshot.coalesced,
        unknown: snapshot.unknown.into_iter().collect(),
        problems: snapshot
            .problems
            .into_iter()
            .map(|problem| {
                let state = ProblemState {
                    count: problem.count,
                    last_error: problem.last_error,
                    last_payload: problem.last_payload,
                    last_time: problem.last_time.to_string(),
                };
                (problem.topic, state)
            })
            .collect(),
    }
}

fn signal_state(current: Current, unit: &str, limits: &Limits) -> SignalState {
    let standing = (*limits != Limits::default() && current.value.is_some()).then(|| {
        match Standing::of(current.value.as_ref(), limits) {
            Standing::Normal => "normal",
            Standing::Warning => "warning",
            Standing::Critical => "critical",
        }
    });
    let seen = current.value.is_some();
    SignalState {
        value: current.value.as_ref().map_or(serde_json::Value::Null, json),
        unit: unit.to_owned(),
        quality: format!("{:?}", current.quality.grade),
        reason: Some(current.quality.reason.text()).filter(|text| !text.is_empty()),
        standing,
        source_time: seen.then(|| current.source_time.to_string()),
        receive_time: seen.then(|| current.receive_time.to_string()),
        origin: current.origin.mark(),
        beside: None,
        layers: Vec::new(),
    }
}

/// The only layer, if it is a recording: it is told as it was when there could be no more.
fn lone_recording<'a>(slots: &[&'a Slot]) -> Option<&'a Slot> {
    match slots {
        [only] => match only.layer.kind() {
            LayerKind::Recording => Some(*only),
            LayerKind::Branch | LayerKind::Forecast | LayerKind::Overlay => None,
        },
        _ => None,
    }
}

fn layer_state(slot: &Slot) -> LayerState {
    LayerState { kind: slot.layer.kind().name(), beside: beside_state(slot) }
}

fn beside_state(slot: &Slot) -> BesideState {
    let layer = &slot.layer;
    let ((start, end), pairs) = (layer.bounds(), layer.pairs());
    BesideState {
        name: slot.name.clone(),
        aligned_by: layer.alignment().and_then(|alignment| alignment.by).map(ToString::to_string),
        shift_secs: layer.shift().map(|shift| shift.secs()),
        start,
        end,
        at: slot.place().at(),
        only_here: pairs.only_here.clone(),
        only_there: pairs.only_there.clone(),
        not_comparable: pairs.unlike.iter().map(|unlike| (unlike.path.clone(), unlike.why.clone())).collect(),
        troubles: layer.troubles(),
    }
}

fn layer_values(slots: &[&Slot], counterparts: &Counterparts) -> Vec<LayerValueState> {
    let told = |(place, counterpart): (usize, &Counterpart)| {
        let layer = slots.get(place)?.name.clone();
        Some(LayerValueState { layer, value: counterpart_state(counterpart) })
    };
    counterparts.iter().filter_map(told).collect()
}

fn counterpart_state(counterpart: &Counterpart) -> CounterpartState {
    let Counterpart { current, band, deviation } = counterpart;
    let number = |x: f64| Some(x).filter(|x| x.is_finite());
    let seen = current.value.is_some();
    CounterpartState {
        value: current.value.as_ref().map_or(serde_json::Value::Null, json),
        quality: format!("{:?}", current.quality.grade),
        source_time: seen.then(|| current.source_time.to_string()),
        receive_time: seen.then(|| current.receive_time.to_string()),
        origin: current.origin.mark(),
        difference: deviation.delta,
        low: band.and_then(|band| number(band.low)),
        high: band.and_then(|band| number(band.high)),
        weight: deviation.weight,
    }
}

/// JSON has no NaN: it becomes null.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(x) => serde_json::Number::from_f64(*x).map_or(serde_json::Value::Null, Into::into),
        Value::Bool(b) => (*b).into(),
        Value::Text(text) => text.as_ref().into(),
    }
}
