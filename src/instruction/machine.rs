//! One instruction and its states. In: deeds of an operator, what a broker and the equipment say, the newest samples, time.
//! Out: the state, each step on the way to it, and the one message that may leave. Reads no clock, sends nothing.

use std::time::Duration;

use super::evidence::{Said, said};
use super::{Arguments, Destination, Judgement, Leave, Newest, Now, State, judge, payload};
use crate::scene::commands::{Evidence, Requirement};
use crate::scene::{Command, Scene};
use crate::value::{Timestamp, Value};

/// How long a broker may take to acknowledge; where the protocol knows it (MQTT 5), also how long the broker may keep the
/// message for equipment that is not connected.
const DELIVERY: Duration = Duration::from_secs(10);
/// A message that could not be handed to the network for so long does not leave any more.
const AT_ONCE: Duration = Duration::from_secs(2);
/// So much longer than the scene says the evidence is waited for, as it may be on its way through this program; when it
/// was received counts.
const ON_ITS_WAY: Duration = Duration::from_millis(500);
/// What is said of a command at the end of a session that does not see its verdict.
pub const UNKNOWN_AT_END: &str = "the session ended: whether it was obeyed is not known";

/// A command with its arguments, on its way to a verdict.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// Rises by one with each instruction of a session.
    pub id: u64,
    pub command: Command,
    /// The twin, by id: it outlives a reload.
    pub twin: String,
    pub arguments: Arguments,
    /// Tells it from every other one, where the payload says it.
    pub token: String,
    pub payload: Vec<u8>,
    /// Only answers from there count.
    pub destination: Destination,
    state: State,
    /// In order, the first is how it was prepared.
    steps: Vec<Step>,
    /// How its constraints stood at the last look, until it has left.
    constraints: Vec<Judgement>,
    /// When it was armed or queued.
    waits_since: Duration,
    /// As of the last look.
    arming_left: Option<Duration>,
    /// What verifies it was true already when it was sent.
    was_true: bool,
}

/// How an instruction came into a state.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    pub at: Timestamp,
    pub state: State,
    /// Who did it; none if nobody did.
    pub by: Option<String>,
    /// Why, in the words of who did it.
    pub reason: String,
    /// What came of it.
    pub result: String,
}

/// Whether a message can leave at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    Up,
    /// And why.
    Down(String),
}

/// A message that leaves: only an instruction that is sent makes one. It is never retained.
#[derive(PartialEq, Eq, Debug)]
pub struct Outgoing {
    instruction: u64,
    topic: String,
    payload: Vec<u8>,
    qos: u8,
}

impl Outgoing {
    pub fn instruction(&self) -> u64 {
        self.instruction
    }

    pub fn topic(&self) -> &str {
        &self.topic
    }

    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub fn qos(&self) -> u8 {
        self.qos
    }

    /// It must not leave later than so long after it was given out: what it was judged by is over then.
    pub fn leaves_within(&self) -> Duration {
        AT_ONCE
    }

    /// Equipment must not get it later than so long after it has left, as far as the broker can see to that.
    pub fn expires_after(&self) -> Duration {
        DELIVERY
    }
}

impl Instruction {
    /// Shows what would be sent. `arguments` are those of [`arguments`](fn@super::arguments).
    #[expect(clippy::too_many_arguments, reason = "all that a message is made of is said where it is made")]
    pub fn prepare(
        id: u64,
        token: String,
        command: Command,
        scene: &Scene,
        arguments: Arguments,
        destination: Destination,
        by: &str,
        at: Timestamp,
    ) -> Self {
        let twin = scene.twins.get(command.twin.at()).map_or_else(String::new, |twin| twin.id.clone());
        let payload = payload(&command, &arguments, &token);
        let state = State::Prepared;
        let first = Step { at, state, by: Some(by.to_owned()), reason: String::new(), result: String::new() };
        Self {
            id,
            command,
            twin,
            arguments,
            token,
            payload,
            destination,
            state,
            steps: vec![first],
            constraints: Vec::new(),
            waits_since: Duration::ZERO,
            arming_left: None,
            was_true: false,
        }
    }

    pub fn state(&self) -> State {
        self.state
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// `P-101.start`
    pub fn path(&self) -> String {
        format!("{}.{}", self.twin, self.command.name)
    }

    /// What came of it: empty while nothing is to be said.
    pub fn result(&self) -> &str {
        self.steps.last().map_or("", |step| step.result.as_str())
    }

    /// Whether nothing more can become of it.
    pub fn is_over(&self) -> bool {
        match self.state {
            State::Prepared | State::Armed | State::Queued => false,
            State::Sent => self.command.verify.is_none(),
            State::Verified | State::Failed | State::TimedOut | State::Expired | State::Cancelled => true,
        }
    }

    /// When it came into its state.
    pub fn since(&self) -> Timestamp {
        self.steps.last().map_or(Timestamp::MIN, |step| step.at)
    }

    /// Whether it has left and something is still to become of it.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, State::Queued | State::Sent) && !self.is_over()
    }

