//! A small bottling hall for the tests of all panels: a pump whose bearing is past its limits, a sensor that fell
//! silent, a source with every kind of complaint. Nothing here is random and nothing reads a clock.

pub mod alarms;
pub mod layers;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bevy_egui::egui::{Ui, vec2};
use egui_kittest::Harness;

use super::alarms::AlarmsView;
use super::inspector::{InspectorInput, InspectorView, inspector_view};
use super::mark::TwinMarks;
use super::snapshot::{Known, Snapshot};
use super::timebar::{TimeInput, TimeState, TimeView};
use super::trend::{TrendInput, TrendState, TrendView, trend_view};
use super::{issues, timebar};
use crate::alarm::AlarmBoard;
use crate::command::{Attention, FaultAnswer, Ghosts};
use crate::event::{Event, FaultSpans};
use crate::history::{self, Bucket, Counts, Cursor, Density, Extent, Gaps, History, Horizon, SkipGaps, ViewTime};
use crate::layers::Layers;
use crate::scene::{
    Binding, Decoder, Issue, Limits, LoadedScene, Scene, Severity, Signal, SignalSource, TimeField, Twin, ValueKind,
};
use crate::source::{ConnectionState, SourceReport, SourceSnapshot, TopicProblem};
use crate::stage::{Broken, Current};
use crate::value::{
    Conversion, Grade, Origin, Quality, Reason, Sample, SignalIndex, Timestamp, TwinIndex, Unit, Value,
};

const NOTHING_RECENT: super::open::RecentFiles =
    super::open::RecentFiles { listed: None, problem: None, at: Timestamp(0) };

/// Seconds after the session's start.
pub fn second(secs: i64) -> Timestamp {
    let start = Timestamp::parse_rfc3339("2026-01-31T14:00:00Z").unwrap();
    Timestamp(start.0 + secs * 1_000_000_000)
}

/// Ten minutes into the session.
pub fn now() -> Timestamp {
    second(600)
}

pub fn moment() -> ViewTime {
    ViewTime { now: now(), shown: now(), session_start: second(0) }
}

pub fn bucket(from_secs: i64, low: f64, high: f64, count: u64) -> Bucket {
    Bucket {
        from: Timestamp(from_secs * 1_000_000_000),
        to: Timestamp((from_secs + 1) * 1_000_000_000),
        min: low,
        max: high,
        first: low,
        last: high,
        count,
        worst: Grade::Good,
        gaps: Gaps::NONE,
    }
}

/// A harness with the real theme, as big as a docked panel.
pub fn harness<State: 'static>(
    state: State,
    mut draw: impl FnMut(&mut Ui, &mut State) + 'static,
) -> Harness<'static, State> {
    Harness::builder().with_size(vec2(820.0, 560.0)).build_ui_state(
        move |ui, state| {
            super::theme::apply(ui.ctx());
            draw(ui, state);
        },
        state,
    )
}

/// A signal by name, unit, kind and limits.
type Row = (&'static str, &'static str, ValueKind, Limits);

const NONE: Limits = Limits { low_low: None, low: None, high: None, high_high: None };

fn above(high: f64, high_high: f64) -> Limits {
    Limits { high: Some(high), high_high: Some(high_high), ..NONE }
}

fn add(scene: &mut Scene, id: &str, name: &str, type_name: &str, area: &str, rows: &[Row]) {
    let twin = TwinIndex(scene.twins.len() as u32);
    let first = scene.signals.len() as u32;
    for (name, unit, kind, limits) in rows {
        scene.signals.push(Signal {
            index: SignalIndex(scene.signals.len() as u32),
            twin,
            name: (*name).into(),
            label: String::new(),
            kind: *kind,
            unit: Unit::parse(unit).unwrap(),
            source: SignalSource::Mqtt(Binding {
                broker: None,
                topic: format!("hall/{id}/telemetry"),
                decoder: Decoder::Json(format!("/{name}")),
                time: TimeField::Receive,
                conversion: Conversion::IDENTITY,
            }),
            expires: Some(Duration::from_secs(10)),
            range: None,
            limits: *limits,
        });
    }
    scene.twins.push(Twin {
        index: twin,
        id: id.into(),
        name: name.into(),
        type_name: type_name.into(),
        area: area.into(),
        at: [0.0; 3],
        facing_deg: 0.0,
        scale: 1.0,
        signals: first..scene.signals.len() as u32,
        look: None,
    });
}

