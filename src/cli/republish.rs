//! `pollux play --to BROKER`: publishes a recording again, instead of showing it.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::{Failure, live};
use crate::record::read::{RawMessage, Timeline};
use crate::replay::At;
use crate::scene::Broker;
use crate::session;
use crate::source::republish::{self, Parcel, Republication, RepublishError, RepublishProgress};
use crate::value::Timestamp;

/// What is to be published, where and how fast.
pub(super) struct Request {
    pub files: Vec<PathBuf>,
    /// How to log in is its word.
    pub scene: Option<PathBuf>,
    pub at: Option<At>,
    pub speed: f64,
    pub to: String,
    pub prefix: String,
    pub retain: bool,
}

pub(super) fn run(request: Request) -> Result<(), Failure> {
    let stop = live::interrupted(|| {})?;
    let timeline = Timeline::open(&request.files).map_err(Failure::environment)?;
    if let Some(damage) = timeline.told() {
        eprintln!("pollux: {damage}");
    }
    let Some((start, end)) = timeline.bounds() else {
        return Err(Failure::Usage("the recording holds no message: there is nothing to publish".into()));
    };
    let from = match request.at {
        None => start,
        Some(At::After(after)) => start + after,
        Some(At::Moment(at)) => at,
    };
    if !(start..=end).contains(&from) {
        return Err(Failure::Usage(format!("{from} is not within the recording, which is from {start} to {end}")));
    }
    let what =
        Republication { broker: broker(request.scene, &request.to)?, prefix: request.prefix, speed: request.speed };
    eprintln!("pollux: {} goes to {} under `{}`", span(from, end), what.broker.url, what.prefix);
    let retain = request.retain;
    let messages = timeline.messages(Timestamp(from.0.saturating_sub(1)), Timestamp::MAX);
    // What producers of Pollux computed no broker has ever had.
    let messages = messages.filter(|message| message.as_ref().map_or(true, |message| !message.is_produced()));
    let parcels = messages.map(|message| message.map(|message| parcel(message, retain)));
    let progress = republish::run(parcels, &what, &stop).map_err(|error| match error {
        RepublishError::Prefix { .. } | RepublishError::Speed { .. } | RepublishError::Address(_) => {
            Failure::Usage(error.to_string())
        }
        other => Failure::environment(other),
    })?;
    tell(&progress, stop.load(Ordering::Relaxed));
    Ok(())
}

fn broker(scene: Option<PathBuf>, url: &str) -> Result<Broker, Failure> {
    let Some(path) = scene else { return Ok(Broker::at(url)) };
    let loaded = crate::scene::load(&path);
    let Some(scene) = loaded.scene else {
        eprint!("{}", loaded.render(super::colour()));
        return Err(Failure::Verdict);
    };
    Ok(session::brokers_at(&scene, url).into_values().next().unwrap_or_else(|| Broker::at(url)))
}

fn parcel(message: RawMessage, retain: bool) -> Parcel {
    Parcel {
        time: message.log_time,
        topic: message.topic.to_string(),
        payload: message.payload,
        qos: message.qos,
        retained: message.retained && retain,
    }
}

fn span(from: Timestamp, to: Timestamp) -> String {
    format!("{:.1} s of {from} to {to}", to.secs_since(from))
}

fn tell(progress: &RepublishProgress, stopped: bool) {
    let RepublishProgress { published, bytes, late, reconnects, .. } = progress;
    let how = if stopped { "stopped after" } else { "published" };
    eprintln!("pollux: {how} {published} messages, {bytes} bytes; {late} left late, {reconnects} reconnects");
}
