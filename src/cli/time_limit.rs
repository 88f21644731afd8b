//! Durations on the command line: `10s`, `1h2m`, `250ms`.

use std::time::Duration;

/// Parses a duration for clap. Bare numbers are refused, since nobody knows their unit.
pub fn parse(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is not a duration; write it like 10s, 2m30s or 250ms"))?;
    Duration::try_from(span).map_err(|_| format!("`{text}` must not be negative"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("1h2m"), Ok(Duration::from_secs(3720)));
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn a_bare_number_or_a_negative_duration_is_refused_with_an_example() {
        assert!(parse("10").is_err_and(|e| e.contains("10s")));
        assert!(parse("-3s").is_err());
    }
}