pub fn scene() -> Scene {
    use ValueKind::{Bool, Number, Text};
    let mut scene = Scene { name: "Bottling hall".into(), path: "scene.ron".into(), ..Default::default() };
    add(
        &mut scene,
        "P-101",
        "Feed pump",
        "Pump",
        "Filling",
        &[
            ("flow", "m3/h", Number, Limits { low: Some(20.0), ..NONE }),
            ("discharge_pressure", "bar", Number, above(8.0, 10.0)),
            ("speed", "1/min", Number, NONE),
            ("vibration", "mm/s", Number, above(4.5, 7.1)),
            ("temperature", "degC", Number, above(75.0, 90.0)),
            ("motor_current", "A", Number, NONE),
            ("power", "kW", Number, NONE),
            ("running", "", Bool, NONE),
            ("state", "", Text, NONE),
            ("operating_hours_since_last_overhaul", "h", Number, NONE),
        ],
    );
    add(
        &mut scene,
        "E-101",
        "Heat exchanger",
        "Exchanger",
        "Filling",
        &[
            ("inlet_temperature", "degC", Number, NONE),
            ("outlet_temperature", "degC", Number, above(82.0, 95.0)),
            ("duty", "kW", Number, NONE),
        ],
    );
    let rest = [
        ("F-101", "Filler carousel", "Filler", "Filling"),
        ("T-101", "Feed tank", "Tank", "Filling"),
        ("V-101", "Steam valve", "Valve", "Filling"),
        ("C-201", "Infeed conveyor", "Conveyor", "Packing"),
        ("C-202", "Accumulation conveyor with a rather long name", "Conveyor", "Packing"),
        ("R-201", "Capping robot", "Robot", "Packing"),
        ("R-301", "Palletiser", "Palletiser", "Packing"),
        ("K-401", "Air compressor", "Compressor", "Utilities/Air"),
        ("T-402", "Air receiver", "Vessel", "Utilities/Air"),
        ("B-501", "Steam boiler", "Boiler", "Utilities/Steam"),
    ];
    for (id, name, type_name, area) in rest {
        let level = ("load", "%", Number, above(90.0, 98.0));
        add(&mut scene, id, name, type_name, area, &[level, ("running", "", Bool, NONE)]);
    }
    scene.alarms = alarms::rules(&scene);
    scene
}

/// `T-00000` and so on, without signals.
pub fn many_twins(count: usize) -> Scene {
    let mut scene = Scene::default();
    for i in 0..count {
        add(&mut scene, &format!("T-{i:05}"), "", "Tank", "", &[]);
    }
    scene
}

/// Ten minutes of samples, with a silence in the third.
fn arrivals() -> Density {
    let mut arrivals = Density::default();
    for secs in (0..=600).filter(|secs| !(120..160).contains(secs)) {
        arrivals.add(second(secs), 40 + (secs % 90) as usize);
    }
    arrivals
}

/// What a signal says `secs` after the start.
fn sample_value(scene: &Scene, signal: &Signal, secs: f64) -> Value {
    let phase = f64::from(signal.index.0);
    let wave = (secs * 0.05 + phase).sin() + 0.35 * (secs * 0.31 + phase * 2.0).sin();
    let number = match (scene.twins[signal.twin.at()].id.as_str(), signal.name.as_str()) {
        ("P-101", "flow") => 58.0 + 3.0 * wave,
        ("P-101", "discharge_pressure") => 4.2 + 0.15 * wave,
        ("P-101", "speed") => 1478.0 + 4.0 * wave,
        // The bearing wears: past HH at the end, exactly 7.6.
        ("P-101", "vibration") => 1.4 + 6.2 * (secs / 600.0).powi(3) + 0.12 * (1.0 - secs / 600.0) * wave,
        ("P-101", "temperature") => 52.0 + 14.0 * (secs / 600.0).powi(2) + 0.6 * wave,
        ("P-101", "motor_current") => 14.2 + 0.4 * wave,
        ("P-101", "power") => 7.3 + 0.2 * wave,
        (_, "operating_hours_since_last_overhaul") => 12_480.0 + secs / 3600.0,
        ("E-101", "inlet_temperature") => 21.0 + 0.4 * wave,
        ("E-101", "outlet_temperature") => 71.0 + 2.0 * wave,
        ("E-101", "duty") => 214.0 + 6.0 * wave,
        ("C-202", "load") => 88.0 + 6.0 * (secs / 600.0),
        (_, "load") => 48.0 + 9.0 * wave,
        _ => 1.0,
    };
    match signal.kind {
        ValueKind::Number => Value::Number(number),
        ValueKind::Bool => Value::Bool(number > 0.5),
        ValueKind::Text => Value::Text("filling".into()),
    }
}

