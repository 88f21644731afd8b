//! The world at the cursor as JSON: what `--state` writes. A contract with users' scripts.
//!
//! In: the world. Out: plain data in sorted order. Never changes anything.

use std::collections::BTreeMap;

use bevy::prelude::*;
use serde::Serialize;

use crate::analysis::Analysis;
use crate::history::{Cursor, Moment};
use crate::scene::{Limits, LoadedScene};
use crate::source::{ConnectionState, SourceReport, SourceSnapshot, Sources};
use crate::twin::{Current, Entities, Standing, Value};

#[derive(Serialize, Debug)]
pub struct State {
    pub scene: String,
    pub cursor: CursorState,
    pub sources: BTreeMap<String, SourceState>,
    pub history: HistoryState,
    pub twins: BTreeMap<String, TwinState>,
    pub events: Vec<serde_json::Value>,
}

#[derive(Serialize, Debug)]
pub struct CursorState {
    /// `live`, `paused` or `playing`.
    pub mode: &'static str,
    pub at: String,
    pub speed: f64,
}

#[derive(Serialize, Debug)]
pub struct SourceState {
    pub address: String,
    /// `connecting`, `connected`, `disconnected` or `stopped`.
    pub state: &'static str,
    pub error: Option<String>,
    pub reconnects: u64,
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
}

#[derive(Serialize, Debug)]
pub struct ProblemState {
    pub count: u64,
    pub last_error: String,
    pub last_payload: String,
    pub last_time: String,
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
    pub alarms: Vec<serde_json::Value>,
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
}

/// Reads the whole state at the cursor.
pub fn of(world: &mut World) -> State {
    let scene = world.resource::<LoadedScene>().scene.clone();
    let moment = *world.resource::<Moment>();
    let cursor = *world.resource::<Cursor>();
    let sources = match world.get_resource::<Sources>() {
        Some(sources) => sources.running.iter().map(|source| source.status.snapshot(moment.now)).collect(),
        None => world.resource::<SourceReport>().sources.clone(),
    };
    let (usage, orphaned) = {
        let knowledge = world.resource::<Analysis>().lock();
        (knowledge.history.usage(), knowledge.orphaned())
    };
    let entities = &world.resource::<Entities>().signals;
    let twins = scene.twins.iter().map(|twin| {
        let signals = scene.signals_of(twin).iter().map(|signal| {
            let current = entities.get(signal.index.at()).and_then(|&entity| world.get::<Current>(entity));
            let state = signal_state(current.cloned().unwrap_or_default(), signal.unit.symbol(), &signal.limits);
            (signal.name.clone(), state)
        });
        let state = TwinState { type_name: twin.type_name.clone(), signals: signals.collect(), alarms: Vec::new() };
        (twin.id.clone(), state)
    });
    State {
        scene: scene.name.clone(),
        cursor: cursor_state(cursor, moment),
        sources: sources
            .into_iter()
            .map(|snapshot: SourceSnapshot| (snapshot.name.clone(), source_state(snapshot)))
            .collect(),
        history: HistoryState {
            samples: usage.samples,
            bytes: usage.bytes,
            budget_bytes: usage.budget_bytes,
            evicted: usage.evicted,
            out_of_order: usage.out_of_order,
            orphaned,
        },
        twins: twins.collect(),
        events: Vec::new(),
    }
}

fn cursor_state(cursor: Cursor, moment: Moment) -> CursorState {
    let (mode, speed) = match cursor {
        Cursor::Live => ("live", 1.0),
        Cursor::Paused(_) => ("paused", 0.0),
        Cursor::Playing { speed, .. } => ("playing", speed),
    };
    CursorState { mode, at: moment.shown.to_string(), speed }
}

fn source_state(snapshot: SourceSnapshot) -> SourceState {
    SourceState {
        address: snapshot.address,
        state: match snapshot.state {
            ConnectionState::Connecting => "connecting",
            ConnectionState::Connected => "connected",
            ConnectionState::Disconnected => "disconnected",
            ConnectionState::Stopped => "stopped",
        },
        error: snapshot.error,
        reconnects: snapshot.reconnects,
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
