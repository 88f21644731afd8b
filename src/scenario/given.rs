//! Commands that an experiment gives to its simulated plant. In: a command of the scene with its arguments, what the twin
//! knows, time. Out: the message on the topic of the command, which the plant takes; whether the twin saw that it was obeyed.
//!
//! Constraints, payload and verification are those of commands to equipment ([`instruction`]). No instruction is made and
//! none is sent: the message goes to the plant of this experiment, and to nobody else.

use std::time::Duration;

use super::against::by_topic;
use super::experiment::Ordered;
use super::run::Stage;
use super::watch::Given;
use crate::instruction::{self, Judgement, Reading};
use crate::scene::commands::{Evidence, Requirement, Verify};
use crate::value::{SignalIndex, Timestamp};

/// A command that was given, and whose effect is not seen yet.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    ordered: Ordered,
    verify: Verify,
    at: Timestamp,
}

impl Stage<'_> {
    /// Gives a command, if its constraints hold.
    pub(super) fn give(&mut self, time: u64, ordered: &Ordered) {
        let scene = self.world.scene().clone();
        let Some(command) = scene.commands.get(ordered.command) else { return };
        let path = scene.command_path(command);
        let now = self.clock.moment(time);
        let broken: Vec<String> = command
            .constraints
            .iter()
            .map(|constraint| self.judge(ordered, constraint, now))
            .filter(|judgement| judgement.holds != Some(true))
            .map(|judgement| judgement.text())
            .collect();
        if !broken.is_empty() {
            let why = broken.join("; ");
            self.note(time, format!("command {path} is refused: {why}"));
            self.end_of_command(time, ordered, Given::Refused, &why);
            return;
        }
        self.tokens += 1;
        let payload = instruction::payload(command, &ordered.arguments, &format!("pollux-test-{}", self.tokens));
        self.note(time, format!("command {path}: {} on {}", instruction::shown(&payload), command.topic));
        let brokers = by_topic(&self.plant).remove(&command.topic).unwrap_or_default();
        let brokers = brokers.into_iter().filter(|name| command.broker.as_ref().is_none_or(|broker| broker == name));
        let mut taken = 0;
        for broker in brokers.collect::<Vec<_>>() {
            let heard = self.take(time, &broker, &command.topic, &payload);
            taken += heard.taken;
            if let Some(why) = heard.why {
                self.trouble(time, format!("the plant cannot take command {path}: {why}"));
            }
        }
        if taken == 0 {
            let why = "no input follows it: give one a fixed value and a `command` that comes on this topic";
            self.trouble(time, format!("command {path} moves nothing in the plant: {why}"));
        }
        self.end_of_command(time, ordered, Given::Sent, "it was given");
        if let Some(verify) = command.verify.clone().filter(|verify| matches!(verify.by, Evidence::That(_))) {
            self.pending.push(Pending { ordered: ordered.clone(), verify, at: now });
        }
    }

    /// Looks whether commands were obeyed by now.
    pub(super) fn verify(&mut self, time: u64) {
        for one in std::mem::take(&mut self.pending) {
            let (now, end) = (self.clock.moment(time), one.at + one.verify.within);
            let Evidence::That(that) = &one.verify.by else { continue };
            let judgement = self.judge(&one.ordered, that, now.min(end));
            let text = judgement.text();
            match (judgement.news(one.at), judgement.holds) {
                // Only what came after the command tells of it.
                (Ok(seen), Some(true)) if seen <= end => {
                    let seen = self.clock.since(seen);
                    self.tell(seen, format!("command {} is verified: {text}", one.ordered.id));
                    self.end_of_command(seen, &one.ordered, Given::Verified, &text);
                }
                _ if now > end => {
                    let end = self.clock.since(end);
                    let why = format!("not seen within {}: {text}", told(one.verify.within));
                    self.tell(end, format!("command {} is not verified: {why}", one.ordered.id));
                    self.end_of_command(end, &one.ordered, Given::Unseen, &why);
                }
                _ => self.pending.push(one),
            }
        }
    }

    /// At the end: what was not seen by then is not seen.
    pub(super) fn end_commands(&mut self, time: u64) {
        self.verify(time);
        for one in std::mem::take(&mut self.pending) {
            let why = "not seen before the end of the experiment";
            self.tell(time, format!("command {} is not verified: {why}", one.ordered.id));
            self.end_of_command(time, &one.ordered, Given::Unseen, why);
        }
    }

    /// Tells the expectations; what none of them is about is a problem where it went wrong.
    fn end_of_command(&mut self, time: u64, ordered: &Ordered, given: Given, why: &str) {
        let mut is_named = false;
        for watch in &mut self.watches {
            is_named |= watch.command(time, &ordered.id, given, why);
        }
        let wrong = match given {
            Given::Sent | Given::Verified => return,
            Given::Refused => "was refused",
            Given::Unseen => "was not verified",
        };
        if !is_named {
            self.trouble(time, format!("command {} {wrong}: {why}", ordered.id));
        }
    }

    fn judge(&self, ordered: &Ordered, requirement: &Requirement, now: Timestamp) -> Judgement {
        let scene = self.world.scene();
        let newest = |signal: SignalIndex| Reading::from(self.world.knowledge().history.newest(signal));
        let command = &scene.commands[ordered.command];
        instruction::judge(requirement, command, &ordered.arguments, scene, &newest, now)
    }
}

/// `15 s`
fn told(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
