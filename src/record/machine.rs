//! The thread that records. In: what waits in the box. Out: files on a disk that may be slow, full or gone.
//!
//! It stands by (the past is held in memory), writes (a file is open) or has failed (tries again from time to time). A new
//! file begins where a keyframe says all that was known: until that comes, some tenths of a second, what arrives is held,
//! so that every message stands in exactly one file and each file can be read without the others.

mod files;
mod mend;
mod pace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::mend::Mender;
use self::pace::Pace;
use super::attach::SceneFiles;
use super::batch::Batch;
use super::conclusion::Conclusion;
use super::format::About;
use super::inbox::{Item, Shared};
use super::keyframe::KeyframeBuilder;
use super::options::RecordOptions;
use super::ring::Ring;
use super::series::Series;
use super::status::RecordState;
use super::writer::{Framed, RecordFile, WriteError, Written};
use crate::alarm::Cause;
use crate::event::{Draft, Kind};
use crate::source::Clock;
use crate::value::Timestamp;

/// What was received is safe from a crash after this long, and the time of a write.
const FLUSH_AFTER: Duration = Duration::from_millis(500);
/// What was flushed is asked to be on the disk itself after this long: a loss of power takes no more. Only this thread
/// waits for it, while messages gather in the box.
const SYNC_AFTER: Duration = Duration::from_secs(5);
/// A keyframe that does not come is not waited for any longer. It usually takes a tenth of a second, until what is underway
/// is learnt, and with 100,000 signals another one to collect.
/// What is held is flushed with it, so that a second is the most that a crash takes then as well.
const LONGEST_HOLD: Duration = Duration::from_millis(800);
/// Between two looks at whether the file is still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the thread sleeps when nothing happens.
const IDLE: Duration = Duration::from_secs(1);
const BUSY: Duration = Duration::from_millis(100);
/// Events that wait for a disk that fails.
const MOST_EVENTS: usize = 10_000;
/// Between two events that say that the disk is too slow.
const DROPS_TOLD_EVERY: Duration = Duration::from_secs(60);

pub struct Machine {
    shared: Arc<Shared>,
    options: RecordOptions,
    series: Series,
    about: About,
    /// Of the scene of today.
    scene: Arc<SceneFiles>,
    clock: Clock,
    mode: Mode,
    pace: Pace,
    /// Of keyframes with the large states of producers.
    large: Pace,
    /// Receive time of the newest message.
    heard: Timestamp,
    trouble: Option<Trouble>,
    mender: Mender,
    /// Of files that are not written any more.
    done: Written,
    files: u64,
    dropped: u64,
    drops_told: Option<Instant>,
    lost: u64,
    forgotten: u64,
}

enum Mode {
    Standby(Ring),
    Writing(Box<Writing>),
    Failed(Failed),
}

struct Writing {
    file: RecordFile,
    hold: Option<Hold>,
    /// Not in the file yet.
    conclusions: Vec<Conclusion>,
    /// When its first content was received.
    began: Timestamp,
    /// Goes back to stand by then.
    until: Option<Timestamp>,
    pending_since: Option<Instant>,
    looked: Instant,
    synced: Instant,
    synced_bytes: u64,
}

/// What waits for a keyframe.
struct Hold {
    messages: Batch,
    since: Instant,
    /// The keyframe begins a new file; else it is the first thing in this one.
    rolls: bool,
}

struct Failed {
    retry: Instant,
    /// Events.
    conclusions: Vec<Conclusion>,
    until: Option<Timestamp>,
}

/// The disk did not take something.
struct Trouble {
    /// What was received until then is safe.
    since: Timestamp,
    error: String,
    /// Tries so far.
    tries: u32,
}

impl Machine {
    /// Opens the first file, unless the past is to be held in memory.
    pub fn new(
        shared: Arc<Shared>,
        options: RecordOptions,
        series: Series,
        about: About,
        scene: Arc<SceneFiles>,
        clock: Clock,
    ) -> Result<Self, String> {
        let mut machine = Self {
            shared,
            series,
            about,
            scene: scene.clone(),
            clock,
            mode: Mode::Standby(Ring::new(scene)),
            pace: Pace::new(pace::KEYFRAMES),
            large: Pace::new(pace::LARGE_STATES),
            heard: clock.now(),
            trouble: None,
            mender: Mender::default(),
            done: Written::default(),
            files: 0,
            dropped: 0,
            drops_told: None,
            lost: 0,
            forgotten: 0,
            options,
        };
        if machine.stands_by() {
            machine.series.check_folder().map_err(|error| error.to_string())?;
        } else {
            let file = machine.open(&machine.scene.clone()).map_err(|error| error.to_string())?;
            machine.mode = Mode::Writing(Box::new(machine.begun(file)));
        }
        machine.want_keyframe();
        machine.tell();
        Ok(machine)
    }

