//! Commands to equipment in a live session. In: [`InstructionCommand`]s, what brokers and equipment answer, time. Out:
//! messages by way of the outbox, and each step of each instruction in the journal: that it is sent stands there before it
//! leaves. Without an outbox a command can be looked at, and is refused in words when it is to be sent.

use std::collections::BTreeSet;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::Running;
use crate::analysis::{Analysis, Knowledge};
use crate::command::{InstructionCommand, Operator, Outbox, Refusals, Remarks};
use crate::event::Draft;
use crate::history::{Cursor, ViewTime};
use crate::instruction::{Desk, Destination, Instruction, Now, Permission, Reading, arguments, unknown};
use crate::scene::{Command, LoadedScene, Scene, SignalSource};
use crate::source::mqtt::{News, address_of};
use crate::source::{ConnectionState, Sources};
use crate::value::SignalIndex;

/// What decides about commands.
#[derive(SystemParam)]
pub(super) struct Surroundings<'w> {
    loaded: Res<'w, LoadedScene>,
    analysis: Res<'w, Analysis>,
    sources: Res<'w, Sources>,
    running: Res<'w, Running>,
    time: Res<'w, ViewTime>,
}

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn instruct(
    In(command): In<InstructionCommand>,
    mut desk: ResMut<Desk>,
    outbox: Option<Res<Outbox>>,
    around: Surroundings,
    (cursor, operator): (Res<Cursor>, Res<Operator>),
    remarks: Remarks,
    mut refusals: ResMut<Refusals>,
) {
    let (scene, by, now) = (&around.loaded.scene, operator.0.as_str(), around.now());
    let is_deed = matches!(command, InstructionCommand::Arm(_) | InstructionCommand::Send { .. });
    let done = match command {
        _ if is_deed && !cursor.is_live() => Err("commands are given live: the cursor is in the past".to_owned()),
        InstructionCommand::Prepare { twin, command, arguments: given } => match scene.command(&twin, &command) {
            Some(command) => match arguments(command, &given) {
                Ok(values) => {
                    let (_, destination) = around.permission(command);
                    let made = desk.prepare(command.clone(), scene, values, destination, by, now.time);
                    made.map(drop).map_err(|why| format!("{}: {why}", scene.command_path(command)))
                }
                Err(faults) => Err(format!("{}: {}", scene.command_path(command), faults.join("; "))),
            },
            None => Err(format!("there is no command {twin}.{command}")),
        },
        InstructionCommand::Arm(id) => match desk.get_mut(id) {
            Some(one) => match around.permission(&one.command).0.leave() {
                Ok(_) => one.arm(by, now),
                Err(why) => {
                    one.refuse(why, by, "", now.time);
                    Err(format!("{}: {why}", one.path()))
                }
            },
            None => Err(unknown(id)),
        },
        InstructionCommand::Send { id, reason } => send(&mut desk, outbox.as_deref(), &around, by, (id, &reason)),
        InstructionCommand::Cancel { id, reason } => match desk.get_mut(id) {
            Some(one) => one.cancel(Some(by), &reason, now.time),
            None => Err(unknown(id)),
        },
    };
    if let Err(why) = done {
        refusals.add(why.clone());
        remarks.answer(why);
    }
    around.look(&mut desk);
    around.tell(&mut desk);
}

/// Judges it, puts it on record, and then sends it.
fn send(
    desk: &mut Desk,
    outbox: Option<&Outbox>,
    around: &Surroundings,
    by: &str,
    (id, reason): (u64, &str),
) -> Result<(), String> {
    let (scene, now) = (&around.loaded.scene, around.now());
    let one = desk.get_mut(id).ok_or_else(|| unknown(id))?;
    let leave = match around.permission(&one.command).0.leave() {
        Ok(leave) => leave,
        Err(why) => {
            one.refuse(why, by, reason, now.time);
            return Err(format!("{}: {why}", one.path()));
        }
    };
    let outbox = outbox.ok_or("commands are off in this world")?;
    let (leave, link) = outbox.way(&one.destination.broker, leave);
    let outgoing = {
        let knowledge = around.analysis.lock();
        let newest = |signal: SignalIndex| around.reading(&knowledge, signal);
        desk.send(id, leave, link, scene, &newest, by, reason, now)?
    };
    around.tell(desk);
    let is_kept = around.analysis.lock().secure(now.time);
    let one = desk.get_mut(id).ok_or_else(|| unknown(id))?;
    match is_kept {
        Ok(()) => outbox.publish(one, outgoing, now.time),
        Err(why) => one.lost(format!("not sent: it cannot be put on record: {why}"), now.time),
    }
    Ok(())
}