/// The value at `now`: E-101's outlet fell silent 38 s ago, V-101 has never been heard of.
fn current(scene: &Scene, signal: &Signal) -> Current {
    let at = |secs: i64, quality| Current {
        value: Some(sample_value(scene, signal, secs as f64)),
        quality,
        source_time: second(secs),
        receive_time: second(secs),
        ..Current::default()
    };
    match (scene.twins[signal.twin.at()].id.as_str(), signal.name.as_str()) {
        ("E-101", "outlet_temperature") => at(562, Quality::stale(Reason::Expired)),
        ("V-101", _) => Current::default(),
        ("T-402", "load") => at(598, Quality::uncertain(Reason::Retained)),
        ("B-501", "load") => at(597, Quality::bad(Reason::OutOfRange)),
        _ => at(600, Quality::GOOD),
    }
}

pub fn marks(scene: &Scene) -> TwinMarks {
    let mut marks = TwinMarks::default();
    marks.reset(scene);
    let currents: Vec<_> = scene.signals.iter().map(|signal| (signal.index, current(scene, signal))).collect();
    marks.update(scene, currents.iter().map(|(index, current)| (*index, current)));
    marks.light(&alarms::board(scene));
    marks
}

pub struct Plant {
    pub scene: Scene,
    pub marks: TwinMarks,
    pub board: AlarmBoard,
    pub events: Vec<Arc<Event>>,
    pub faults: FaultSpans,
    pub broken: Broken,
    pub currents: Vec<Current>,
    pub history: History,
    pub report: SourceReport,
    pub issues: LoadedScene,
}

/// The hall after ten minutes of one sample a second.
pub fn plant() -> Plant {
    let scene = scene();
    let mut history = History::new(64 << 20);
    history.resize(scene.signals.len());
    let currents: Vec<Current> = scene.signals.iter().map(|signal| current(&scene, signal)).collect();
    for secs in 0..=600 {
        for (signal, current) in scene.signals.iter().zip(&currents) {
            if current.value.is_some() && second(secs) <= current.source_time {
                history.append(&Sample {
                    signal: signal.index,
                    source_time: second(secs),
                    receive_time: second(secs),
                    value: sample_value(&scene, signal, secs as f64),
                    quality: Quality::GOOD,
                    origin: Origin::Measured,
                });
            }
        }
    }
    let (marks, board, events) = (marks(&scene), alarms::board(&scene), alarms::events(&scene));
    let (faults, broken) = (FaultSpans::default(), Broken::default());
    Plant { marks, board, events, faults, broken, scene, currents, history, report: report(), issues: loaded() }
}

impl Plant {
    fn current(&self, index: SignalIndex) -> Current {
        self.currents[index.at()].clone()
    }

    /// `P-101.flow` and the like.
    pub fn signals(&self, paths: &[&str]) -> Vec<SignalIndex> {
        let find = |path: &&str| {
            let (twin, signal) = path.split_once('.').unwrap();
            self.scene.signal(twin, signal).unwrap().index
        };
        paths.iter().map(find).collect()
    }

    pub fn attention(&self, selected: &str, trends: &[&str]) -> Attention {
        Attention { selected: Some(self.scene.twin(selected).unwrap().index), trends: self.signals(trends) }
    }

    pub fn inspector(&self, attention: &Attention) -> Option<InspectorView> {
        inspector_view(&InspectorInput {
            scene: &self.scene,
            currents: &|index| self.current(index),
            history: &self.history,
            marks: &self.marks,
            board: &self.board,
            attention,
            layers: &[],
            counterparts: &|_| None,
            moment: moment(),
            visible: 0..100,
        })
    }

    pub fn trend(&self, trends: &[SignalIndex]) -> TrendView {
        self.trend_beside(trends, None)
    }

    /// The same with layers, at their horizon.
    pub fn trend_beside(&self, trends: &[SignalIndex], layers: Option<&Layers>) -> TrendView {
        let input = TrendInput {
            scene: &self.scene,
            currents: &|index| self.current(index),
            history: &self.history,
            trends,
            cursor: Cursor::Live,
            moment: moment(),
            horizon: layers.map(|layers| layers.horizon(now())).unwrap_or_default(),
            recorded: false,
            layers,
            broken: &self.broken.faults,
        };
        trend_view(&input, &TrendState::default())
    }

    fn alarms_view<'a>(&'a self, trends: &'a [SignalIndex]) -> AlarmsView<'a> {
        AlarmsView {
            scene: &self.scene,
            board: &self.board,
            events: &self.events,
            trends,
            selected_twin: None,
            shown: now(),
            live: true,
            horn: Some(None),
        }
    }

    /// What `ask` finds in the live view of all alarms.
    pub fn alarms<T>(&self, ask: impl FnOnce(&AlarmsView) -> T) -> T {
        ask(&self.alarms_view(&[]))
    }

