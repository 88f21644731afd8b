//! Lays faults over live data. In: faults and the wish to be rid of them, each with who and why; the place in the one order
//! at which the wish was made. Out: an [`Overlay`] that learns what the true world learns, an event for each fault that is
//! set or cleared. Changes nothing else of the true world.
//!
//! A wish that is made at a moment takes its place just after the messages of that moment. Sources know before that moment
//! which messages are needed with their bytes, so all that comes after it has them.

use std::collections::VecDeque;

use super::Knowledge;
use super::learn::JUST_AFTER;
use crate::analysis::overlay::{Laid, Overlay, OverlayView};
use crate::event::{Draft, Ending, FaultSpans, Kind};
use crate::fault::{Defect, Fault, Site, WrittenFault};
use crate::record::KeyframeBuilder;
use crate::scene::faults;
use crate::scene::nearest::nearest;
use crate::source::BatchMessage;
use crate::value::{Shift, Timestamp};

/// Of the memory for history, an overlay takes this part in addition.
const SHARE: u64 = 8;
/// As much it may take in any case.
const LEAST_BYTES: u64 = 1 << 20;

/// What lies over live data, what did last, and what is wished for.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Overlays {
    pub now: Option<Box<Overlay>>,
    /// The one before, to look at.
    last: Option<OverlayView>,
    /// In the order of their times.
    wishes: VecDeque<Wish>,
}

#[derive(Debug)]
struct Wish {
    at: Timestamp,
    by: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Lay(Box<Laid>),
    /// None: all.
    Lift(Option<String>),
}

impl Overlays {
    /// When something of the true world changes: a wish takes its place, a fault is over.
    pub fn next_due(&self) -> Option<Timestamp> {
        let wish = self.wishes.front().map(|wish| wish.at + JUST_AFTER);
        let end = self.now.as_ref().and_then(|overlay| overlay.next_end());
        [wish, end].into_iter().flatten().min()
    }

    /// When something happens in the overlay.
    pub fn next_look(&self) -> Option<Timestamp> {
        self.now.as_ref()?.next_look()
    }

    pub fn pass_time(&mut self, to: Timestamp) {
        if let Some(overlay) = &mut self.now {
            overlay.pass_time(to);
        }
    }

    /// Whether a frame may have something new to show.
    pub fn has_news(&self) -> bool {
        self.now.as_ref().is_some_and(|overlay| overlay.view.analysis.lock().has_news())
    }

    /// Filters of the faults of links at a broker: of those that lie there, and of those that will.
    fn filters(&self, broker: &str) -> Vec<String> {
        let there = self.now.iter().flat_map(|overlay| overlay.list().map(|laid| laid.fault));
        let wished = self.wishes.iter().filter_map(|wish| match &wish.what {
            What::Lay(laid) => Some(laid.fault.clone()),
            What::Lift(_) => None,
        });
        let mut filters: Vec<String> = there
            .chain(wished)
            .filter_map(|fault| match fault.defect {
                Defect::Link { broker: only, topics, .. } if only.as_deref().is_none_or(|only| only == broker) => {
                    Some(topics)
                }
                _ => None,
            })
            .flatten()
            .collect();
        filters.sort_unstable();
        filters.dedup();
        filters
    }

    fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> =
            self.now.iter().flat_map(|overlay| overlay.list().map(|laid| laid.fault.id)).collect();
        for wish in &self.wishes {
            match &wish.what {
                What::Lay(laid) => ids.push(laid.fault.id.clone()),
                What::Lift(Some(id)) => ids.retain(|known| known != id),
                What::Lift(None) => ids.clear(),
            }
        }
        ids
    }
}