    /// Until the box is closed; then writes what is left.
    pub fn run(mut self) {
        let (mut batch, mut items) = (Batch::default(), Vec::new());
        loop {
            let taken = self.shared.take(&mut batch, &mut items, self.patience());
            self.shared.begin_work();
            let taken_at = self.clock.now();
            self.messages(&batch);
            batch.clear();
            if taken.dropped > 0 {
                self.note_dropped(taken.dropped, taken_at);
            }
            for item in items.drain(..) {
                self.item(item);
            }
            self.duties();
            if taken.closed {
                self.end();
                self.tell();
                self.mender.end();
                return;
            }
            self.tell();
            if let Some(took) = self.shared.end_work() {
                self.note(format!("the disk of the recording answers again, after {} s", took.as_secs()));
            }
        }
    }

    /// Nobody waits for it any more: leaves nothing behind.
    pub fn take_back(self) {
        if let Mode::Writing(writing) = self.mode {
            let _ = std::fs::remove_file(writing.file.path());
        }
    }

    fn stands_by(&self) -> bool {
        self.options.before.is_some()
    }

    fn patience(&self) -> Duration {
        match &self.mode {
            Mode::Writing(writing) if writing.hold.is_some() || writing.pending_since.is_some() => BUSY,
            Mode::Writing(writing) if !writing.conclusions.is_empty() || writing.until.is_some() => BUSY,
            _ => IDLE,
        }
    }

    /// From the newest message on there was no room for others, until `to`.
    fn note_dropped(&mut self, dropped: u64, to: Timestamp) {
        self.dropped += dropped;
        let from = self.heard.min(to);
        self.shared.tell(Draft::new(from, self.clock.now(), Kind::Gap { from, to }));
        // What holds after the gap cannot be known from what stands before it.
        self.shared.set_hears_since(to);
        self.want_keyframe();
        if self.drops_told.is_none_or(|told| told.elapsed() >= DROPS_TOLD_EVERY) {
            self.drops_told = Some(Instant::now());
            self.note(format!(
                "the disk is too slow for what comes: {} messages so far are not recorded; choose a faster disk, or \
                 record fewer topics",
                self.dropped
            ));
        }
    }

    fn messages(&mut self, batch: &Batch) {
        let Some(newest) = batch.newest() else { return };
        self.heard = self.heard.max(newest);
        match &mut self.mode {
            Mode::Standby(ring) => ring.messages(batch),
            Mode::Failed(_) => {
                self.lost += batch.len() as u64;
                return;
            }
            Mode::Writing(writing) => match &mut writing.hold {
                Some(hold) => hold.messages.append(batch),
                None => self.write(batch),
            },
        }
        self.hear(batch.content());
    }

    fn hear(&mut self, bytes: u64) {
        self.pace.heard(bytes);
        self.large.heard(bytes);
    }