    /// How long it stays armed, as of the last look; none if it is not armed.
    pub fn arming_left(&self) -> Option<Duration> {
        self.arming_left.filter(|_| self.state == State::Armed)
    }

    /// How its constraints stood at the last look, until it has left.
    pub fn constraints(&self) -> &[Judgement] {
        &self.constraints
    }

    fn judge_constraints(&mut self, scene: &Scene, newest: Newest<'_>, now: Timestamp) {
        self.constraints = self.command.constraints.iter().map(|one| self.judge(one, scene, newest, now)).collect();
    }

    fn judge(&self, requirement: &Requirement, scene: &Scene, newest: Newest<'_>, now: Timestamp) -> Judgement {
        judge(requirement, &self.command, &self.arguments, scene, newest, now)
    }

    /// From now on it may be sent, for as long as the scene says.
    pub fn arm(&mut self, by: &str, now: Now) -> Result<(), String> {
        match self.state {
            State::Prepared => {
                (self.waits_since, self.arming_left) = (now.uptime, Some(self.command.arming));
                self.step(now.time, State::Armed, Some(by), "", String::new());
                Ok(())
            }
            State::Armed => Err(format!("{} is armed already", self.path())),
            state => Err(format!("{} is {}: prepare it again", self.path(), state.text())),
        }
    }

    /// Gives out the message if all is as it must be; else it fails, has expired, or says why it cannot be sent.
    #[expect(clippy::too_many_arguments, reason = "all that decides about a message is said where it leaves")]
    pub fn send(
        &mut self,
        _leave: Leave,
        link: &Link,
        scene: &Scene,
        newest: Newest<'_>,
        by: &str,
        reason: &str,
        now: Now,
    ) -> Result<Outgoing, String> {
        self.look(scene, newest, now);
        match self.state {
            State::Armed => {}
            State::Prepared => return Err(format!("{} is not armed: arm it first", self.path())),
            state => return Err(format!("{} is {}: prepare it again", self.path(), state.text())),
        }
        if self.command.significance.needs_reason() && reason.trim().is_empty() {
            let significance = self.command.significance.name();
            return Err(format!("{} is of significance {significance}: say why it is sent", self.path()));
        }
        let broken: Vec<String> =
            self.constraints.iter().filter(|judgement| judgement.holds != Some(true)).map(Judgement::text).collect();
        let why = match link {
            _ if !broken.is_empty() => format!("not sent: {}", broken.join("; ")),
            Link::Down(why) => format!("not sent: {why}"),
            Link::Up => {
                self.was_true = match self.command.verify.as_ref().map(|verify| &verify.by) {
                    Some(Evidence::That(that)) => self.judge(that, scene, newest, now.time).holds == Some(true),
                    _ => false,
                };
                self.waits_since = now.uptime;
                self.step(now.time, State::Queued, Some(by), reason, String::new());
                return Ok(Outgoing {
                    instruction: self.id,
                    topic: self.command.topic.clone(),
                    payload: self.payload.clone(),
                    qos: self.command.qos,
                });
            }
        };
        self.step(now.time, State::Failed, Some(by), reason, why.clone());
        Err(format!("{}: {why}", self.path()))
    }

    /// Records that it was refused before it could be sent: sending is not allowed.
    pub fn refuse(&mut self, why: &str, by: &str, reason: &str, now: Timestamp) {
        if matches!(self.state, State::Prepared | State::Armed) {
            self.step(now, State::Failed, Some(by), reason, format!("not sent: {why}"));
        }
    }

    pub fn cancel(&mut self, by: Option<&str>, reason: &str, now: Timestamp) -> Result<(), String> {
        match self.state {
            State::Prepared | State::Armed => {
                self.step(now, State::Cancelled, by, reason, String::new());
                Ok(())
            }
            State::Queued | State::Sent if !self.is_over() => {
                Err(format!("{} is on its way: it cannot be called back", self.path()))
            }
            state => Err(format!("{} is {} already", self.path(), state.text())),
        }
    }

    /// The broker has it.
    pub fn delivered(&mut self, now: Timestamp) {
        if self.state == State::Queued {
            let result = match (self.command.verify.is_some(), self.command.qos) {
                (true, _) => "",
                (false, 0) => "it has left; the scene says no way to see whether it was obeyed",
                (false, _) => "the broker has it; the scene says no way to see whether it was obeyed",
            };
            self.step(now, State::Sent, None, "", result.to_owned());
        }
    }

    /// The broker did not get it, or nobody knows whether it did.
    pub fn lost(&mut self, why: String, now: Timestamp) {
        if self.state == State::Queued {
            self.step(now, State::Failed, None, "", why);
        }
    }

