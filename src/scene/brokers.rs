//! Checks how brokers are reached. In: broker definitions. Out: [`Broker`]. Never connects, never reads a secret.

use std::path::Path;
use std::time::Duration;

use super::format::{BrokerDef, CredentialsDef, Size};
use super::report::{Hint, Report};
use super::resolved::{Broker, Credentials, Tls};
use super::span::Spanned;
use super::text;

const DEFAULT_MAX_PACKET: u64 = 1 << 20;
/// The largest packet that MQTT can express.
const MQTT_MAX_PACKET: u64 = 268_435_455;

pub(super) fn resolve(name: &str, def: &BrokerDef, dir: &Path, report: &mut Report) -> Broker {
    check_url(name, def, report);
    for filter in &def.subscribe {
        if let Some(fault) = text::filter_fault(filter) {
            let brief = format!("the topic filter {:?} {fault}", filter.value);
            report.error("bad-topic", filter.span, name, brief, Hint::NONE);
        }
    }
    if let Some(id) = def.client_id.as_ref().filter(|id| id.is_empty() || id.contains('\0')) {
        report.error(
            "bad-value",
            id.span,
            name,
            "client_id must not be empty",
            "leave it out for one of its own".into(),
        );
    }
    let qos = match &def.qos {
        Some(qos) if qos.value > 2 => {
            let brief = format!("qos is 0, 1 or 2, found {}", qos.value);
            report.error("bad-value", qos.span, name, brief, Hint::NONE);
            1
        }
        Some(qos) => qos.value as u8,
        None => 1,
    };
    Broker {
        url: def.url.value.clone(),
        version: def.version,
        client_id: def.client_id.as_ref().map(|id| id.value.clone()),
        subscribe: def.subscribe.iter().map(|filter| filter.value.clone()).collect(),
        qos,
        keep_alive: keep_alive(name, def.keep_alive.as_ref(), report),
        max_packet: max_packet(name, def.max_packet.as_ref(), report),
        credentials: def.credentials.as_ref().map(|credentials| credentials_of(name, credentials, dir, report)),
        tls: tls(name, def, dir, report),
        commands: def.commands.unwrap_or(false),
    }
}

fn check_url(name: &str, def: &BrokerDef, report: &mut Report) {
    let example = || Hint::from("write mqtt://host:1883, or mqtts://host:8883 for TLS");
    let span = def.url.span;
    // A host has no `@`, whether the rest can be parsed or not.
    if def.url.contains('@') {
        // The url itself is not repeated: messages end in logs.
        let way = r#"name where they are: credentials: Env(user: "PLANT_USER", password: "PLANT_PASSWORD")"#;
        return report.error("secret-in-scene", span, name, "the url holds a user or password", way.into());
    }
    let url = match url::Url::parse(&def.url) {
        Ok(url) => url,
        Err(error) => {
            return report.error("bad-url", span, name, format!("the url {:?}: {error}", def.url.value), example());
        }
    };
    if !matches!(url.scheme(), "mqtt" | "mqtts") {
        let brief = format!("the url has the scheme {:?}", url.scheme());
        report.error("bad-url", span, name, brief, example());
    } else if url.host_str().is_none_or(str::is_empty) {
        report.error("bad-url", span, name, format!("the url {:?} names no host", def.url.value), example());
    } else if url.port() == Some(0) {
        report.error("bad-url", span, name, "the url has port 0", example());
    } else if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        report.error("bad-url", span, name, "nothing may follow the port in the url", example());
    }
    if let Some(tls) = def.tls.as_ref().filter(|_| url.scheme() == "mqtt") {
        report.error("bad-tls", tls.span, name, "tls is given, but the url is not mqtts://", "write mqtts://".into());
    }
}

fn keep_alive(name: &str, given: Option<&Spanned<String>>, report: &mut Report) -> Duration {
    let fallback = Duration::from_secs(30);
    let Some(given) = given else { return fallback };
    match text::duration(given) {
        Ok(duration) if (1..=65_535).contains(&duration.as_secs()) => duration,
        Ok(_) => {
            let brief = format!("keep_alive is between 1 s and 65535 s, found {:?}", given.value);
            report.error("bad-duration", given.span, name, brief, Hint::NONE);
            fallback
        }
        Err(brief) => {
            report.error("bad-duration", given.span, name, format!("keep_alive: {brief}"), Hint::NONE);
            fallback
        }
    }
}

fn max_packet(name: &str, given: Option<&Spanned<Size>>, report: &mut Report) -> usize {
    let bytes = match given.map(|given| (&given.value, given.span)) {
        None => Ok(DEFAULT_MAX_PACKET),
        Some((Size::Bytes(bytes), _)) => Ok(*bytes),
        Some((Size::Text(text), _)) => text::size(text),
    };
    let checked = bytes.and_then(|bytes| match bytes {
        1024..=MQTT_MAX_PACKET => Ok(bytes),
        _ => Err(format!("max_packet is between 1 KiB and 256 MiB, found {bytes} bytes")),
    });
    let bytes = checked.unwrap_or_else(|brief| {
        report.error("bad-size", given.map(|given| given.span).unwrap_or_default(), name, brief, Hint::NONE);
        DEFAULT_MAX_PACKET
    });
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn credentials_of(name: &str, def: &CredentialsDef, dir: &Path, report: &mut Report) -> Credentials {
    match def {
        CredentialsDef::Env { user, password } => {
            for variable in [user, password] {
                // Small letters are refused because a login written here by mistake would end in messages as a name.
                let fine = |c: char| matches!(c, 'A'..='Z' | '0'..='9' | '_');
                if variable.is_empty() || !variable.chars().all(fine) {
                    let hint = "the value itself never stands in a scene";
                    let brief = "credentials: Env takes names of environment variables (capital letters, digits, `_`)";
                    report.error("bad-value", variable.span, name, brief, hint.into());
                }
            }
            Credentials::Env { user: user.value.clone(), password: password.value.clone() }
        }
        CredentialsDef::File(path) => Credentials::File(dir.join(&path.value)),
    }
}

fn tls(name: &str, def: &BrokerDef, dir: &Path, report: &mut Report) -> Tls {
    let Some(tls) = &def.tls else { return Tls::default() };
    if tls.certificate.is_some() != tls.key.is_some() {
        let brief = "tls: certificate and key belong together, one of them is missing";
        report.error("bad-tls", tls.span, name, brief, Hint::NONE);
    }
    let mut file = |given: &Option<Spanned<String>>| {
        let given = given.as_ref()?;
        let path = dir.join(&given.value);
        if !path.is_file() {
            let brief = format!("there is no file {}", path.display());
            report.warning("missing-file", given.span, name, brief, "paths start from the scene's folder".into());
        }
        Some(path)
    };
    Tls { ca: file(&tls.ca), certificate: file(&tls.certificate), key: file(&tls.key) }
}