    /// Writes messages; a file that can hold no more channels is followed by another.
    fn write(&mut self, batch: &Batch) {
        let brokers = self.shared.brokers();
        let mut next_to_write = 0;
        loop {
            let Mode::Writing(writing) = &mut self.mode else {
                self.lost += (batch.len() - next_to_write) as u64;
                return;
            };
            writing.pending_since.get_or_insert_with(Instant::now);
            let mut failure = None;
            for raw in batch.iter().skip(next_to_write) {
                if let Err(error) = writing.file.message(&raw, &brokers) {
                    failure = Some(error);
                    break;
                }
                next_to_write += 1;
            }
            match failure {
                None => return,
                Some(WriteError::Full) => self.change_file(None),
                Some(error) => self.fail(&error),
            }
        }
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Conclusion(conclusion) => self.conclusion(conclusion),
            Item::Keyframe(keyframe) => self.keyframe(*keyframe),
            Item::Scene { name, files, at } => self.take_over(name, files, at),
            Item::Trigger => self.trigger("it was asked for"),
        }
    }

    fn conclusion(&mut self, conclusion: Conclusion) {
        let asks = self.asks(&conclusion);
        if !matches!(conclusion, Conclusion::Event(_)) {
            self.hear(conclusion.bytes() as u64);
        }
        match (&mut self.mode, &conclusion) {
            (Mode::Standby(ring), _) => ring.conclusion(conclusion),
            (Mode::Writing(writing), _) => writing.conclusions.push(conclusion),
            (Mode::Failed(failed), Conclusion::Event(_)) if failed.conclusions.len() < MOST_EVENTS => {
                failed.conclusions.push(conclusion);
            }
            (Mode::Failed(_), Conclusion::Event(_)) => self.dropped += 1,
            // Like the messages around them.
            (Mode::Failed(_), _) => self.lost += 1,
        }
        if let Some(why) = asks {
            self.trigger(&why);
        }
    }

    /// Why the past is to be recorded, if the conclusion is an alarm that was waited for.
    fn asks(&self, conclusion: &Conclusion) -> Option<String> {
        let Conclusion::Event(event) = conclusion else { return None };
        match (&event.kind, self.options.on) {
            (Kind::Alarm { cause: Cause::Raised, priority, message, .. }, Some(on)) if *priority <= on => {
                Some(format!("{} {message}", event.twin.as_deref().unwrap_or_default()).trim().to_owned())
            }
            _ => None,
        }
    }

    /// Whether a keyframe of `time` has the large states of producers: the first one of each file must, and of what is held
    /// in memory any may become that.
    fn takes_large_states(&self, time: Timestamp) -> bool {
        match &self.mode {
            Mode::Writing(writing) => {
                writing.hold.is_some() || !writing.file.has_full_keyframe() || self.large.is_due(time)
            }
            Mode::Standby(_) | Mode::Failed(_) => true,
        }
    }

    fn keyframe(&mut self, keyframe: KeyframeBuilder) {
        let time = keyframe.time();
        if time < self.shared.hears_since() {
            // It was on its way when a file ended.
            self.want_keyframe();
            return;
        }
        let mut keyframe = keyframe.build();
        let large_bytes = match self.takes_large_states(time) {
            true => keyframe.large_bytes(),
            false => {
                keyframe.leave_out_large();
                0
            }
        };
        let framed = match Framed::of(&keyframe) {
            Ok(framed) => framed,
            Err(error) => {
                tracing::error!("a keyframe cannot be recorded: {error}");
                return;
            }
        };
        if framed.is_full {
            self.large.keyframe(time, large_bytes as u64);
        }
        // Two digits a byte.
        self.pace.keyframe(time, framed.json.len().saturating_sub(2 * large_bytes) as u64);
        match &mut self.mode {
            Mode::Failed(_) => {}
            Mode::Standby(ring) => ring.keyframe(framed),
            Mode::Writing(writing) => match writing.hold.take() {
                Some(hold) => self.go_on(hold, Some(framed)),
                None => {
                    if let Err(error) = writing.file.keyframe(&framed) {
                        self.fail(&error);
                    }
                }
            },
        }
    }

    /// Another scene holds from now on.
    fn take_over(&mut self, name: String, files: Arc<SceneFiles>, at: Timestamp) {
        self.about.scene = name;
        self.about.scene_file.clone_from(&files.scene_file);
        self.scene = files.clone();
        match &mut self.mode {
            Mode::Failed(_) => {}
            Mode::Standby(ring) => ring.scene(at, files),
            Mode::Writing(writing) => {
                if let Err(error) = writing.file.attach(&files, at) {
                    self.fail(&error);
                }
            }
        }
        self.want_keyframe();
    }

    /// What is due by the clock.
    fn duties(&mut self) {
        let now = Instant::now();
        match &mut self.mode {
            Mode::Standby(ring) => {
                let (before, budget) = (self.options.before.unwrap_or_default(), self.options.before_bytes);
                self.forgotten += ring.trim(self.clock.now(), before, budget);
            }
            Mode::Failed(failed) => {
                if now >= failed.retry {
                    self.try_again();
                }
            }
            Mode::Writing(writing) => {
                if let Some(hold) = writing.hold.take_if(|hold| now >= hold.since + LONGEST_HOLD) {
                    self.go_on(hold, None);
                }
                self.look_after_file(now);
                if matches!(self.mode, Mode::Writing(_)) {
                    self.mender.tick(now);
                }
            }
        }
        if self.pace.is_due(self.heard) && !self.shared.wants_keyframe() {
            self.want_keyframe();
        }
    }

    fn look_after_file(&mut self, now: Instant) {
        let Mode::Writing(writing) = &mut self.mode else { return };
        if now >= writing.looked + LOOK_EVERY {
            writing.looked = now;
            if !writing.file.is_there() {
                self.fail(&WriteError::Disk("the file was taken away".to_owned()));
                return;
            }
        }
        if now >= writing.synced + SYNC_AFTER && writing.file.good() > writing.synced_bytes {
            let begun = Instant::now();
            let synced = writing.file.sync();
            (writing.synced, writing.synced_bytes) = (Instant::now(), writing.file.good());
            let took = writing.synced - begun;
            self.shared.change_status(|status| status.note_sync(took));
            if let Err(error) = synced {
                self.fail(&error);
                return;
            }
        }
        let due = writing.pending_since.is_some_and(|since| now >= since + FLUSH_AFTER);
        if writing.hold.is_none() && (due || !writing.conclusions.is_empty() && writing.pending_since.is_none()) {
            writing.pending_since = None;
            let conclusions = std::mem::take(&mut writing.conclusions);
            if let Err(error) = writing.file.flush().and_then(|()| writing.file.conclusions(&conclusions)) {
                writing.conclusions = conclusions;
                self.fail(&error);
                return;
            }
        }
        if writing.hold.is_some() {
            return;
        }
        if writing.until.is_some_and(|until| self.clock.now() >= until) {
            self.stand_by();
            return;
        }
        let too_large = self.options.roll.bytes.is_some_and(|most| writing.file.length() >= most);
        let too_old = self.options.roll.age.is_some_and(|oldest| self.heard >= writing.began + oldest);
        if too_large || too_old {
            // What waits would wait for the keyframe too.
            if let Err(error) = writing.file.flush() {
                self.fail(&error);
                return;
            }
            writing.pending_since = None;
            writing.hold = Some(Hold::new(true));
            self.want_first_keyframe();
        }
    }

    fn want_keyframe(&mut self) {
        self.shared.want_keyframe();
    }

    /// One that holds all that was received so far: it stands in the file before, or nowhere.
    fn want_first_keyframe(&mut self) {
        self.shared.set_hears_since(self.heard);
        self.want_keyframe();
    }

    fn note(&self, text: String) {
        tracing::warn!("{text}");
        let now = self.clock.now();
        self.shared.tell(Draft::new(now, now, Kind::Note { text }));
    }

    /// Writes what is left.
    fn end(&mut self) {
        if let Mode::Writing(writing) = &mut self.mode
            && let Some(mut hold) = writing.hold.take()
        {
            hold.rolls = false;
            self.go_on(hold, None);
        }
        let ended = Mode::Failed(Failed::until(None));
        match std::mem::replace(&mut self.mode, ended) {
            Mode::Writing(writing) => self.close(*writing),
            Mode::Failed(failed) => self.lost += failed.conclusions.len() as u64,
            Mode::Standby(_) => {}
        }
    }

    fn tell(&self) {
        self.shared.change_status(|status| {
            status.state = match &self.mode {
                Mode::Standby(_) => RecordState::Standby,
                Mode::Writing(_) => RecordState::Recording,
                Mode::Failed(_) => RecordState::Failed,
            };
            let open = match &self.mode {
                Mode::Writing(writing) => {
                    status.file = Some(writing.file.path().to_owned());
                    status.bytes = writing.file.good();
                    writing.file.kept()
                }
                _ => Written::default(),
            };
            status.held_bytes = match &self.mode {
                Mode::Standby(ring) => ring.bytes(),
                _ => 0,
            };
            status.messages = self.done.messages + open.messages;
            status.events = self.done.events + open.events;
            status.keyframes = self.done.keyframes + open.keyframes;
            status.forecasts = self.done.forecasts + open.forecasts;
            status.produced = self.done.produced + open.produced;
            status.files = self.files;
            status.dropped = self.dropped;
            status.lost = self.lost;
            status.forgotten = self.forgotten;
            status.error = self.trouble.as_ref().map(|trouble| trouble.error.clone());
            status.before = self.options.before;
            (status.since, status.until) = match &self.mode {
                Mode::Standby(_) => (None, None),
                Mode::Writing(writing) => (Some(writing.began), writing.until),
                Mode::Failed(failed) => (self.trouble.as_ref().map(|trouble| trouble.since), failed.until),
            };
        });
    }
}

impl Hold {
    fn new(rolls: bool) -> Self {
        Self { messages: Batch::default(), since: Instant::now(), rolls }
    }
}
