//! The alarms of the hall: every limit has one, and they stand in every state there is.

use std::sync::Arc;
use std::time::Duration;

use super::{now, second};
use crate::alarm::{
    Alarm, AlarmBoard, Deed, Flags, Flood, Frequent, Performance, PriorityShare, Rate, Shelving, StandingAlarm, State,
};
use crate::event::{Event, Kind};
use crate::panel::alarms::words;
use crate::scene::rule::{AlarmIndex, Condition, Guidance, Level, Priority, Rule, Subject};
use crate::scene::{LoadedScene, Scene};
use crate::value::Timestamp;

/// An alarm for each limit of the scene's signals: high priority beyond the outer limits, medium beyond the inner ones.
pub fn rules(scene: &Scene) -> Vec<Rule> {
    let mut rules = Vec::new();
    for signal in &scene.signals {
        let limits = signal.limits;
        for (level, name, limit) in [
            (Level::LowLow, "low_low", limits.low_low),
            (Level::Low, "low", limits.low),
            (Level::High, "high", limits.high),
            (Level::HighHigh, "high_high", limits.high_high),
        ] {
            let Some(limit) = limit else { continue };
            let twin = &scene.twins[signal.twin.at()].id;
            let bearing = signal.name == "vibration";
            let condition = Condition::Limit { level, limit, deadband: if bearing { 0.3 } else { 0.0 } };
            rules.push(Rule {
                index: AlarmIndex(rules.len() as u32),
                on_delay: Duration::from_secs(if bearing { 2 } else { 0 }),
                latching: twin == "C-202" && level == Level::HighHigh,
                priority: match (bearing, level) {
                    (true, Level::HighHigh) => Priority::Critical,
                    (_, Level::HighHigh | Level::LowLow) => Priority::High,
                    (_, Level::High | Level::Low) if twin == "C-202" => Priority::Low,
                    _ => Priority::Medium,
                },
                group: if bearing { "bearings".into() } else { String::new() },
                guidance: if bearing { guidance() } else { Guidance::default() },
                ..Rule::new(Subject::Signal(signal.index), format!("{}.{name}", signal.name), condition)
            });
        }
    }
    rules
}

fn guidance() -> Guidance {
    Guidance {
        message: String::new(),
        cause: "Bearing wear, misalignment or cavitation".into(),
        consequence: "The bearing seizes; the line stops for a day".into(),
        action: "Reduce the speed below 1200 1/min, listen at the drive end, plan a bearing change".into(),
        respond_within: Some(Duration::from_secs(8 * 3600)),
    }
}

pub fn rule<'a>(scene: &'a Scene, twin: &str, name: &str) -> &'a Rule {
    scene.alarms.iter().find(|rule| rule.name == name && words::whose(rule, scene) == twin).unwrap()
}

/// `P-101 vibration.high`.
pub fn titles(scene: &Scene, alarms: &[AlarmIndex]) -> Vec<String> {
    let title = |index: &AlarmIndex| {
        let rule = &scene.alarms[index.at()];
        format!("{} {}", words::whose(rule, scene), rule.name)
    };
    alarms.iter().map(title).collect()
}

pub fn deed(by: &str, secs: i64, comment: &str) -> Deed {
    Deed { by: by.into(), at: second(secs), comment: comment.into() }
}

fn standing(state: State, secs: i64, trigger: f64, current: f64, worst: f64) -> Alarm {
    Alarm {
        state,
        since: second(secs),
        raised_at: Some(second(secs)),
        trigger: Some(trigger),
        current: Some(current),
        worst: Some(worst),
        activations: 1,
        ..Alarm::default()
    }
}

/// By index: the pump's bearing past both limits, a conveyor latched, one returned, one acknowledged; one shelved, one
/// suppressed, one out of service.
pub fn states(scene: &Scene) -> Vec<Alarm> {
    let mut states = vec![Alarm::default(); scene.alarms.len()];
    let mut set = |twin: &str, name: &str, alarm: Alarm| states[rule(scene, twin, name).index.at()] = alarm;
    set("P-101", "vibration.high_high", standing(State::Unacknowledged, 585, 7.14, 7.6, 7.62));
    set("P-101", "vibration.high", standing(State::Unacknowledged, 477, 4.52, 7.6, 7.62));
    set("R-301", "load.high", standing(State::ReturnedUnacknowledged, 300, 91.2, 44.0, 93.5));
    set("E-101", "outlet_temperature.high", standing(State::Unacknowledged, 120, 82.4, 83.0, 83.1));
    let acknowledged = Some(deed("ada", 470, "jam cleared"));
    set(
        "C-202",
        "load.high_high",
        Alarm { acknowledged: acknowledged.clone(), ..standing(State::LatchedAcknowledged, 480, 98.4, 94.0, 99.0) },
    );
    set("C-202", "load.high", Alarm { acknowledged, ..standing(State::Acknowledged, 200, 90.1, 94.0, 99.0) });
    let shelved = Shelving { until: Some(second(4_200)), deed: deed("grace", 540, "filter is being changed") };
    let shelved = Flags { shelved: Some(shelved), ..Flags::default() };
    set("K-401", "load.high", Alarm { flags: shelved, ..standing(State::Unacknowledged, 530, 90.3, 92.0, 92.0) });
    let suppressed = Flags { suppressed: true, ..Flags::default() };
    set("F-101", "load.high", Alarm { flags: suppressed, ..standing(State::Unacknowledged, 520, 90.3, 92.0, 92.0) });
    let out = Flags { out_of_service: Some(deed("grace", 10, "sensor on order")), ..Flags::default() };
    set("B-501", "load.high_high", Alarm { flags: out, ..Alarm::default() });
    states
}