    /// The time bar of a live session at its end, or wherever the cursor stands.
    pub fn time(&self, cursor: Cursor, state: &TimeState) -> TimeView<'_> {
        self.time_in(&Extent::Live, cursor, history::Marks::default(), state)
    }

    pub fn time_in(&self, extent: &Extent, cursor: Cursor, marks: history::Marks, state: &TimeState) -> TimeView<'_> {
        self.time_until(Horizon::default(), extent, cursor, marks, state)
    }

    /// The same where a layer reaches beyond now.
    pub fn time_until(
        &self,
        horizon: Horizon,
        extent: &Extent,
        cursor: Cursor,
        marks: history::Marks,
        state: &TimeState,
    ) -> TimeView<'_> {
        let arrivals = arrivals();
        let input = TimeInput {
            cursor,
            moment: ViewTime { shown: cursor.shown(now()), ..moment() },
            extent,
            horizon,
            bounds: self.history.bounds(),
            counts: Counts::of(extent, &arrivals),
            marks,
            skip: SkipGaps(None),
        };
        TimeView { operator: "ada", ..timebar::time_view(&input, state, &self.scene, (&self.events, &self.faults)) }
    }

    /// What panels read in a live frame.
    pub fn with_snapshot<T>(&self, attention: &Attention, then: impl FnOnce(&Snapshot) -> T) -> T {
        let issues = issues::issues_view(&self.issues, &self.report, &[]);
        let loaded = LoadedScene { scene: Arc::new(self.scene.clone()), generation: 1, issues: Vec::new() };
        then(&Snapshot {
            loaded: &loaded,
            attention,
            cursor: Cursor::Live,
            time: moment(),
            extent: &Extent::Live,
            horizon: Horizon::default(),
            time_marks: history::Marks::default(),
            skip: SkipGaps(None),
            operator: "ada",
            report: &self.report,
            marks: &self.marks,
            board: &self.board,
            horn: Some(None),
            events: &self.events,
            recent: &NOTHING_RECENT,
            layers: None,
            ghosts: Ghosts::default(),
            current: &|index| self.current(index),
            counterparts: &|_| None,
            issues: &issues,
            record: None,
            desk: None,
            faults: &self.faults,
            broken: &self.broken,
            fault_answer: &FaultAnswer::default(),
            plant: None,
            known: Known {
                lines: &self.history,
                bounds: self.history.bounds(),
                usage: self.history.usage(),
                arrivals: &arrivals(),
            },
        })
    }
}

/// One source that works and complains, one that cannot get in.
pub fn report() -> SourceReport {
    let plant = SourceSnapshot {
        plants: Vec::new(),
        name: "plant".into(),
        address: "mqtt://127.0.0.1:1883".into(),
        state: ConnectionState::Connected,
        since: second(340),
        error: Some("not subscribed to `hall/secret` (not authorized)".into()),
        reconnects: 1,
        received: 12_480,
        received_bytes: 2_496_000,
        messages_per_sec: 20.4,
        bytes_per_sec: 4_081.0,
        decoded: 124_300,
        unknown_topics: 1_246,
        decode_errors: 17,
        clock_problems: 2,
        dropped: 3,
        coalesced: 212,
        unknown: vec![("hall/legacy/heartbeat".into(), 1_204), ("hall/P-101/debug".into(), 42)],
        problems: vec![TopicProblem {
            topic: "hall/E-101/telemetry".into(),
            count: 17,
            last_error: "payload is not JSON: expected value at line 1 column 10".into(),
            last_payload: "{\"temp\": nope}".into(),
            last_time: second(562),
        }],
    };
    let lab = SourceSnapshot {
        name: "lab".into(),
        address: "mqtts://lab.example:8883".into(),
        state: ConnectionState::Disconnected,
        since: second(588),
        error: Some("bad user name or password".into()),
        ..Default::default()
    };
    SourceReport { sources: vec![lab, plant], ..SourceReport::default() }
}

/// A load that failed: the last good scene stays.
pub fn loaded() -> LoadedScene {
    let issue = |severity, rule, file: &str, line, column, brief: &str, hint: &str| Issue {
        severity,
        rule,
        file: PathBuf::from(file),
        span: 0..1,
        line,
        column,
        brief: brief.into(),
        hint: Some(hint.into()),
    };
    let issues = vec![
        issue(
            Severity::Warning,
            "unused-type",
            "types/pump.ron",
            12,
            9,
            "type `Booster` is not used by any twin",
            "Remove it, or place a twin of it.",
        ),
        issue(
            Severity::Error,
            "unknown-field",
            "scene.ron",
            41,
            13,
            "Pump.signals.flow: unknown field `expire`",
            "Did you mean `expires`?",
        ),
    ];
    LoadedScene { scene: Arc::new(scene()), generation: 1, issues }
}
