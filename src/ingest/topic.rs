//! MQTT topics and filters. In: filters with the wildcards `+` and `#`. Out: which of them a topic matches.
//!
//! Rules: MQTT 3.1.1 and 5, section 4.7. `#` matches its parent level too; wildcards at the first level do not match
//! topics that start with `$`.

use bevy::platform::collections::HashMap;

pub use crate::value::topic::{covers, matches};

pub(super) fn has_wildcard(filter: &str) -> bool {
    filter.bytes().any(|byte| byte == b'+' || byte == b'#')
}

/// Filters with wildcards by their levels, each with a number of the caller's.
#[derive(Debug, Default)]
pub(super) struct FilterTrie {
    root: Level,
}

#[derive(Debug, Default)]
struct Level {
    named: HashMap<Box<str>, Level>,
    any: Option<Box<Level>>,
    /// Of a filter that ends here.
    exact: Option<u32>,
    /// Of a filter that ends here with `#`.
    rest: Option<u32>,
}

impl FilterTrie {
    pub fn insert(&mut self, filter: &str, number: u32) {
        let mut level = &mut self.root;
        for part in filter.split('/') {
            match part {
                "#" => {
                    level.rest = Some(number);
                    return;
                }
                "+" => level = level.any.get_or_insert_default(),
                name => level = level.named.entry(name.into()).or_default(),
            }
        }
        level.exact = Some(number);
    }

    pub fn is_empty(&self) -> bool {
        self.root.named.is_empty() && self.root.any.is_none() && self.root.rest.is_none()
    }

    /// Calls `found` with the number of every filter that `topic` matches.
    pub fn for_each_match(&self, topic: &str, found: &mut impl FnMut(u32)) {
        if topic.starts_with('$') {
            let (first, rest) = split(topic);
            if let Some(level) = self.root.named.get(first) {
                descend(level, rest, found);
            }
        } else {
            descend(&self.root, Some(topic), found);
        }
    }
}

fn split(topic: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'/', topic.as_bytes()) {
        Some(at) => (&topic[..at], Some(&topic[at + 1..])),
        None => (topic, None),
    }
}

/// `topic` is what is left below `level`: none if the topic ends at it. As deep as the longest filter, not the topic.
fn descend(level: &Level, topic: Option<&str>, found: &mut impl FnMut(u32)) {
    if let Some(number) = level.rest {
        found(number);
    }
    let Some(topic) = topic else {
        if let Some(number) = level.exact {
            found(number);
        }
        return;
    };
    let (first, rest) = split(topic);
    if let Some(next) = level.named.get(first) {
        descend(next, rest, found);
    }
    if let Some(next) = &level.any {
        descend(next, rest, found);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The standard's definition, level by level, by recursion.
    fn naive(filter: &[&str], topic: &[&str]) -> bool {
        match (filter, topic) {
            (["#"], _) => true,
            ([], []) => true,
            (["+", filter @ ..], [_, topic @ ..]) => naive(filter, topic),
            ([a, filter @ ..], [b, topic @ ..]) if a == b => naive(filter, topic),
            _ => false,
        }
    }

    fn naive_matches(filter: &str, topic: &str) -> bool {
        let filter: Vec<_> = filter.split('/').collect();
        let topic: Vec<_> = topic.split('/').collect();
        !(topic[0].starts_with('$') && (filter[0] == "+" || filter[0] == "#")) && naive(&filter, &topic)
    }

    #[test]
    fn the_examples_of_the_standard_hold() {
        assert!(matches("sport/tennis/player1/#", "sport/tennis/player1"));
        assert!(matches("sport/#", "sport"));
        assert!(matches("+/+", "/finance"));
        assert!(matches("/+", "/finance"));
        assert!(!matches("+", "/finance"));
        assert!(!matches("sport/+", "sport"));
        assert!(!matches("#", "$SYS/uptime"));
        assert!(!matches("+/monitor/Clients", "$SYS/monitor/Clients"));
        assert!(matches("$SYS/#", "$SYS/uptime"));
        assert!(covers("a/#", "a/+/c"));
        assert!(!covers("a/+", "a/#"));
    }

    proptest! {
        #[test]
        fn routing_equals_the_definition_of_the_standard(
            filters in prop::collection::vec("(a|b|\\+|\\$x|)(/(a|b|\\+|)){0,3}(/#)?|#", 1..8),
            topic in "(a|b|\\$x|)(/(a|b|)){0,4}",
        ) {
            let mut trie = FilterTrie::default();
            let mut unique = filters.clone();
            unique.sort();
            unique.dedup();
            for (number, filter) in unique.iter().enumerate() {
                trie.insert(filter, number as u32);
            }
            let mut found = Vec::new();
            trie.for_each_match(&topic, &mut |number| found.push(unique[number as usize].clone()));
            found.sort();
            let expected: Vec<_> = unique.iter().filter(|filter| naive_matches(filter, &topic)).cloned().collect();
            prop_assert_eq!(&found, &expected);
            for filter in &unique {
                prop_assert_eq!(matches(filter, &topic), naive_matches(filter, &topic));
            }
        }

        #[test]
        fn a_covering_filter_matches_all_that_the_covered_one_matches(
            wide in "(a|b|\\+)(/(a|b|\\+)){0,3}(/#)?|#",
            narrow in "(a|b|\\+)(/(a|b|\\+)){0,3}(/#)?|#",
            topic in "(a|b|c)(/(a|b|c)){0,4}",
        ) {
            prop_assume!(covers(&wide, &narrow) && matches(&narrow, &topic));
            prop_assert!(matches(&wide, &topic));
        }
    }
}
