//! Commands to equipment in a live session. In: [`InstructionCommand`]s, what brokers and equipment answer, time. Out:
//! messages by way of the outbox, and each step of each instruction in the journal. Without an outbox a command can be
//! looked at, and is refused in words when it is to be sent.

use bevy::prelude::*;

use super::Running;
use crate::analysis::Analysis;
use crate::command::{InstructionCommand, Operator, Outbox, Refusals, Remarks};
use crate::event::Draft;
use crate::history::{Cursor, ViewTime};
use crate::instruction::{Desk, arguments};
use crate::scene::{Command, LoadedScene, Scene};
use crate::source::mqtt::News;
use crate::value::SignalIndex;

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
#[expect(clippy::too_many_arguments, reason = "each is a resource of its own")]
pub(super) fn instruct(
    In(command): In<InstructionCommand>,
    mut desk: ResMut<Desk>,
    outbox: Option<Res<Outbox>>,
    (loaded, analysis, operator): (Res<LoadedScene>, Res<Analysis>, Res<Operator>),
    (cursor, time): (Res<Cursor>, Res<ViewTime>),
    running: Res<Running>,
    remarks: Remarks,
    mut refusals: ResMut<Refusals>,
) {
    let (scene, by, now) = (&loaded.scene, operator.0.as_str(), time.now);
    let is_deed = matches!(command, InstructionCommand::Arm(_) | InstructionCommand::Send { .. });
    let done = match command {
        _ if is_deed && !cursor.is_live() => Err("commands are given live: the cursor is in the past".to_owned()),
        InstructionCommand::Prepare { twin, command, arguments: given } => match scene.command(&twin, &command) {
            Some(command) => match arguments(command, &given) {
                Ok(values) => {
                    desk.prepare(command.clone(), scene, values, by, now);
                    Ok(())
                }
                Err(faults) => Err(format!("{}: {}", scene.command_path(command), faults.join("; "))),
            },
            None => Err(format!("there is no command {twin}.{command}")),
        },
        InstructionCommand::Arm(id) => match desk.get_mut(id) {
            Some(one) => match permission(outbox.as_deref(), &one.command, scene, &running).leave() {
                Ok(_) => one.arm(by, now),
                Err(why) => {
                    one.refuse(why, by, "", now);
                    Err(format!("{}: {why}", one.path()))
                }
            },
            None => Err(unknown(id)),
        },
        InstructionCommand::Send { id, reason } => match desk.get_mut(id) {
            Some(one) => {
                let leave = permission(outbox.as_deref(), &one.command, scene, &running).leave();
                match (leave, outbox.as_deref()) {
                    (Ok(leave), Some(outbox)) => {
                        let (leave, link) = outbox.way(&one.command, leave);
                        let sent = {
                            let knowledge = analysis.lock();
                            let newest = |signal: SignalIndex| knowledge.history.newest(signal);
                            one.send(leave, &link, scene, &newest, by, &reason, now)
                        };
                        sent.map(|outgoing| outbox.publish(one, outgoing, now))
                    }
                    (Ok(_), None) => Err("commands are off in this world".to_owned()),
                    (Err(why), _) => {
                        one.refuse(why, by, &reason, now);
                        Err(format!("{}: {why}", one.path()))
                    }
                }
            }
            None => Err(unknown(id)),
        },
        InstructionCommand::Cancel { id, reason } => match desk.get_mut(id) {
            Some(one) => one.cancel(Some(by), &reason, now),
            None => Err(unknown(id)),
        },
    };
    if let Err(why) = done {
        refusals.add(why.clone());
        remarks.answer(why);
    }
    tell(&mut desk, &analysis, now);
}

fn unknown(id: u64) -> String {
    format!("there is no command with the number {id}: prepare it first")
}

/// Whether scene and user allow a command.
fn permission(
    outbox: Option<&Outbox>,
    command: &Command,
    scene: &Scene,
    running: &Running,
) -> crate::instruction::Permission {
    let brokers = super::effective_brokers(scene, &running.options, running.embedded.as_ref());
    let asked = match &command.broker {
        Some(name) => brokers.get(name),
        None => brokers.values().next().filter(|_| brokers.len() == 1),
    };
    Outbox::permission(outbox, command, asked.is_some_and(|broker| broker.commands))
}

/// Hears what became of commands, and lets time pass for them.
pub(super) fn follow(
    mut desk: ResMut<Desk>,
    outbox: Option<Res<Outbox>>,
    loaded: Res<LoadedScene>,
    analysis: Res<Analysis>,
    time: Res<ViewTime>,
    mut generation: Local<u32>,
) {
    let now = time.now;
    if *generation != loaded.generation {
        if *generation != 0 {
            desk.adopt(&loaded.scene, now);
        }
        *generation = loaded.generation;
    }
    let news = outbox.map(|outbox| outbox.take_news()).unwrap_or_default();
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
            News::Answer { topic, payload, received } => desk.hear(&topic, &payload, received),
        }
    }
    {
        let knowledge = analysis.lock();
        let newest = |signal: SignalIndex| knowledge.history.newest(signal);
        desk.look(&loaded.scene, &newest, now);
    }
    tell(&mut desk, &analysis, now);
}

/// Every step is an event.
fn tell(desk: &mut Desk, analysis: &Analysis, now: crate::value::Timestamp) {
    for (instruction, step) in desk.take_news() {
        let draft = Draft::of_step(&instruction, &step, now);
        tracing::info!(
            "{}: {}{}",
            instruction.path(),
            step.state.text(),
            match step.result.as_str() {
                "" => String::new(),
                result => format!(", {result}"),
            }
        );
        analysis.lock().record(draft);
    }
}