pub fn board_of(scene: &Scene, states: Vec<Alarm>) -> AlarmBoard {
    let loaded = LoadedScene { scene: Arc::new(scene.clone()), generation: 1, issues: Vec::new() };
    let mut board = AlarmBoard::default();
    board.show(&loaded, states.into(), now());
    board
}

/// The board ten minutes in, in the middle of a small flood.
pub fn board(scene: &Scene) -> AlarmBoard {
    let mut board = board_of(scene, states(scene));
    let first = rule(scene, "P-101", "vibration.high").index;
    board.flood = Some(Flood { since: second(477), alarms: 14, first: Some(first) });
    board.chattering = vec![rule(scene, "R-301", "load.high").index];
    board.first_up = vec![first];
    board.performance = Some(Arc::new(performance(scene)));
    board
}

/// A day with one flood.
pub fn performance(scene: &Scene) -> Performance {
    let index = |twin: &str, name: &str| rule(scene, twin, name).index;
    let rate = |average, peak| Rate { average: Some(average), peak, peak_at: Some(second(480)) };
    let frequent = |alarm, count: u64| Frequent { alarm, count, share: count as f64 / 101.0 };
    let most_frequent = vec![
        frequent(index("R-301", "load.high"), 38),
        frequent(index("C-202", "load.high"), 21),
        frequent(index("P-101", "flow.low"), 4),
    ];
    let counts = [1, 12, 30, 58].into_iter().zip([0.01, 0.05, 0.15, 0.8]);
    let shares: Vec<PriorityShare> = Priority::ALL
        .into_iter()
        .zip(counts)
        .map(|(priority, (count, recommended))| PriorityShare {
            priority,
            count,
            share: count as f64 / 101.0,
            recommended,
        })
        .collect();
    Performance {
        from: second(600 - 86_400),
        to: second(600),
        alarms: 101,
        per_ten_minutes: rate(0.7, 14),
        per_hour: rate(4.2, 17),
        per_day: rate(101.0, 101),
        share_above_ten: 0.007,
        floods: 1,
        share_in_flood: 0.014,
        standing: vec![StandingAlarm { alarm: index("C-202", "load.high"), since: second(200), secs: 400.0 }],
        stale: 0,
        shelved: 1,
        suppressed: 1,
        out_of_service: 1,
        share_of_most_frequent: most_frequent.iter().map(|frequent| frequent.share).sum(),
        most_frequent,
        priorities: shares.try_into().unwrap(),
        chattering: vec![index("R-301", "load.high")],
    }
}

fn event(id: u64, secs: i64, twin: Option<&str>, by: Option<&str>, comment: &str, kind: Kind) -> Arc<Event> {
    let (time, received) = (second(secs), second(secs));
    let (twin, by) = (twin.map(Into::into), by.map(Into::into));
    Arc::new(Event { id, time, received, twin, by, comment: comment.into(), kind })
}

/// What the journal holds after ten minutes, oldest first.
pub fn events(scene: &Scene) -> Vec<Arc<Event>> {
    use crate::alarm::Cause;
    let alarm = |twin: &str, name: &str, cause, from, to, value| {
        let rule = rule(scene, twin, name);
        Kind::Alarm {
            alarm: name.into(),
            broker: None,
            cause,
            from,
            to,
            priority: rule.priority,
            message: words::message(rule, scene),
            value,
            worst: None,
            unit: words::unit_of(rule, scene).trim().into(),
            origin: None,
        }
    };
    let connected = Kind::Connection { broker: "plant".into(), state: "connected".into(), error: String::new() };
    let (normal, unack) = (State::Normal, State::Unacknowledged);
    let commented = alarm("P-101", "vibration.high", Cause::Commented, unack, unack, None);
    let latched = State::LatchedAcknowledged;
    vec![
        event(1, 0, None, None, "", connected),
        event(2, 1, Some("P-101"), None, "", Kind::Birth),
        event(
            3,
            400,
            Some("C-202"),
            None,
            "",
            alarm("C-202", "load.high_high", Cause::Raised, normal, unack, Some(98.4)),
        ),
        event(
            4,
            470,
            Some("C-202"),
            Some("ada"),
            "jam cleared",
            alarm("C-202", "load.high_high", Cause::Acknowledged, unack, State::Acknowledged, None),
        ),
        event(
            5,
            477,
            Some("P-101"),
            None,
            "",
            alarm("P-101", "vibration.high", Cause::Raised, normal, unack, Some(4.52)),
        ),
        event(
            6,
            480,
            Some("C-202"),
            None,
            "",
            alarm("C-202", "load.high_high", Cause::Cleared, State::Acknowledged, latched, Some(96.9)),
        ),
        event(7, 500, Some("P-101"), Some("ada"), "mechanic is on the way", commented),
        event(8, 562, Some("E-101"), Some("grace"), "", Kind::Note { text: "thermowell looks wet".into() }),
        event(
            9,
            585,
            Some("P-101"),
            None,
            "",
            alarm("P-101", "vibration.high_high", Cause::Raised, normal, unack, Some(7.14)),
        ),
        event(10, 590, None, None, "", Kind::Flood { began: true, alarms: 11, first: "P-101/vibration.high".into() }),
    ]
}

/// A long journal: notes, one a second.
pub fn many_events(count: u64) -> Vec<Arc<Event>> {
    let note = |id| {
        let time = Timestamp(second(0).0 + id as i64 * 1_000_000_000);
        let kind = Kind::Note { text: format!("note {id}") };
        let (by, comment) = (None, String::new());
        Arc::new(Event { id, time, received: time, twin: Some("P-101".into()), by, comment, kind })
    };
    (1..=count).map(note).collect()
}
