//! Which events to show. In: what the operator chose and typed. Out: yes or no for each event. Plain data and
//! functions.

use serde::Serialize;

use super::{Event, Kind};
use crate::scene::rule::Priority;
use crate::value::Timestamp;

/// What sort of thing an event is: `kind` in its JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    Alarm,
    Flood,
    Chattering,
    Connection,
    Birth,
    Death,
    SceneReloaded,
    SceneEdited,
    Gap,
    Command,
    Plant,
    FaultSet,
    FaultCleared,
    Note,
    Bookmark,
}

impl Tag {
    pub const ALL: [Tag; 15] = [
        Tag::Alarm,
        Tag::Flood,
        Tag::Chattering,
        Tag::Connection,
        Tag::Birth,
        Tag::Death,
        Tag::SceneReloaded,
        Tag::SceneEdited,
        Tag::Gap,
        Tag::Command,
        Tag::Plant,
        Tag::FaultSet,
        Tag::FaultCleared,
        Tag::Note,
        Tag::Bookmark,
    ];

    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Tag::Alarm => "alarm",
            Tag::Flood => "flood",
            Tag::Chattering => "chattering",
            Tag::Connection => "connection",
            Tag::Birth => "birth",
            Tag::Death => "death",
            Tag::SceneReloaded => "scene_reloaded",
            Tag::SceneEdited => "scene_edited",
            Tag::Gap => "gap",
            Tag::Command => "command",
            Tag::Plant => "plant",
            Tag::FaultSet => "fault_set",
            Tag::FaultCleared => "fault_cleared",
            Tag::Note => "note",
            Tag::Bookmark => "bookmark",
        }
    }
}

impl Kind {
    pub fn tag(&self) -> Tag {
        match self {
            Kind::Alarm { .. } => Tag::Alarm,
            Kind::Flood { .. } => Tag::Flood,
            Kind::Chattering { .. } => Tag::Chattering,
            Kind::Connection { .. } => Tag::Connection,
            Kind::Birth => Tag::Birth,
            Kind::Death => Tag::Death,
            Kind::SceneReloaded { .. } => Tag::SceneReloaded,
            Kind::SceneEdited { .. } => Tag::SceneEdited,
            Kind::Gap { .. } => Tag::Gap,
            Kind::Command { .. } => Tag::Command,
            Kind::Plant { .. } => Tag::Plant,
            Kind::FaultSet { .. } => Tag::FaultSet,
            Kind::FaultCleared { .. } => Tag::FaultCleared,
            Kind::Note { .. } => Tag::Note,
            Kind::Bookmark { .. } => Tag::Bookmark,
        }
    }
}

/// All of what is given must hold; what is left empty lets everything through.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// One of these.
    pub tags: Vec<Tag>,
    /// About this twin.
    pub twin: Option<String>,
    /// Alarms of one of these; events that have no priority do not match then.
    pub priorities: Vec<Priority>,
    /// Each of these words occurs in some text of the event, whatever the case.
    pub text: String,
    /// Happened at or after, at or before.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        let Self { tags, twin, priorities, text, from, to } = self;
        let ends = from.is_none() && to.is_none();
        tags.is_empty() && twin.is_none() && priorities.is_empty() && text.trim().is_empty() && ends
    }

    /// Prepared for many events.
    pub fn matcher(&self) -> Matcher {
        Matcher { words: self.text.split_whitespace().map(str::to_lowercase).collect(), filter: self.clone() }
    }

    pub fn matches(&self, event: &Event) -> bool {
        self.matcher().matches(event)
    }
}

/// A [`Filter`] whose words are in lower case.
#[derive(Clone, Debug)]
pub struct Matcher {
    filter: Filter,
    words: Vec<String>,
}

impl Matcher {
    pub fn matches(&self, event: &Event) -> bool {
        let Filter { tags, twin, priorities, from, to, .. } = &self.filter;
        (tags.is_empty() || tags.contains(&event.kind.tag()))
            && twin.as_ref().is_none_or(|id| event.twin.as_ref() == Some(id))
            && (priorities.is_empty() || event.priority().is_some_and(|priority| priorities.contains(&priority)))
            && from.is_none_or(|from| event.time >= from)
            && to.is_none_or(|to| event.time <= to)
            && self.words.iter().all(|word| occurs(word, event))
    }
}

impl Event {
    /// Of the alarm that it is about.
    pub fn priority(&self) -> Option<Priority> {
        if let Kind::Alarm { priority, .. } = &self.kind { Some(*priority) } else { None }
    }
}

/// Whether a word in lower case stands in one of the texts that people see of an event.
fn occurs(word: &str, event: &Event) -> bool {
    let has = |text: &str| contains(text, word);
    let has_some = |text: &Option<String>| text.as_deref().is_some_and(has);
    let in_kind = match &event.kind {
        Kind::Alarm { alarm, broker, message, priority, .. } => {
            has(alarm) || has_some(broker) || has(message) || has(priority.name())
        }
        Kind::Flood { first, .. } => has(first),
        Kind::Chattering { alarm, broker, .. } => has(alarm) || has_some(broker),
        Kind::Connection { broker, state, error } => has(broker) || has(state) || has(error),
        Kind::SceneEdited { what, before, after } => has(what) || has(before) || has(after),
        Kind::Command { command, address, topic, payload, result, .. } => {
            has(command) || has(address) || has(topic) || has(payload) || has(result)
        }
        Kind::Plant { text } | Kind::Note { text } | Kind::Bookmark { text } => has(text),
        Kind::FaultSet { site, fault } => {
            has(site.name()) || has(&fault.id) || has(fault.kind().name) || has(&fault.on())
        }
        Kind::FaultCleared { site, fault, .. } => has(site.name()) || has(fault),
        Kind::Birth | Kind::Death | Kind::SceneReloaded { .. } | Kind::Gap { .. } => false,
    };
    in_kind || has_some(&event.twin) || has_some(&event.by) || has(&event.comment) || has(&event.action())
}

/// Whether `word`, in lower case, stands in `text`, in any case. Allocates only beyond ASCII.
fn contains(text: &str, word: &str) -> bool {
    if text.is_ascii() {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        return word.is_empty() || text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    }
    text.to_lowercase().contains(word)
}
