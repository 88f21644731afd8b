//! One alarm in time: delays, late samples, silences, shelves. In: moments, verdicts and deeds, in the order in which they
//! become known. Out: [`Change`]s. A pure function of what came in: never reads a clock, never looks at another alarm.
//!
//! Two clocks meet here. *Source time* says when a value was true: delays run in it. *Receive time* is this program's own:
//! it says when to stop waiting for a further sample, and when a shelf ends. The two are never compared with each other,
//! since the clocks of devices may be off.
//!
//! A condition that holds at t, with a delay d, becomes a transition at source time t + d:
//! - when a later sample of the rule shows that it had held until t + d (a value holds until the next one), or
//! - when no sample came until the receive time of the one at t, plus d, plus [`PATIENCE`].
//!
//! What has become due by receive time is carried out before a sample received later is looked at. That is why nothing
//! depends on how often [`Engine::elapse`](super::Engine::elapse) is called: it only tells earlier what was due anyway.

use std::time::Duration;

use super::detector::{Detector, Reading, worse};
use super::{Action, Alarm, Cause, Change, Deed, Refusal, deeds, machine};
use crate::scene::rule::{Condition, Rule};
use crate::value::{Origin, Timestamp};

/// So long after a delay should have been over, samples may still be on their way.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A moment that lies farther ahead of this program's clock than this was told by a clock gone wrong, as soon as its
/// owner speaks of the present again.
pub(super) const TRUSTED_AHEAD: Duration = Duration::from_secs(10 * 60);

/// The last moment at which a value has not expired is `expires` after it was received.
const JUST_AFTER: Duration = Duration::from_nanos(1);

/// A moment by both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Times {
    pub source: Timestamp,
    pub received: Timestamp,
}

/// How far the judgement of an alarm has come.
#[derive(Clone, Debug)]
pub(super) struct Judgement {
    /// Source time up to which the condition was judged: older samples are late.
    pub judged: Timestamp,
    /// Since when the condition has differed from the state: its delay is running.
    pub turning: Option<Times>,
    /// The least certain origin of the samples that the running delay has seen.
    pub origin: Origin,
    /// With [`Condition::Stale`]: the silence that is being waited for.
    pub silence: Option<Silence>,
    pub detector: Detector,
    /// Source time up to which the suppression was judged, by signals of its own.
    pub suppression_judged: Timestamp,
}

impl Default for Judgement {
    fn default() -> Self {
        Self {
            judged: Timestamp::MIN,
            turning: None,
            origin: Origin::default(),
            silence: None,
            detector: Detector::default(),
            suppression_judged: Timestamp::MIN,
        }
    }
}

impl Judgement {
    /// Forgets all times and values of the condition, as if no sample had come yet.
    fn begin_anew(&mut self) {
        self.judged = Timestamp::MIN;
        self.turning = None;
        self.detector = Detector::default();
        if let Some(silence) = &mut self.silence {
            silence.heard = false;
        }
    }
}

/// The latest sign of life of a signal, and how long it is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Silence {
    pub expires: Duration,
    /// The newest sample, or, before there was one, the moment from which on the signal was watched.
    pub last: Times,
    /// A sample was seen.
    pub heard: bool,
}

/// What can become due, in the order in which it is done at one and the same moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    Delay,
    Silence,
    Shelf,
}

/// One alarm with its rule and all that is known of it.
pub(super) struct Case<'a> {
    pub rule: &'a Rule,
    pub alarm: &'a mut Alarm,
    pub judgement: &'a mut Judgement,
}

