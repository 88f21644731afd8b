//! From file to file: opening, following one with another, going back to stand by, failing and trying again.

use std::time::{Duration, Instant, SystemTime};

use super::{Failed, Hold, Machine, Mode, Trouble, Writing};
use crate::event::{Draft, Kind};
use crate::record::attach::SceneFiles;
use crate::record::batch::Batch;
use crate::record::conclusion::Conclusion;
use crate::record::format::About;
use crate::record::ring::{Ring, Segment};
use crate::record::writer::{Framed, RecordFile, WriteError, Written};
use crate::value::Timestamp;

/// Between two tries to begin a new file: the first, and the longest.
const RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

impl Failed {
    pub(super) fn until(until: Option<Timestamp>) -> Self {
        Self { retry: Instant::now() + RETRY, conclusions: Vec::new(), until }
    }
}

impl Machine {
    /// Begins the next file of the series, with what stands at the front of each. A file that cannot be begun leaves
    /// nothing behind.
    pub(super) fn open(&mut self, scene: &SceneFiles) -> Result<RecordFile, WriteError> {
        let started_wall = Timestamp::now();
        let (path, file) = self.series.create(self.clock.now())?;
        let about = About { started: self.clock.now(), started_wall, ..self.about.clone() };
        let begun = RecordFile::begin(path.clone(), file, &about, scene);
        match begun {
            Ok(file) => {
                self.files += 1;
                tracing::info!("{}: recording", path.display());
                for left in self.series.tidy(self.options.keep, &path, SystemTime::now()) {
                    tracing::warn!("{left}");
                }
                Ok(file)
            }
            Err(error) => {
                if let Err(left) = std::fs::remove_file(&path) {
                    tracing::warn!("{}: the empty recording cannot be removed: {left}", path.display());
                }
                Err(error)
            }
        }
    }

    /// A file whose first keyframe is to come.
    pub(super) fn begun(&self, file: RecordFile) -> Writing {
        Writing {
            file,
            hold: Some(Hold::new(false)),
            conclusions: Vec::new(),
            began: self.heard,
            until: None,
            pending_since: None,
            looked: Instant::now(),
            synced: Instant::now(),
            synced_bytes: 0,
        }
    }

    /// The keyframe that was waited for is there, or does not come.
    pub(super) fn go_on(&mut self, hold: Hold, keyframe: Option<Framed>) {
        let (moment, since) = (keyframe.as_ref().map(|framed| framed.time), hold.since);
        let after = match (hold.rolls, moment) {
            (false, _) => hold.messages,
            (true, None) => {
                self.write(&hold.messages);
                Batch::default()
            }
            (true, Some(moment)) => {
                let (until, after) = hold.messages.split(moment);
                self.write(&until);
                after
            }
        };
        if hold.rolls {
            self.change_file(moment);
        }
        let Mode::Writing(writing) = &mut self.mode else {
            self.lost += after.len() as u64;
            return;
        };
        if let Some(framed) = &keyframe
            && let Err(error) = writing.file.keyframe(framed)
        {
            self.lost += after.len() as u64;
            self.fail(&error);
            return;
        }
        if let Some(trouble) = self.trouble.take() {
            let now = self.clock.now();
            let to = moment.unwrap_or(now);
            tracing::warn!("recorded again; from {} to {to} nothing was", trouble.since);
            self.shared.tell(Draft::new(trouble.since, now, Kind::Gap { from: trouble.since, to }));
        }
        self.write(&after);
        if let Mode::Writing(writing) = &mut self.mode
            && let Some(pending) = &mut writing.pending_since
        {
            *pending = since;
        }
    }

    /// Finishes the file and begins the next. Events known by `moment` stand in the old one.
    pub(super) fn change_file(&mut self, moment: Option<Timestamp>) {
        let Mode::Writing(writing) = std::mem::replace(&mut self.mode, Mode::Failed(Failed::until(None))) else {
            return;
        };
        let mut writing = *writing;
        let belongs = |received: Timestamp| moment.is_none_or(|moment| received <= moment);
        let conclusions = std::mem::take(&mut writing.conclusions);
        let (until, after) = conclusions.into_iter().partition(|conclusion| belongs(conclusion.time()));
        writing.conclusions = until;
        let wanted_until = writing.until;
        self.close(writing);
        if moment.is_none() {
            self.want_first_keyframe();
        }
        match self.open(&self.scene.clone()) {
            Ok(file) => {
                let began = moment.unwrap_or(self.heard);
                let next = Writing { hold: None, conclusions: after, began, until: wanted_until, ..self.begun(file) };
                self.mode = Mode::Writing(Box::new(next));
            }
            Err(error) => {
                let conclusions = self.keep_events(after);
                self.mode = Mode::Failed(Failed { conclusions, ..Failed::until(wanted_until) });
                self.set_trouble(self.heard, &error);
            }
        }
    }

    /// Writes what is left of a file, and its end.
    pub(super) fn close(&mut self, mut writing: Writing) {
        let written = writing.file.flush().and_then(|()| writing.file.conclusions(&writing.conclusions));
        let finished = writing.file.finish();
        self.done = self.done + finished.kept;
        self.lost += finished.lost;
        self.shared.change_status(|status| {
            status.file = Some(finished.path.clone());
            status.bytes = finished.bytes;
        });
        let error = written.err().map(|error| error.to_string()).or(finished.error);
        if let Some(error) = error {
            let path = finished.path.display();
            self.note(format!(
                "{path}: the recording has no index yet ({error}): what it holds can be read all the same"
            ));
            self.mender.take(finished.path);
        }
    }

