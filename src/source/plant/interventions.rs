//! Interventions: what people do to a plant that runs, faults that they set and clear. In: [`Asked`], from this process or from
//! the topic of control. Out: [`Told`], what became of each, in the order in which it was done; and of faults that ended by
//! themselves.
//!
//! The plant's thread does what is asked for at the next whole millisecond of the plant's time, before what the plant says
//! then. So a scenario that sets the same fault at that time gives the same messages.
//!
//! # Topics of control
//!
//! A plant that somebody may control from elsewhere hears requests on `pollux/plant/NAME/control`, answers each on
//! `pollux/plant/NAME/control/answer`, and retains its faults on `pollux/plant/NAME/control/faults`; NAME is that of its
//! announcement, which says `"control": true`. Retained requests are not carried out.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::{Publisher, emit};
use crate::event::Ending;
use crate::fault::{Fault, WrittenFault};
use crate::plant::{Message, Plant};
use crate::scene::Scene;
use crate::value::{Shift, Timestamp};

/// The plant's time is brought to a multiple of this before something is done to it, in nanoseconds.
const GRAIN: u64 = 1_000_000;
/// What is asked for, and reports, that wait at most.
const QUEUE: usize = 1024;
const TOLD: usize = 8192;

/// Something that is done to a plant.
#[derive(Clone, PartialEq, Debug)]
pub enum Intervention {
    /// A fault is set; its onset counts from then. One without an id gets a new one, the one of the same id gives way.
    Inject(WrittenFault),
    /// A fault is cleared, by its id.
    Clear(String),
    ClearAll,
}

/// An intervention that somebody asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    pub what: Intervention,
    pub by: String,
    pub reason: String,
}

/// What became of an intervention, or of a fault by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    /// Nanoseconds since the plant's start.
    pub time: u64,
    /// The same as source time.
    pub at: Timestamp,
    /// None: nobody did it.
    pub by: Option<String>,
    pub reason: String,
    pub outcome: Outcome,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// A fault is set; its course is in the plant's time.
    Set(WrittenFault),
    Cleared {
        fault: WrittenFault,
        ending: Ending,
    },
    /// Why it was not done, in sentences.
    Refused(Vec<String>),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = self.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
        let reason = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        write!(f, "{}{by}{reason}", self.outcome.words().join("; "))
    }
}

impl Outcome {
    /// `fault F-1 is set`
    fn words(&self) -> Vec<String> {
        match self {
            Outcome::Set(fault) => vec![format!("fault {} is set", fault.id)],
            Outcome::Cleared { fault, ending } => vec![format!("fault {} is {}", fault.id, ending.words())],
            Outcome::Refused(why) => why.clone(),
        }
    }
}

/// A fault that is in a plant.
struct Standing {
    /// Its course is in source time.
    fault: WrittenFault,
    by: String,
    reason: String,
}

/// A message on the topic of control.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// What the answer repeats, so that it can be told from others.
    pub id: serde_json::Value,
    /// None asks for nothing but the answer; the error says what is wrong with it.
    pub asked: Result<Option<Asked>, Vec<String>>,
}

/// Lets others control a plant over its brokers: reads their requests.
#[derive(Clone)]
pub struct Control(pub Arc<Read>);

/// Reads a message on the topic of control, for a plant of this scene.
pub type Read = dyn Fn(&Scene, &[u8]) -> Request + Send + Sync;

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}

/// Where a plant hears requests, by the topic of its announcement.
pub fn control_topic(announcement: &str) -> String {
    format!("{announcement}/control")
}

/// What waits for the plant's thread, and for its owner.
#[derive(Debug, Default)]
pub(super) struct Interventions {
    asked: Mutex<VecDeque<Asked>>,
    told: Mutex<VecDeque<Told>>,
    /// Reports that nobody took in time.
    lost: AtomicU64,
}

impl Interventions {
    /// False where more is asked for than can wait.
    pub fn ask(&self, asked: Asked) -> bool {
        let mut waiting = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = waiting.len() < QUEUE;
        if has_room {
            waiting.push_back(asked);
        }
        has_room
    }

    /// What was done, and which faults ended, since this was asked last.
    pub fn take_told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    /// Reports that were lost since this was asked last, as nobody took them.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    fn take_asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    fn tell(&self, told: Told) {
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TOLD {
            all.pop_front();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        all.push_back(told);
    }
}

/// Who asked for what stands in the plant, by the id of the fault.
pub(super) type Askers = std::collections::BTreeMap<String, (String, String)>;

