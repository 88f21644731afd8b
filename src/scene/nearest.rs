//! Finds what someone probably meant. In: a misspelt name and the known ones. Out: the nearest, if any is near.

/// The known name with the fewest edits, if these are few for its length. The first one wins where several are equal.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let len = name.chars().count();
    let allowed = 1 + len / 3;
    let lower = name.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        // The difference in length is a lower bound for the number of edits: cheap to rule out most.
        if candidate.chars().count().abs_diff(len) > allowed {
            continue;
        }
        let edits = if candidate.to_lowercase() == lower { 0 } else { strsim::osa_distance(name, candidate) };
        if edits <= allowed && best.is_none_or(|(least, _)| edits < least) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_finds_the_name_that_was_meant() {
        assert_eq!(nearest("unti", ["topic", "unit", "json"]), Some("unit"));
        assert_eq!(nearest("PUMP", ["Tank", "Pump"]), Some("Pump"));
        assert_eq!(nearest("colour", ["unit", "json"]), None);
    }
}
