//! What a session records, and what an operator asks of it. In: options, the scene, [`OperatorCommand::Record`]. Out: a
//! running recorder; an event that says who asked. Never writes itself.

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::Options;
use crate::analysis::Analysis;
use crate::command::{Operator, OperatorCommand};
use crate::event::{Draft, Kind};
use crate::history::Moment;
use crate::record::format::{About, VERSION};
use crate::record::{RecordError, RecordState, Recorder, Recording, SceneFiles};
use crate::scene::{Broker, Scene, without_userinfo};
use crate::source::Clock;

/// Begins to record if the options say so.
pub(super) fn start(
    scene: &Scene,
    options: &Options,
    brokers: &BTreeMap<String, Broker>,
    clock: Clock,
) -> Result<Option<Recorder>, RecordError> {
    let Some(record) = options.record.clone() else { return Ok(None) };
    let files = SceneFiles::of(scene);
    let about = About {
        format: format!("{}.{}", VERSION.0, VERSION.1),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scene: scene.name.clone(),
        scene_file: files.scene_file.clone(),
        brokers: brokers.iter().map(|(name, broker)| (name.clone(), without_userinfo(&broker.url))).collect(),
        operator: options.operator.clone(),
        ..About::default()
    };
    Recorder::start(record, about, files, clock).map(Some)
}

pub(super) fn obey(
    mut commands: MessageReader<OperatorCommand>,
    recording: Res<Recording>,
    analysis: Res<Analysis>,
    operator: Res<Operator>,
    moment: Res<Moment>,
) {
    for _ in commands.read().filter(|command| **command == OperatorCommand::Record) {
        let text = match &recording.0 {
            None => "nothing is recorded in this session: start it with --record FILE",
            Some(sink) => match sink.status().state {
                RecordState::Recording => "recording goes on",
                RecordState::Standby | RecordState::Failed => "the past is to be recorded",
                RecordState::Ended => "the recording has ended",
            },
        };
        let draft = Draft::new(moment.now, moment.now, Kind::Note { text: text.to_owned() });
        analysis.lock().record(draft.by(operator.0.clone(), ""));
        if let Some(sink) = &recording.0 {
            sink.trigger();
        }
    }
}