impl Publisher {
    /// Does what was asked for since the last wake, in its order; tells of faults that are over.
    pub(super) fn intervene(&mut self) {
        let over = self.plant.end_faults();
        let mut has_changed = !over.is_empty();
        for fault in over {
            let end = fault.course.end().unwrap_or(Timestamp(0));
            let time = u64::try_from(end.0).unwrap_or(0);
            self.tell(time, None, Outcome::Cleared { fault, ending: Ending::Over });
        }
        let here = self.shared.interventions.take_asked();
        let mut requests = Vec::new();
        if let Some(control) = &self.control {
            for link in &self.links {
                let texts = link.take_requests();
                let scene = self.plant.scene();
                requests.extend(texts.iter().map(|text| (link.name.clone(), (control.0)(scene, text))));
            }
        }
        if !here.is_empty() || !requests.is_empty() {
            let until = self.plant.time().div_ceil(GRAIN).saturating_mul(GRAIN);
            self.plant.run_before(until, self.start, &mut emit(&self.links, &self.shared));
        }
        for asked in here {
            has_changed |= !self.carry_out(asked, true).iter().all(|outcome| matches!(outcome, Outcome::Refused(_)));
        }
        for (broker, Request { id, asked }) in requests {
            let outcomes = match asked {
                // Who asked is told by the answer.
                Ok(Some(asked)) => self.carry_out(asked, false),
                Ok(None) => Vec::new(),
                Err(why) => vec![Outcome::Refused(why)],
            };
            let is_refused = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(_)));
            has_changed |= !is_refused;
            self.answer(&broker, &id, !is_refused, outcomes.iter().flat_map(Outcome::words).collect());
        }
        if has_changed {
            self.show_faults();
        }
    }

    fn carry_out(&mut self, asked: Asked, tells_refusals: bool) -> Vec<Outcome> {
        let Asked { what, by, reason } = asked;
        let done = match what {
            Intervention::Inject(mut fault) => {
                if fault.id.trim().is_empty() {
                    fault.id = self.new_id();
                }
                self.plant.inject(&fault).map(|set| {
                    self.askers.insert(set.id.clone(), (by.clone(), reason.clone()));
                    vec![Outcome::Set(set)]
                })
            }
            Intervention::Clear(id) => self.plant.clear_faults(Some(&id)).map(cleared).map_err(|why| vec![why]),
            Intervention::ClearAll => self.plant.clear_faults(None).map(cleared).map_err(|why| vec![why]),
        };
        let outcomes = done.unwrap_or_else(|why| vec![Outcome::Refused(why)]);
        let is_told = |outcome: &Outcome| tells_refusals || !matches!(outcome, Outcome::Refused(_));
        for outcome in outcomes.iter().filter(|outcome| is_told(outcome)).cloned() {
            self.tell(self.plant.time(), Some((by.clone(), reason.clone())), outcome);
        }
        outcomes
    }

    /// Faults that a saved scene has no place for have ended.
    pub(super) fn tell_gone(&mut self, gone: Vec<WrittenFault>) {
        let has_changed = !gone.is_empty();
        for fault in gone {
            self.tell(self.plant.time(), None, Outcome::Cleared { fault, ending: Ending::Gone });
        }
        if has_changed {
            self.show_faults();
        }
    }

    fn tell(&mut self, time: u64, by: Option<(String, String)>, outcome: Outcome) {
        if let Outcome::Cleared { fault, .. } = &outcome {
            self.askers.remove(&fault.id);
        }
        let (by, reason) = by.unzip();
        let at = self.start + Duration::from_nanos(time);
        self.shared.interventions.tell(Told { time, at, by, reason: reason.unwrap_or_default(), outcome });
    }

    /// `F-3`: one that no fault had before.
    fn new_id(&mut self) -> String {
        loop {
            self.named += 1;
            let id = format!("F-{}", self.named);
            if self.plant.faults().iter().all(|fault| fault.id != id) {
                return id;
            }
        }
    }

    fn answer(&self, broker: &str, id: &serde_json::Value, ok: bool, said: Vec<String>) {
        let faults: Vec<&str> = self.plant.faults().iter().map(|fault| fault.id.as_str()).collect();
        let time = self.start + Duration::from_nanos(self.plant.time());
        let said = json!({"id": id, "ok": ok, "said": said, "time": time.to_string(), "faults": faults});
        let topic = format!("{}/answer", control_topic(&self.plant.announcement_topic()));
        let (payload, time) = (said.to_string().into_bytes(), self.plant.time());
        let message = Message {
            broker,
            topic: &topic,
            payload: &payload,
            samples: None,
            retain: false,
            from_store: false,
            qos: 1,
            time,
        };
        emit(&self.links, &self.shared)(message);
    }

    /// Retains the faults at its brokers, where others may control it.
    pub(super) fn show_faults(&self) {
        let faults: Vec<_> = standing(&self.plant, &self.askers, self.start).iter().map(Standing::to_json).collect();
        self.retain_faults(json!({ "faults": faults }).to_string().as_bytes());
    }

    /// Retains nothing of them any more.
    pub(super) fn hide_faults(&self) {
        self.retain_faults(b"");
    }

    fn retain_faults(&self, payload: &[u8]) {
        if self.control.is_none() {
            return;
        }
        let topic = format!("{}/faults", control_topic(&self.plant.announcement_topic()));
        for link in &self.links {
            emit(&self.links, &self.shared)(Message::kept(&link.name, &topic, payload, self.plant.time()));
        }
    }
}

impl Standing {
    /// For people and programs that see it on the wire.
    fn to_json(&self) -> serde_json::Value {
        let course = &self.fault.course;
        json!({
            "id": self.fault.id,
            "kind": self.fault.kind().name,
            "layer": self.fault.layer().name(),
            "on": self.fault.on(),
            "by": self.by,
            "reason": self.reason,
            "since": Timestamp(course.onset).to_string(),
            "until": course.end().map(|end| end.to_string()),
        })
    }
}

fn cleared(gone: Vec<WrittenFault>) -> Vec<Outcome> {
    gone.into_iter().map(|fault| Outcome::Cleared { fault, ending: Ending::Cleared }).collect()
}

fn standing(plant: &Plant, askers: &Askers, start: Timestamp) -> Vec<Standing> {
    let stand = |fault: &Fault| {
        let mut fault = crate::scene::faults::written(fault, plant.scene());
        fault.course = fault.course.shifted(Shift(start.0));
        let (by, reason) = askers.get(&fault.id).cloned().unwrap_or_default();
        Standing { fault, by, reason }
    };
    plant.faults().iter().map(stand).collect()
}