/// Hears what became of commands, and lets time pass for them.
pub(super) fn follow(
    mut desk: ResMut<Desk>,
    outbox: Option<ResMut<Outbox>>,
    around: Surroundings,
    mut generation: Local<u32>,
) {
    let loaded = &around.loaded;
    if *generation != loaded.generation {
        if *generation != 0 {
            desk.adopt(&loaded.scene, &|command| around.permission(command).1, around.time.now);
        }
        *generation = loaded.generation;
    }
    let news = outbox.map(|mut outbox| outbox.take_news()).unwrap_or_default();
    if news.is_empty() && !desk.is_waiting() && !desk.has_news() {
        return;
    }
    for one in news {
        match one {
            News::Delivered { instruction, at } => {
                desk.get_mut(instruction).into_iter().for_each(|one| one.delivered(at));
            }
            News::Lost { instruction, why, at } => {
                desk.get_mut(instruction).into_iter().for_each(|one| one.lost(why.clone(), at));
            }
            News::Answer { broker, topic, payload, received } => desk.hear(&broker, &topic, &payload, received),
        }
    }
    around.look(&mut desk);
    around.tell(&mut desk);
}

impl Surroundings<'_> {
    fn now(&self) -> Now {
        Now { time: self.time.now, uptime: self.running.opened.elapsed() }
    }

    fn scene(&self) -> &Scene {
        &self.loaded.scene
    }

    /// Who allows a command, and where it goes.
    fn permission(&self, command: &Command) -> (Permission, Destination) {
        let running = &self.running;
        let brokers = super::effective_brokers(self.scene(), &running.options, running.embedded.as_ref());
        let asked = match &command.broker {
            Some(name) => brokers.get_key_value(name),
            None => brokers.iter().next().filter(|_| brokers.len() == 1),
        };
        let user = running.options.allow_commands != super::AllowCommands::No;
        let Some((name, broker)) = asked else {
            return (Permission { user, ..Permission::default() }, Destination::default());
        };
        let permission = Permission { scene: broker.commands, user, address: running.allowed.has(name, broker) };
        (permission, Destination { broker: name.clone(), address: address_of(&broker.url) })
    }

    /// The newest sample of a signal, and why no command may rely on it.
    fn reading(&self, knowledge: &Knowledge, signal: SignalIndex) -> Reading {
        Reading { point: knowledge.history.newest(signal), doubt: self.doubt(knowledge, signal) }
    }

    fn doubt(&self, knowledge: &Knowledge, signal: SignalIndex) -> Option<String> {
        if knowledge.is_outdated(signal) {
            return Some("from before the scene was read again, which changed it".to_owned());
        }
        let SignalSource::Mqtt(binding) = &self.scene().signals.get(signal.at())?.source else { return None };
        let is_connected =
            |source: &&crate::source::SourceHandle| source.status.connection().0 == ConnectionState::Connected;
        let connected: BTreeSet<&str> =
            self.sources.running.iter().filter(is_connected).map(|source| source.name.as_str()).collect();
        let down = match &binding.broker {
            Some(name) => Some(name.as_str()).filter(|name| !connected.contains(name)),
            // Any of them may have brought it.
            None => {
                self.sources.running.iter().map(|source| source.name.as_str()).find(|name| !connected.contains(name))
            }
        };
        down.map(|name| format!("its broker {name} is not connected"))
    }

    fn look(&self, desk: &mut Desk) {
        let knowledge = self.analysis.lock();
        let newest = |signal: SignalIndex| self.reading(&knowledge, signal);
        desk.look(self.scene(), &newest, self.now());
    }

    /// Every step is an event.
    fn tell(&self, desk: &mut Desk) {
        let news = desk.take_news();
        if news.is_empty() {
            return;
        }
        for (instruction, step) in &news {
            let result = if step.result.is_empty() { String::new() } else { format!(", {}", step.result) };
            tracing::info!("{}: {}{result}", instruction.path(), step.state.text());
            self.analysis.lock().record(Draft::of_step(instruction, step, self.time.now));
        }
        self.running.record.keep_open(desk.open());
    }
}

/// What has no end when the session has: each gets a last event.
pub(super) fn last_events(open: Vec<Instruction>, now: crate::value::Timestamp) -> Vec<Draft> {
    let end = |mut one: Instruction| {
        let before = one.steps().len();
        one.end(now);
        one.steps().get(before).map(|step| Draft::of_step(&one, step, now))
    };
    open.into_iter().filter_map(end).collect()
}
