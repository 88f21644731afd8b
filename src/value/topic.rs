//! MQTT topics and filters. In: filters with the wildcards `+` and `#`. Out: which topics they match, what is wrong with
//! them. Pure.
//!
//! Rules: MQTT 3.1.1 and 5, section 4.7. `#` matches its parent level too; wildcards at the first level do not match
//! topics that start with `$`.

/// Whether `topic` (without wildcards) matches `filter`.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    covers(filter, topic)
}

/// Whether every topic that `narrow` matches is matched by `wide` too (`$` topics aside).
pub fn covers(wide: &str, narrow: &str) -> bool {
    let mut narrow = narrow.split('/');
    for level in wide.split('/') {
        if level == "#" {
            return true;
        }
        match narrow.next() {
            None | Some("#") => return false,
            Some(_) if level == "+" => {}
            Some(other) if other == level => {}
            Some(_) => return false,
        }
    }
    narrow.next().is_none()
}

/// What breaks the rules for topic filters.
pub fn filter_fault(filter: &str) -> Option<&'static str> {
    if filter.is_empty() {
        return Some("is empty");
    }
    if filter.len() > 65_535 {
        return Some("is longer than 65,535 bytes");
    }
    if filter.contains('\0') {
        return Some("holds the character NUL");
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.contains('#') && (level != "#" || levels.peek().is_some()) {
            return Some("has a `#` that is not a whole level at the end");
        }
        if level.contains('+') && level != "+" {
            return Some("has a `+` that is not a whole level");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_with_a_wildcard_in_the_wrong_place_is_found() {
        for good in ["a", "/", "a/+/b", "+", "#", "a/#", "+/+/#", "$SYS/#"] {
            assert_eq!(filter_fault(good), None, "{good}");
        }
        for bad in ["", "a#", "#/a", "a/b+", "a/+b/c", "a\0"] {
            assert!(filter_fault(bad).is_some(), "{bad:?}");
        }
    }
}
