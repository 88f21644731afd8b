//! All instructions of a session. In: instructions. Out: the same by id, and what has happened to them since the last
//! look. Sends nothing.

use std::collections::VecDeque;

use bevy::prelude::Resource;

use super::{Arguments, Instruction, Newest, State, Step};
use crate::scene::{Command, Scene};
use crate::value::Timestamp;

/// Instructions that are remembered; the journal remembers the others.
const MOST: usize = 200;

/// The instructions of a session, oldest first.
#[derive(Resource, Clone, Debug, Default)]
pub struct Desk {
    instructions: VecDeque<Instruction>,
    /// Steps of each that the journal knows, by their order.
    told: VecDeque<usize>,
    last_id: u64,
    /// Tells this session from others, in tokens.
    session: u32,
}

impl Desk {
    /// `session` is another number in each session.
    pub fn new(session: u32) -> Self {
        Self { session, ..Self::default() }
    }

    pub fn prepare(
        &mut self,
        command: Command,
        scene: &Scene,
        arguments: Arguments,
        by: &str,
        now: Timestamp,
    ) -> &Instruction {
        self.last_id += 1;
        let token = format!("pollux-{:08x}-{}", self.session, self.last_id);
        let made = Instruction::prepare(self.last_id, token, command, scene, arguments, by, now);
        if self.instructions.len() >= MOST {
            // Those that are on their way are not forgotten.
            let at = self.instructions.iter().position(Instruction::is_over).unwrap_or(0);
            self.instructions.remove(at);
            self.told.remove(at);
        }
        self.told.push_back(0);
        self.instructions.push_back(made);
        &self.instructions[self.instructions.len() - 1]
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Instruction> {
        self.instructions.iter()
    }

    pub fn get(&self, id: u64) -> Option<&Instruction> {
        self.instructions.iter().find(|one| one.id == id)
    }

    pub fn get_mut(&mut self, id: u64) -> Option<&mut Instruction> {
        self.instructions.iter_mut().find(|one| one.id == id)
    }

    /// Whether time alone can change something.
    pub fn is_waiting(&self) -> bool {
        self.instructions.iter().any(|one| match one.state() {
            State::Armed | State::Queued => true,
            State::Sent => !one.is_over(),
            _ => false,
        })
    }

    pub fn hear(&mut self, topic: &str, payload: &[u8], received: Timestamp) {
        self.instructions.iter_mut().for_each(|one| one.hear(topic, payload, received));
    }

    pub fn look(&mut self, scene: &Scene, newest: Newest<'_>, now: Timestamp) {
        self.instructions.iter_mut().for_each(|one| one.look(scene, newest, now));
    }

    pub fn adopt(&mut self, scene: &Scene, now: Timestamp) {
        self.instructions.iter_mut().for_each(|one| one.adopt(scene, now));
    }

    /// Whether there is something that the journal does not know.
    pub fn has_news(&self) -> bool {
        self.instructions.iter().zip(&self.told).any(|(one, told)| one.steps().len() > *told)
    }

    /// Steps that the journal does not know yet, in the order in which they were made of each.
    pub fn take_news(&mut self) -> Vec<(Instruction, Step)> {
        let mut news = Vec::new();
        for (one, told) in self.instructions.iter().zip(&mut self.told) {
            news.extend(one.steps()[*told..].iter().map(|step| (one.clone(), step.clone())));
            *told = one.steps().len();
        }
        news
    }
}