impl Knowledge {
    /// Lays a fault over live data from now on; its onset counts from now. One of the same id gives way to it. `now` is
    /// looked at when all sources know what is wanted of them. Every reason for a refusal is a sentence.
    pub fn lay(
        &mut self,
        fault: WrittenFault,
        by: &str,
        reason: &str,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<(), Vec<String>> {
        self.check_overlay(&fault)?;
        let laid = Laid {
            fault: fault.clone(),
            by: by.to_owned(),
            reason: reason.to_owned(),
            since: Timestamp::MIN,
            acted: 0,
        };
        self.overlays.wishes.push_back(Wish { at: Timestamp::MAX, by: by.to_owned(), what: What::Lay(Box::new(laid)) });
        self.publish_wishes();
        let last = self.overlays.wishes.iter().rev().nth(1).map_or(Timestamp::MIN, |wish| wish.at);
        let at = now().max(self.position).max(last);
        if let Some(wish) = self.overlays.wishes.back_mut() {
            wish.at = at;
            if let What::Lay(laid) = &mut wish.what {
                laid.since = at;
                laid.fault.course = laid.fault.course.shifted(Shift(at.0));
            }
        }
        self.quiet_until = None;
        Ok(())
    }

    /// Lays a fault once more that was set at a moment of a recording: its course is in the time of the data.
    pub fn lay_again(
        &mut self,
        fault: &WrittenFault,
        by: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Vec<String>> {
        let course = fault.course.shifted(Shift(at.0.saturating_neg()));
        self.lay(WrittenFault { course, ..fault.clone() }, by, reason, || at)
    }

    fn check_overlay(&self, fault: &WrittenFault) -> Result<(), Vec<String>> {
        if self.is_recorded {
            return Err(vec!["this is a recording: faults cannot be laid over it".to_owned()]);
        }
        let mut problems = match faults::resolve(fault, &self.scene) {
            Ok(_) => Vec::new(),
            Err(problems) => problems,
        };
        match &fault.defect {
            Defect::Process { .. } => problems.push(format!(
                "fault `{}`: {} acts on a machine, and live data have none: lay a fault over a sensor or a link, or break the \
                 simulated plant",
                fault.id,
                fault.kind().name
            )),
            Defect::Link { broker: Some(broker), .. } if !self.feeds.is_empty() => {
                let names = || self.feeds.iter().filter(|feed| !feed.is_of_answers()).map(|feed| feed.name.as_str());
                if !names().any(|name| name == broker) {
                    let meant = nearest(broker, names()).map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
                    problems.push(format!("fault `{}`: there is no broker `{broker}`{meant}", fault.id));
                }
            }
            Defect::Link { .. } | Defect::Sensor { .. } | Defect::Swapped { .. } => {}
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Takes a fault off live data, or all of them. The error says that there is none of this id.
    pub fn lift(&mut self, id: Option<&str>, by: &str, now: Timestamp) -> Result<(), String> {
        let ids = self.overlays.ids();
        match id {
            Some(id) if !ids.iter().any(|known| known == id) => {
                let meant = nearest(id, ids.iter().map(String::as_str));
                let meant = meant.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
                return Err(format!("no fault `{id}` lies over live data{meant}"));
            }
            None if ids.is_empty() => return Ok(()),
            _ => {}
        }
        let last = self.overlays.wishes.back().map_or(Timestamp::MIN, |wish| wish.at);
        let at = now.max(self.position).max(last);
        let what = What::Lift(id.map(str::to_owned));
        self.overlays.wishes.push_back(Wish { at, by: by.to_owned(), what });
        self.quiet_until = None;
        Ok(())
    }

    /// The faults that lie over live data, in the order in which they act; those that were asked for a moment ago come
    /// shortly.
    pub fn laid(&self) -> Vec<Laid> {
        self.overlays.now.iter().flat_map(|overlay| overlay.list()).collect()
    }

    /// The world with the faults, or the last one that there was.
    pub fn overlay(&self) -> Option<OverlayView> {
        let now = self.overlays.now.as_ref().map(|overlay| &overlay.view);
        now.or(self.overlays.last.as_ref()).cloned()
    }

    /// An overlay that has ended is not looked at any more.
    pub fn forget_overlay(&mut self) {
        self.overlays.last = None;
    }

    /// Whether messages of a topic are needed with their bytes.
    pub(crate) fn wants_whole(&self, broker: &str, topic: &str) -> bool {
        let is_wished = || self.overlays.filters(broker).iter().any(|filter| crate::ingest::matches(filter, topic));
        self.overlays.now.as_ref().is_some_and(|overlay| overlay.wants_whole(broker, topic))
            || !self.overlays.wishes.is_empty() && is_wished()
    }

    /// Tells the sources which messages are needed with their bytes.
    pub(super) fn publish_wishes(&self) {
        for feed in &self.feeds {
            feed.inbox.want_whole(&feed.name, self.overlays.filters(&feed.name));
        }
    }

    /// The true world has learnt a message.
    pub(super) fn lay_over(&mut self, message: BatchMessage<'_>) {
        let Some(overlay) = &mut self.overlays.now else { return };
        overlay.message(message);
        if overlay.is_too_much() {
            self.end_faults(|_| true, Ending::TooMuch, None, message.received());
        }
    }

    /// Messages came without the bytes that a fault of a link needs.
    pub(super) fn note_unwhole(&mut self, count: u64) {
        if self.overlays.now.is_some() {
            tracing::warn!("{count} messages passed the faults of links untouched, as more came than could be kept");
            self.complain(
                "messages passed the faults of links untouched, as more came than could be kept: the overlay is not all that \
                 its faults would make of the data"
                    .to_owned(),
            );
        }
    }

    /// Wishes take their places and faults end that are due at or before `due`; true if any did.
    pub(super) fn place_faults(&mut self, due: Timestamp) -> bool {
        let end = self.overlays.now.as_ref().and_then(|overlay| overlay.next_end());
        let wish = self.overlays.wishes.front().map(|wish| wish.at + JUST_AFTER);
        match (end, wish) {
            (Some(end), wish) if end <= due && wish.is_none_or(|wish| end < wish) => {
                self.end_faults(|laid| laid.fault.course.end().is_some_and(|own| own <= end), Ending::Over, None, end);
            }
            (_, Some(wish)) if wish <= due => {
                let Some(Wish { at, by, what }) = self.overlays.wishes.pop_front() else { return false };
                match what {
                    What::Lay(laid) => self.place_fault(*laid, at),
                    What::Lift(id) => self.end_faults(
                        |laid| id.as_ref().is_none_or(|id| laid.fault.id == *id),
                        Ending::Cleared,
                        Some(&by),
                        at,
                    ),
                }
            }
            _ => return false,
        }
        self.publish_wishes();
        self.quiet_until = None;
        true
    }

    /// A world of its own that begins with what is known at `at`, where nothing of later is known yet.
    fn as_known(&self, at: Timestamp) -> Knowledge {
        let mut keyframe = KeyframeBuilder::new(at, self.scene.clone(), self.engine.snapshot(), self.producer_states());
        keyframe.go_on(&self.history, || false);
        let budget_bytes = (self.history.usage().budget_bytes / SHARE).max(LEAST_BYTES);
        let mut world = Knowledge::new(self.scene.clone(), self.generation, budget_bytes, at, self.make.clone());
        if self.digest.is_some() {
            world.keep_digest();
        }
        world.begin_with(&keyframe.build());
        world
    }

    fn place_fault(&mut self, laid: Laid, at: Timestamp) {
        // The scene may be another one since it was asked for.
        let fault: Fault = match faults::resolve(&laid.fault, &self.scene) {
            Ok(fault) => fault,
            Err(problems) => return self.complain(problems.join("; ")),
        };
        let mut overlay = match self.overlays.now.take() {
            Some(overlay) => overlay,
            None => Box::new(Overlay::begin(self.scene.clone(), self.generation, self.as_known(at), at)),
        };
        self.overlays.last = None;
        let kind = Kind::FaultSet { site: Site::Overlay, fault: laid.fault.clone() };
        let draft = Draft { twin: faults::twin_of(&laid.fault, &self.scene), ..Draft::new(at, at, kind) };
        self.chronicle.record(draft.by(laid.by.clone(), laid.reason.clone()));
        overlay.lay(laid, fault, at);
        self.overlays.now = Some(overlay);
    }

    /// Some faults are gone; with the last one the overlay ends.
    pub(super) fn end_faults(
        &mut self,
        is_gone: impl Fn(&Laid) -> bool,
        ending: Ending,
        by: Option<&str>,
        at: Timestamp,
    ) {
        let Some(mut overlay) = self.overlays.now.take() else { return };
        let (all, lost) = (overlay.list().count(), overlay.list().filter(|laid| is_gone(laid)).count());
        if lost == 0 {
            // It was over before.
            self.overlays.now = Some(overlay);
            return;
        }
        let gone = match lost == all {
            // What they held back is no loss: the true world has it.
            true => {
                overlay.pass_time(at);
                overlay.view.until = Some(at);
                self.overlays.last = Some(overlay.view.clone());
                overlay.list().collect()
            }
            false => {
                let gone = overlay.lift(is_gone, at, (ending == Ending::Cleared).then_some(&self.history));
                self.overlays.now = Some(overlay);
                gone
            }
        };
        for laid in gone {
            self.record_end(&laid, ending, by, at);
        }
        self.publish_wishes();
    }

    fn record_end(&mut self, laid: &Laid, ending: Ending, by: Option<&str>, at: Timestamp) {
        let kind = Kind::FaultCleared { site: Site::Overlay, fault: laid.fault.id.clone(), ending };
        let draft = Draft { twin: faults::twin_of(&laid.fault, &self.scene), ..Draft::new(at, at, kind) };
        self.chronicle.record(match by {
            Some(by) => draft.by(by, ""),
            None => draft,
        });
    }

    /// All that lay over live data, or was in the session's own plant, is gone: with the session, or with the plant. What an
    /// earlier session had no time to clear is put on record so.
    pub fn end_all_faults(&mut self, sites: &[Site], ending: Ending, now: Timestamp) {
        let spans = FaultSpans::of(self.chronicle.journal().iter().map(|event| &**event));
        for span in spans.iter().filter(|span| span.gone.is_none() && sites.contains(&span.site)) {
            let (site, fault) = (span.site, span.fault.id.clone());
            let kind = Kind::FaultCleared { site, fault, ending };
            self.chronicle.record(Draft { twin: span.twin.clone(), ..Draft::new(now, now, kind) });
        }
    }

    /// After another scene took over: what it does not have is cleared.
    pub(super) fn adopt_overlay(&mut self) {
        self.overlays.last = None;
        let Some(mut overlay) = self.overlays.now.take() else { return };
        let at = self.position;
        let gone = overlay.adopt(&self.scene, self.generation, at);
        match overlay.is_empty() {
            true => overlay.view.until = Some(at),
            false => self.overlays.now = Some(overlay),
        }
        for laid in gone {
            self.record_end(&laid, Ending::Gone, None, at);
        }
        self.publish_wishes();
    }
}

#[cfg(test)]
#[path = "lay_tests.rs"]
mod tests;
