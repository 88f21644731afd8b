//! All instructions of a session. In: instructions. Out: the same by id, and what has happened to them since the last
//! look. Sends nothing.

use std::collections::VecDeque;

use bevy::prelude::Resource;

use super::{Arguments, Destination, Instruction, Leave, Link, Newest, Now, Outgoing, Step};
use crate::scene::commands::Evidence;
use crate::scene::{Command, Scene};
use crate::value::{Stream, Timestamp};

/// Instructions that are remembered; the journal remembers the others.
const MOST: usize = 200;

/// The instructions of a session, oldest first.
#[derive(Resource, Clone, Debug, Default)]
pub struct Desk {
    instructions: VecDeque<Instruction>,
    /// Steps of each that the journal knows, by their order.
    told: VecDeque<usize>,
    last_id: u64,
    /// All tokens follow from it.
    seed: u64,
}

impl Desk {
    /// `seed` is a random number: the tokens of this session are no other session's.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Refused where all that is remembered waits for something: nothing of that is forgotten.
    pub fn prepare(
        &mut self,
        command: Command,
        scene: &Scene,
        arguments: Arguments,
        destination: Destination,
        by: &str,
        now: Timestamp,
    ) -> Result<&Instruction, String> {
        if self.instructions.len() >= MOST {
            let mut each = self.instructions.iter().zip(&self.told);
            let at = each.position(|(one, told)| one.is_over() && *told == one.steps().len());
            let at = at.ok_or_else(|| format!("{MOST} commands are prepared or under way: cancel some, or wait"))?;
            self.instructions.remove(at);
            self.told.remove(at);
        }
        self.last_id += 1;
        let token = format!("pollux-{:016x}", Stream::new(self.seed, "desk", "token").bits(self.last_id));
        let made = Instruction::prepare(self.last_id, token, command, scene, arguments, destination, by, now);
        self.told.push_back(0);
        self.instructions.push_back(made);
        Ok(&self.instructions[self.instructions.len() - 1])
    }

    /// Gives out the message of an instruction if all is as it must be (see [`Instruction::send`]), and if its answer could
    /// not be taken for that of another one.
    #[expect(clippy::too_many_arguments, reason = "all that decides about a message is said where it leaves")]
    pub fn send(
        &mut self,
        id: u64,
        leave: Leave,
        link: Link,
        scene: &Scene,
        newest: Newest<'_>,
        by: &str,
        reason: &str,
        now: Now,
    ) -> Result<Outgoing, String> {
        let link = match (link, self.get(id).and_then(|one| self.clash(one))) {
            (Link::Up, Some(why)) => Link::Down(why),
            (link, _) => link,
        };
        let one = self.get_mut(id).ok_or_else(|| unknown(id))?;
        one.send(leave, &link, scene, newest, by, reason, now)
    }

    /// Why the answer to an instruction cannot be told from that to another one.
    fn clash(&self, one: &Instruction) -> Option<String> {
        let awaited = |one: &Instruction| match one.command.verify.as_ref().map(|verify| &verify.by) {
            Some(Evidence::Answer(answer)) => Some((one.destination.broker.clone(), answer.clone())),
            _ => None,
        };
        let (broker, answer) = awaited(one)?;
        let mut others = self.instructions.iter().filter(|other| other.id != one.id && other.is_under_way());
        let other = others.find(|other| {
            awaited(other).is_some_and(|(at, theirs)| {
                at == broker && theirs.topic == answer.topic && (theirs.token.is_none() || answer.token.is_none())
            })
        })?;
        Some(format!(
            "{} waits for an answer on {} too, and answers without a token cannot be told apart: wait for it, or give \
             commands and answers a {{token}}",
            other.path(),
            answer.topic
        ))
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

    /// Whether time or samples can change something.
    pub fn is_waiting(&self) -> bool {
        self.instructions.iter().any(|one| !one.is_over())
    }

    pub fn hear(&mut self, broker: &str, topic: &str, payload: &[u8], received: Timestamp) {
        self.instructions.iter_mut().for_each(|one| one.hear(broker, topic, payload, received));
    }

    pub fn look(&mut self, scene: &Scene, newest: Newest<'_>, now: Now) {
        self.instructions.iter_mut().for_each(|one| one.look(scene, newest, now));
    }

    pub fn adopt(&mut self, scene: &Scene, goes_to: &dyn Fn(&Command) -> Destination, now: Timestamp) {
        self.instructions.iter_mut().for_each(|one| one.adopt(scene, goes_to, now));
    }

    /// Those of which something is still to come.
    pub fn open(&self) -> Vec<Instruction> {
        self.instructions.iter().filter(|one| !one.is_over()).cloned().collect()
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

pub(crate) fn unknown(id: u64) -> String {
    format!("there is no command with the number {id}: prepare it first")
}
