//! Reads messages of an MCAP file that another program wrote. In: its messages in order of time, a scene. Out: messages
//! as a broker would have sent them, under the topics of the file, which the scene binds. Never changes a payload.

use super::{ImportError, Sent};
use crate::record::read::{RawMessage, ReadError, Timeline};
use crate::scene::Scene;
use crate::value::Timestamp;

/// Every message, one at a time. Those that name no broker are taken to be of the scene's first.
pub fn messages<'t>(
    file: &'t str,
    timeline: &'t Timeline,
    scene: &Scene,
) -> impl Iterator<Item = Result<Vec<Sent>, ImportError>> + 't + use<'t> {
    let broker = scene.brokers.keys().next().cloned().unwrap_or_else(|| "broker".to_owned());
    let damaged = move |error: ReadError| {
        let said = error.to_string();
        // It names the file itself.
        let cause = said.strip_prefix(file).and_then(|cause| cause.strip_prefix(": ")).unwrap_or(&said).to_owned();
        ImportError::Foreign { file: file.to_owned(), cause }
    };
    let mut newest = Timestamp::MIN;
    // Samples of producers are computed anew. What is no text is told of by the timeline.
    let is_sent = |message: &Result<RawMessage, ReadError>| {
        message.as_ref().map_or(true, |one| !one.is_produced() && one.is_readable())
    };
    timeline.messages(Timestamp::MIN, Timestamp::MAX).filter(is_sent).map(move |message| {
        let message = message.map_err(damaged)?;
        newest = newest.max(message.log_time);
        Ok(vec![Sent {
            time: newest,
            broker: if message.broker.is_empty() { broker.clone() } else { message.broker.to_string() },
            topic: message.topic.to_string(),
            payload: message.payload.to_vec(),
            qos: message.qos,
            retained: message.retained,
        }])
    })
}