    /// A message of a broker on a topic of answers.
    pub fn hear(&mut self, broker: &str, topic: &str, payload: &[u8], received: Timestamp) {
        // An answer may overtake the acknowledgement of the broker.
        if !matches!(self.state, State::Queued | State::Sent) || broker != self.destination.broker {
            return;
        }
        let Some(verify) = &self.command.verify else { return };
        let Evidence::Answer(answer) = &verify.by else { return };
        let is_late = self.state == State::Sent && received > self.since() + verify.within;
        if received < self.queued_at() || is_late {
            return;
        }
        match said(answer, &self.token, topic, payload) {
            Said::Nothing => {}
            Said::Obeyed => self.step(received, State::Verified, None, "", "the equipment says so".to_owned()),
            Said::Refused(why) => self.step(received, State::Failed, None, "", why),
        }
    }

    fn queued_at(&self) -> Timestamp {
        let queued = self.steps.iter().rfind(|step| step.state == State::Queued);
        queued.map_or(Timestamp::MAX, |step| step.at)
    }

    /// Lets time pass: armings end, evidence is seen, waiting ends.
    pub fn look(&mut self, scene: &Scene, newest: Newest<'_>, now: Now) {
        let waited = now.uptime.saturating_sub(self.waits_since);
        match self.state {
            State::Armed if waited > self.command.arming => {
                let at = now.time.min(self.since() + self.command.arming);
                let result = format!("the arming ended after {:?}", self.command.arming);
                self.step(at, State::Expired, None, "", result);
            }
            State::Prepared => self.judge_constraints(scene, newest, now.time),
            State::Armed => {
                self.arming_left = Some(self.command.arming.saturating_sub(waited));
                self.judge_constraints(scene, newest, now.time);
            }
            State::Queued if waited > DELIVERY => {
                let result = format!(
                    "the broker did not acknowledge within {DELIVERY:?}: whether it has the command is not known"
                );
                self.step(now.time, State::Failed, None, "", result);
            }
            State::Sent => self.verify(scene, newest, now.time),
            _ => {}
        }
    }

    fn verify(&mut self, scene: &Scene, newest: Newest<'_>, now: Timestamp) {
        let Some(verify) = self.command.verify.clone() else { return };
        let (end, since) = (self.since() + verify.within, self.queued_at());
        let seen = match &verify.by {
            Evidence::Answer(answer) => Err(format!("no answer came on {}", answer.topic)),
            Evidence::That(that) => {
                let judgement = self.judge(that, scene, newest, now.min(end));
                // Only what came after the command tells of it.
                match judgement.news(since) {
                    Ok(at) if at <= end && judgement.holds == Some(true) => Ok((at, judgement.text())),
                    Ok(_) => Err(judgement.text()),
                    Err(missing) => Err(format!("{}; {missing}", judgement.text())),
                }
            }
        };
        let was_true = match self.was_true {
            true => "; it was true before the command was sent, so that it proves little",
            false => "",
        };
        match seen.map(|(at, text)| (at, text + was_true)) {
            Ok((at, text)) => self.step(at.max(self.since()), State::Verified, None, "", text),
            Err(text) if now > end + ON_ITS_WAY => {
                let result = format!("not seen within {:?}: {text}", verify.within);
                self.step(end, State::TimedOut, None, "", result);
            }
            Err(_) => {}
        }
    }

    /// The scene was read again. What has not left is called off, as it may mean something else now. What has left and is
    /// to be verified needs a command that says the same of it and goes to the same place: its signals may have other
    /// numbers now.
    pub fn adopt(&mut self, scene: &Scene, goes_to: &dyn Fn(&Command) -> Destination, now: Timestamp) {
        if matches!(self.state, State::Prepared | State::Armed) {
            return self.step(now, State::Cancelled, None, "", "the scene was read again: prepare it again".to_owned());
        }
        let Some(verify) = self.command.verify.as_ref().filter(|_| self.is_under_way()) else { return };
        let takes = |command: &Command| -> Vec<_> {
            command.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.kind.clone())).collect()
        };
        let same = |command: &&Command| {
            let is_said_alike = command.verify.as_ref().is_some_and(|new| new.is_written_as(verify));
            is_said_alike && takes(command) == takes(&self.command) && goes_to(command) == self.destination
        };
        match scene.command(&self.twin, &self.command.name).filter(same) {
            Some(command) => (self.command.twin, self.command.verify) = (command.twin, command.verify.clone()),
            None => {
                let result = "the scene was read again and says otherwise how and where to see it: whether it was obeyed is not known";
                self.step(now, State::TimedOut, None, "", result.to_owned());
            }
        }
    }

    /// The session ends: nothing more will be seen.
    pub fn end(&mut self, now: Timestamp) {
        match self.state {
            State::Prepared | State::Armed => {
                self.step(now, State::Cancelled, None, "", "the session ended before it was sent".to_owned());
            }
            _ if self.is_under_way() => self.step(now, State::TimedOut, None, "", UNKNOWN_AT_END.to_owned()),
            _ => {}
        }
    }

    /// Its arguments by name.
    pub fn named_arguments(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.command.parameters.iter().map(|parameter| parameter.name.as_str()).zip(&self.arguments)
    }

    fn step(&mut self, at: Timestamp, state: State, by: Option<&str>, reason: &str, result: String) {
        self.state = state;
        self.steps.push(Step { at, state, by: by.map(str::to_owned), reason: reason.to_owned(), result });
    }
}
