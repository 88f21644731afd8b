//! The kinds of faults of links, with their exact effects. In: nothing. Out: data.

use crate::fault::kind::effects;

effects! {
    /// What becomes of messages on their way.
    ///
    /// A fault acts on the messages of the topics that its filters match, at one broker or at all. What is random follows
    /// from the seed, the fault's id, the broker, the topic and the count of its messages while the fault was active: what
    /// happens on other topics changes nothing. What is held back comes at once, in order, at the end of a bout.
    LinkEffect in Link;

    /// Nothing passes.
    ///
    /// Every message that is sent while it is active is lost, and every one that would arrive meanwhile, after whatever
    /// delay, wherever this fault stands in the list. Nothing is sent again afterwards.
    Disconnect "disconnect" sudden {}
    /// Messages arrive later.
    ///
    /// A message arrives i `by` later, all in the order in which they were sent.
    Latency "latency" ramps {
        /// How much later
        by: f64 [Unit("s")] = 0.5, 0.0 => 1e6, usual 0.0 => 30.0;
    }
    /// Messages arrive later by different times.
    ///
    /// A message arrives i u `most` later, u anywhere from 0 to 1, another one for each message. One may overtake another,
    /// unless `keeps_order` is set: then it waits for those before it on its topic.
    Jitter "jitter" ramps {
        /// The longest that it holds a message back
        most: f64 [Unit("s")] = 0.5, 0.0 => 1e6, usual 0.0 => 30.0;
        /// Whether the messages of a topic arrive in the order in which they were sent
        keeps_order: bool [Flag] = 0.0, 0.0 => 1.0, usual 0.0 => 1.0;
    }
    /// Some messages do not arrive.
    ///
    /// With the probability i `share` a message is lost.
    Loss "loss" ramps {
        /// Share of the messages that are lost
        share: f64 [Unit("")] = 0.1, 0.0 => 1.0, usual 0.0 => 1.0;
    }
    /// Some messages arrive twice.
    ///
    /// With the probability i `share` a message arrives a second time, right behind itself.
    Duplicate "duplicate" ramps {
        /// Share of the messages that arrive twice
        share: f64 [Unit("")] = 0.1, 0.0 => 1.0, usual 0.0 => 1.0;
    }
    /// Some messages arrive behind the next one.
    ///
    /// With the probability i `share` a message is held back until the next one of its topic has passed, and arrives right
    /// behind it; where none comes within `wait`, then. The one that passes is not held back itself.
    Reorder "reorder" ramps {
        /// Share of the messages that are held back
        share: f64 [Unit("")] = 0.1, 0.0 => 1.0, usual 0.0 => 1.0;
        /// The longest that one is held back
        wait: f64 [Unit("s")] = 10.0, 0.0 => 1e6, usual 0.1 => 60.0;
    }
    /// Some payloads have wrong bytes.
    ///
    /// With the probability i `share` a payload has other bytes at some places: a share `part` of them, at least one, the
    /// places drawn one by one, so that a few may be the same. Its length stays. An empty payload is left alone.
    Corrupt "corrupt" ramps {
        /// Share of the messages that are hit
        share: f64 [Unit("")] = 0.1, 0.0 => 1.0, usual 0.0 => 1.0;
        /// Share of the bytes of such a message that are wrong
        part: f64 [Unit("")] = 0.05, 0.0 => 1.0, usual 0.0 => 0.5;
    }
    /// Some payloads end early.
    ///
    /// With the probability i `share` a payload ends anywhere before its end, but has one byte at least: an empty one would
    /// delete what the broker retains. A payload of one byte, or none, is left alone.
    Cut "cut" ramps {
        /// Share of the messages that are cut
        share: f64 [Unit("")] = 0.1, 0.0 => 1.0, usual 0.0 => 1.0;
    }
    /// The sender's clock is wrong.
    ///
    /// The times that messages say they were made at are i `by` later, earlier below 0; the messages come when they did
    /// before. The sender asks `LinkFaults::clock_shift` when it encodes a message: the shifts of several faults add up. A
    /// payload without a time stays as it is.
    ClockSkew "clock_skew" ramps {
        /// How much the clock is ahead; below 0 for behind
        by: f64 [Unit("s")] = 30.0, -1e9 => 1e9, usual -3600.0 => 3600.0;
    }
    /// Old retained messages come again.
    ///
    /// At the beginning of a bout the last message of each topic that was sent before comes again, as a broker that had
    /// kept it delivers it to a new subscriber: with the RETAIN flag, so that its age is unknown; in the order of brokers
    /// and topics. An empty one does not. Nothing else happens until the next bout. Over a real broker it comes without
    /// the flag: only the broker sets that.
    StaleRetained "stale_retained" sudden {}
}
