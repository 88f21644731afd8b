//! Keeps secrets out of messages, where a scene or a command line holds one although it must not. In: a line of a file,
//! an address. Out: whether the line may be shown, the address without user and password. Messages end in logs, so
//! doubt counts as a secret.

/// Fields that hold a secret if they hold a text; also where they are not known to the format.
pub(super) const FIELDS: [&str; 6] = ["password", "passwd", "user", "username", "token", "secret"];

/// Whether a line may hold a secret: an address with user and password, or one of [`FIELDS`] with a value that is no
/// name of an environment variable. Works on text that is no valid scene.
pub(super) fn is_in(line: &str) -> bool {
    has_userinfo(line) || FIELDS.iter().chain(&["credentials"]).any(|field| has_text(line, field))
}

/// An `@` after a `:` within one text.
fn has_userinfo(line: &str) -> bool {
    line.match_indices('@').any(|(at, _)| {
        let before = line.get(..at).unwrap_or("");
        before.rsplit('"').next().is_some_and(|text| text.contains(':'))
    })
}

/// `field: value`, where the value is neither in brackets nor a name in capitals.
fn has_text(line: &str, field: &str) -> bool {
    line.match_indices(field).any(|(at, _)| {
        let is_part = line.get(..at).is_some_and(|before| before.ends_with(|c: char| c == '_' || c.is_alphanumeric()));
        let after = line.get(at + field.len()..).unwrap_or("").trim_start_matches('"').trim_start();
        let Some(value) = after.strip_prefix(':').filter(|_| !is_part) else { return false };
        let value = value.trim_start();
        let (text, quoted) = match value.strip_prefix('"') {
            Some(inner) => (inner.split('"').next().unwrap_or(inner), true),
            None => (value.split([',', ')', '}', '(']).next().unwrap_or(value).trim_end(), false),
        };
        // `credentials: Env(…)` and the like: what stands in the brackets is looked at by itself.
        let opens = !quoted && value.get(text.len()..).is_some_and(|rest| rest.starts_with('('));
        !opens && !text.is_empty() && !text.chars().all(|c| matches!(c, 'A'..='Z' | '0'..='9' | '_'))
    })
}

/// An address that may be shown: what stands before an `@` is left out.
pub fn without_userinfo(url: &str) -> String {
    let Some(at) = url.rfind('@') else { return url.to_owned() };
    let start = url.find("://").map(|scheme| scheme + 3).filter(|start| *start <= at).unwrap_or(0);
    format!("{}…{}", url.get(..start).unwrap_or(""), url.get(at..).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_a_secret_are_known_even_where_they_are_no_valid_scene() {
        for line in [
            r#"brokers: {"plant": (url: "mqtt://localhost" password: "geheim")},"#,
            r#"password: "geheim"#,
            "password: geheim",
            r#""password" : "geheim","#,
            r#"url: "mqtt://anna:ge heim@local host","#,
            r#"url: "anna:geheim@localhost","#,
            r#"credentials: Env(user: "PLANT_USER", password: "ge-heim")"#,
            r#"credentials: "anna:geheim","#,
        ] {
            assert!(is_in(line), "{line}");
        }
    }

    #[test]
    fn lines_that_only_name_where_a_secret_is_may_be_shown() {
        for line in [
            r#"credentials: Env(user: "PLANT_USER", password: "PLANT_PASSWORD")"#,
            r#"credentials: File("plant.login"), qos: 3"#,
            r#""token": (topic: "hall/{id}/token", raw: Text),"#,
            r#"(id: "P-101", type: "Pump", at: (4, 0, 2)),"#,
        ] {
            assert!(!is_in(line), "{line}");
        }
    }

    #[test]
    fn addresses_are_shown_without_what_stands_before_the_host() {
        assert_eq!(without_userinfo("mqtt://localhost:1883"), "mqtt://localhost:1883");
        assert_eq!(without_userinfo("mqtt://me:s3@cret@localhost"), "mqtt://…@localhost");
        assert_eq!(without_userinfo("me:s3cret@localhost"), "…@localhost");
        assert_eq!(without_userinfo("me:s3cret@http://x"), "…@http://x");
    }
}
