//! The faults of an experiment that runs: sets them, takes them back, and puts on record when each was set and gone. In: steps,
//! times. Out: a plant with them, events as those of a session whose operator does the same by hand.

use std::time::Duration;

use super::run::{OPERATOR, Stage};
use crate::event::{Draft, Ending, Kind};
use crate::fault::{Fault, Site};
use crate::scene::faults;
use crate::value::{Shift, Timestamp};

impl Stage<'_> {
    /// A fault whose onset is now.
    pub(super) fn set(&mut self, time: u64, fault: &Fault) {
        let mut fault = fault.clone();
        fault.course.onset = i64::try_from(self.begin.saturating_add(time)).unwrap_or(i64::MAX);
        self.tell(time, format!("fault {}: {}", fault.id, fault.kind().name));
        self.record_fault(&fault, self.clock.moment(time));
        self.over.remove(&fault.id);
        self.faults.retain(|other| other.id != fault.id);
        self.faults.push(fault);
        self.plant.set_faults(self.faults.clone());
    }

    /// Takes back a fault, or all. One that changed nothing proves nothing: most often it ended before anything came, or it
    /// sets what was so anyway.
    pub(super) fn take_back(&mut self, time: u64, id: Option<&str>) {
        let goes = |fault: &Fault| id.is_none_or(|id| fault.id == id);
        let own = |fault: &Fault| self.faults.iter().any(|one| one.id == fault.id);
        let idle: Vec<String> = self
            .plant
            .acted()
            .filter(|(fault, acted)| goes(fault) && own(fault) && *acted == 0)
            .map(|(fault, _)| format!("fault {} changed nothing", fault.id))
            .collect();
        idle.into_iter().for_each(|text| self.trouble(time, text));
        let now = self.clock.moment(time);
        let (gone, stay): (Vec<Fault>, Vec<Fault>) = std::mem::take(&mut self.faults).into_iter().partition(goes);
        for fault in gone {
            if !self.over.remove(&fault.id) {
                self.record_end(&fault, Ending::Cleared, now);
            }
        }
        self.faults = stay;
        self.plant.set_faults(self.faults.clone());
    }

    /// Puts on record which faults are over by themselves.
    pub(super) fn tell_over(&mut self, time: u64) {
        let now = i64::try_from(self.begin.saturating_add(time)).unwrap_or(i64::MAX);
        let is_over = |fault: &&Fault| fault.course.end().is_some_and(|end| end.0 < now);
        let over: Vec<Fault> =
            self.faults.iter().filter(is_over).filter(|fault| !self.over.contains(&fault.id)).cloned().collect();
        for fault in over {
            let end = fault.course.end().map_or(0, |end| u64::try_from(end.0).unwrap_or(0));
            self.record_end(&fault, Ending::Over, self.plant_epoch + Duration::from_nanos(end));
            self.over.insert(fault.id);
        }
    }

    fn record_fault(&mut self, fault: &Fault, now: Timestamp) {
        let mut written = faults::written(fault, &self.experiment.scene);
        written.course = written.course.shifted(Shift(self.plant_epoch.0));
        let twin = faults::twin_of(&written, &self.experiment.scene);
        let kind = Kind::FaultSet { site: Site::Plant, fault: written };
        self.world.record(Draft { twin, ..Draft::new(now, now, kind) }.by(OPERATOR, ""));
    }

    fn record_end(&mut self, fault: &Fault, ending: Ending, at: Timestamp) {
        let scene = &self.experiment.scene;
        let twin = faults::twin_of(&faults::written(fault, scene), scene);
        let kind = Kind::FaultCleared { site: Site::Plant, fault: fault.id.clone(), ending };
        let draft = Draft { twin, ..Draft::new(at, at, kind) };
        self.world.record(if ending == Ending::Cleared { draft.by(OPERATOR, "") } else { draft });
    }
}