    /// The past is held in memory again.
    pub(super) fn stand_by(&mut self) {
        let ring = Mode::Standby(Ring::new(self.scene.clone()));
        if let Mode::Writing(writing) = std::mem::replace(&mut self.mode, ring) {
            self.close(*writing);
        }
        self.want_first_keyframe();
    }

    /// Somebody asks for the past, and for what comes.
    pub(super) fn trigger(&mut self, why: &str) {
        let until = self.clock.now() + self.options.after;
        match &mut self.mode {
            Mode::Writing(writing) => writing.until = writing.until.map(|_| until),
            Mode::Failed(failed) => failed.until = failed.until.map(|_| until),
            Mode::Standby(ring) => {
                let files = ring.files();
                match self.open(&files) {
                    Ok(file) => {
                        let path = file.path().display().to_string();
                        let begun = Writing { hold: None, until: Some(until), ..self.begun(file) };
                        let before = std::mem::replace(&mut self.mode, Mode::Writing(Box::new(begun)));
                        if let Mode::Standby(ring) = before {
                            self.write_past(ring);
                        }
                        self.note(format!("{path}: recorded with what came before, as {why}"));
                    }
                    // The past stays in memory; the next one who asks may have more luck.
                    Err(error) => {
                        self.note(format!(
                            "nothing can be recorded ({error}), although {why}: make room, or record elsewhere"
                        ));
                    }
                }
            }
        }
    }

    fn write_past(&mut self, ring: Ring) {
        for Segment { keyframe, scenes, messages, conclusions } in ring.into_segments() {
            let Mode::Writing(writing) = &mut self.mode else {
                self.lost += messages.len() as u64;
                continue;
            };
            let framed = keyframe.map_or(Ok(()), |framed| writing.file.keyframe(&framed));
            let attached =
                framed.and_then(|()| scenes.iter().try_for_each(|(at, files)| writing.file.attach(files, *at)));
            writing.conclusions.extend(conclusions);
            match attached {
                Ok(()) => self.write(&messages),
                Err(error) => {
                    self.lost += messages.len() as u64;
                    self.fail(&error);
                }
            }
        }
    }

    /// Gives the file up: it ends at its last flush. Monitoring goes on, and so do tries to begin another file; once that
    /// succeeds there is room for the index of this one too.
    pub(super) fn fail(&mut self, error: &WriteError) {
        let Mode::Writing(writing) = std::mem::replace(&mut self.mode, Mode::Failed(Failed::until(None))) else {
            return;
        };
        let Writing { file, hold, conclusions, until, began, .. } = *writing;
        let (path, kept, since) = (file.path().to_owned(), file.kept(), file.newest_kept().unwrap_or(began));
        let is_there = file.is_there();
        let (lost, cut) = file.abandon();
        self.lost += lost.messages + hold.map_or(0, |hold| hold.messages.len() as u64);
        self.done = self.done + kept;
        let shown = path.display();
        if kept == Written::default() {
            // Nothing but what stands at the front of each.
            let _ = std::fs::remove_file(&path);
        } else {
            let cut = match cut {
                Ok(()) => String::new(),
                Err(cut) => format!(" Its broken end stays ({cut}); readers pass over it."),
            };
            self.note(format!(
                "the recording {shown} ends here ({error}): what was written before is intact, and Pollux tries to begin \
                 another.{cut}"
            ));
            // Another file may stand at this path by now.
            if is_there {
                self.mender.take(path);
            }
        }
        let conclusions = self.keep_events(conclusions);
        self.mode = Mode::Failed(Failed { conclusions, ..Failed::until(until) });
        self.set_trouble(since, error);
    }

    /// Events wait while the disk fails; samples and forecasts are lost, like the messages around them.
    fn keep_events(&mut self, mut conclusions: Vec<Conclusion>) -> Vec<Conclusion> {
        let before = conclusions.len();
        conclusions.retain(|conclusion| matches!(conclusion, Conclusion::Event(_)));
        self.lost += (before - conclusions.len()) as u64;
        conclusions
    }

    fn set_trouble(&mut self, since: Timestamp, error: &WriteError) {
        let error = error.to_string();
        match &mut self.trouble {
            Some(trouble) => trouble.error = error,
            none => *none = Some(Trouble { since, error, tries: 0 }),
        }
    }

    pub(super) fn try_again(&mut self) {
        let opened = self.open(&self.scene.clone());
        let Mode::Failed(failed) = &mut self.mode else { return };
        let until = failed.until;
        let conclusions = std::mem::take(&mut failed.conclusions);
        match opened {
            Ok(_) if until.is_some_and(|until| self.clock.now() >= until) => self.stand_by(),
            Ok(file) => {
                self.mode = Mode::Writing(Box::new(Writing { conclusions, until, ..self.begun(file) }));
                self.want_first_keyframe();
            }
            Err(error) => {
                let tries = self.trouble.as_mut().map_or(1, |trouble| {
                    trouble.tries += 1;
                    trouble.tries
                });
                let wait = (RETRY * 2_u32.saturating_pow(tries)).min(LONGEST_RETRY);
                self.mode = Mode::Failed(Failed { conclusions, retry: Instant::now() + wait, until });
                self.set_trouble(self.heard, &error);
            }
        }
    }
}

impl std::ops::Add for Written {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            events: self.events + other.events,
            keyframes: self.keyframes + other.keyframes,
            forecasts: self.forecasts + other.forecasts,
            produced: self.produced + other.produced,
        }
    }
}