impl Case<'_> {
    fn active(&self) -> bool {
        self.alarm.state.is_active()
    }

    /// How long the condition must differ from the state.
    fn delay(&self) -> Duration {
        if self.active() { self.rule.off_delay } else { self.rule.on_delay }
    }

    /// How long samples are waited for. None are on their way where their absence or a connection is watched.
    fn patience(&self) -> Duration {
        match self.rule.condition {
            Condition::Stale | Condition::Disconnected => Duration::ZERO,
            _ => PATIENCE,
        }
    }

    /// What becomes due next without a further sample, and when by receive time.
    pub fn due(&self) -> Option<(Timestamp, Due)> {
        let turning = self.judgement.turning;
        let delay = turning.map(|since| (since.received + self.delay() + self.patience(), Due::Delay));
        let holds = turning.is_some() != self.active();
        let silence = self.judgement.silence.filter(|_| !holds);
        let silence = silence.map(|silence| (silence.last.received + silence.expires + JUST_AFTER, Due::Silence));
        let until = self.alarm.flags.shelved.as_ref().and_then(|shelving| shelving.until);
        [delay, silence, until.map(|until| (until, Due::Shelf))].into_iter().flatten().min()
    }

    /// Carries out the first thing that is due by `now`, if there is one. The change bears the moment at which it was due.
    pub fn elapse_once(&mut self, now: Timestamp, out: &mut Vec<Change>) -> bool {
        let Some((received, due)) = self.due().filter(|(time, _)| *time <= now) else { return false };
        match due {
            Due::Delay => {
                if let Some(since) = self.judgement.turning {
                    self.turn(Times { source: since.source + self.delay(), received }, out);
                }
            }
            Due::Silence => {
                if let Some(silence) = self.judgement.silence {
                    let source = (silence.last.source + silence.expires).max(self.judgement.judged);
                    let at = Times { source, received };
                    self.hold_until(at, out);
                    self.settle(at, Reading::new(true, None), out);
                }
            }
            Due::Shelf => self.end_shelf(Times { source: received, received }, out),
        }
        true
    }

    pub fn elapse(&mut self, now: Timestamp, out: &mut Vec<Change>) {
        while self.elapse_once(now, out) {}
    }

    /// Whether a sample of a rule over one signal is too old to count: its moment has been judged already. Counts it.
    pub fn is_late(&mut self, at: Times) -> bool {
        let newest = match &self.judgement.silence {
            // A silence ends with whatever is newer than the last sample, however long it was.
            Some(silence) if silence.heard => silence.last.source,
            Some(_) => Timestamp::MIN,
            None => self.judgement.judged,
        };
        if at.source >= newest {
            return false;
        }
        // A clock that jumped ahead and was set right must not make the alarm deaf until that day has come.
        let present = at.received + TRUSTED_AHEAD;
        let set_right = newest > present && at.source <= present;
        if set_right {
            self.judgement.begin_anew();
        } else {
            self.alarm.late += 1;
        }
        !set_right
    }

    /// A delay that was over before `at`, the moment of the next sample, ends: the value had held until then.
    pub fn hold_until(&mut self, at: Times, out: &mut Vec<Change>) {
        if let Some(since) = self.judgement.turning {
            let over = since.source + self.delay();
            if over < at.source {
                self.turn(Times { source: over, received: at.received }, out);
            }
        }
    }

    /// A sample of a [`Condition::Stale`] rule was received: the silence begins anew.
    pub fn hear(&mut self, at: Times) {
        if let Some(silence) = &mut self.judgement.silence {
            silence.last = at;
            silence.heard = true;
        }
    }

    /// Takes a verdict on the moment `at`, which is not before the last one. Without delay, it is a transition at once.
    pub fn settle(&mut self, at: Times, reading: Reading, out: &mut Vec<Change>) {
        self.judgement.judged = self.judgement.judged.max(at.source);
        if let Some(holds) = reading.holds {
            self.alarm.current = reading.value;
            self.remember_worst();
            if holds == self.active() {
                self.judgement.turning = None;
            } else if self.judgement.turning.is_none() {
                self.judgement.turning = Some(at);
                self.judgement.origin = reading.origin;
            } else {
                self.judgement.origin = self.judgement.origin.max(reading.origin);
            }
        }
        if let Some(since) = self.judgement.turning {
            let over = since.source + self.delay();
            if over <= at.source {
                self.turn(Times { source: over, received: at.received }, out);
            }
        }
    }

    fn remember_worst(&mut self) {
        if let (true, Some(worst), Some(current)) = (self.active(), self.alarm.worst, self.alarm.current) {
            self.alarm.worst = worse(&self.rule.condition, worst, current);
        }
    }

    /// The state follows the condition.
    fn turn(&mut self, at: Times, out: &mut Vec<Change>) {
        self.judgement.turning = None;
        self.judgement.judged = self.judgement.judged.max(at.source);
        let Alarm { state, since, raised_at, trigger, current, worst, activations, acknowledged, origin, .. } =
            &mut *self.alarm;
        let from = *state;
        let raises = !from.is_active();
        *since = at.source;
        if raises {
            *state = machine::raised(from);
            *raised_at = Some(at.source);
            *trigger = *current;
            *worst = current.and_then(|x| worse(&self.rule.condition, x, x));
            *activations += 1;
            *acknowledged = None;
        } else {
            *state = machine::cleared(from, self.rule.latching);
        }
        let made_by = match raises {
            true => self.judgement.origin,
            false => self.judgement.origin.max(origin.unwrap_or_default()),
        };
        *origin = made_by.mark();
        let change = Change {
            alarm: self.rule.index,
            cause: if raises { Cause::Raised } else { Cause::Cleared },
            from,
            to: *state,
            source_time: at.source,
            receive_time: at.received,
            value: *current,
            worst: if raises { None } else { *worst },
            deed: None,
            origin: made_by,
        };
        out.push(change);
        let one_shot = self.alarm.flags.shelved.as_ref().is_some_and(|shelving| shelving.until.is_none());
        if !raises && one_shot {
            self.end_shelf(at, out);
        }
    }

    fn end_shelf(&mut self, at: Times, out: &mut Vec<Change>) {
        self.alarm.flags.shelved = None;
        out.push(self.remark(Cause::ShelfEnded, at, self.alarm.origin.unwrap_or_default()));
    }

    /// Takes a verdict on the rule's `suppressed_when`; none holds the last one.
    pub fn suppress(&mut self, at: Times, (holds, origin): (Option<bool>, Origin), out: &mut Vec<Change>) {
        self.judgement.suppression_judged = self.judgement.suppression_judged.max(at.source);
        if let Some(holds) = holds.filter(|holds| *holds != self.alarm.flags.suppressed) {
            self.alarm.flags.suppressed = holds;
            out.push(self.remark(if holds { Cause::Suppressed } else { Cause::Unsuppressed }, at, origin));
        }
    }

    /// Carries out what an operator asks for, after all that was due before.
    pub fn act(&mut self, action: &Action, deed: &Deed, out: &mut Vec<Change>) -> Result<(), Refusal> {
        self.elapse(deed.at, out);
        let change = deeds::act(self.rule.index, self.alarm, action, deed)?;
        let returned = change.from != change.to && change.to == super::State::Normal;
        out.push(change);
        let one_shot = self.alarm.flags.shelved.as_ref().is_some_and(|shelving| shelving.until.is_none());
        if returned && one_shot {
            self.end_shelf(Times { source: deed.at, received: deed.at }, out);
        }
        Ok(())
    }

    /// A change that leaves the state as it is.
    fn remark(&self, cause: Cause, at: Times, origin: Origin) -> Change {
        Change {
            alarm: self.rule.index,
            cause,
            from: self.alarm.state,
            to: self.alarm.state,
            source_time: at.source,
            receive_time: at.received,
            value: self.alarm.current,
            worst: None,
            deed: None,
            origin,
        }
    }
}
