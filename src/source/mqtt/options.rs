//! Turns a broker of the scene into options of a connection, for the listener and the plant alike. In: the scene's
//! words, environment variables and files, read anew for each attempt. Out: [`Address`] once, [`Secrets`] per attempt.
//! Secrets never reach a log, a message or a debug print.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::{SourceError, tls};
use crate::scene::{Broker, Credentials, without_userinfo};

/// Where a broker listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::source) struct Address {
    pub host: String,
    pub port: u16,
    pub encrypted: bool,
}

impl Address {
    pub fn parse(url: &str) -> Result<Self, SourceError> {
        let bad = |reason: String| SourceError::BadUrl { url: without_userinfo(url), reason };
        let parsed = url::Url::parse(url).map_err(|error| bad(error.to_string()))?;
        let encrypted = match parsed.scheme() {
            "mqtt" | "tcp" => false,
            "mqtts" | "ssl" => true,
            other => return Err(bad(format!("the scheme `{other}` is not `mqtt` or `mqtts`"))),
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(bad(
                "it holds a user or password: name environment variables or a file in `credentials`".into()
            ));
        }
        let host = parsed.host_str().unwrap_or_default();
        if host.is_empty() {
            return Err(bad("it names no host".into()));
        }
        if !matches!(parsed.path(), "" | "/") || parsed.query().is_some() {
            return Err(bad("nothing may follow the port".into()));
        }
        let port = parsed.port().unwrap_or(if encrypted { 8883 } else { 1883 });
        Ok(Self { host: host.to_owned(), port, encrypted })
    }

    /// Whether it is on this machine.
    pub fn is_here(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// User and password, in memory only while a connection is made.
pub(super) struct Login {
    pub user: String,
    pub password: String,
}

/// What proves who we are, and whom we trust; in memory only while a connection is made.
#[derive(Default)]
pub(super) struct Secrets {
    pub login: Option<Login>,
    /// Without it the connection is not encrypted.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Secrets {
    /// Reads them where the scene says they are; the error is a sentence with a way out.
    pub fn read(address: &Address, broker: &Broker) -> Result<Self, String> {
        let login = broker.credentials.as_ref().map(login).transpose()?;
        let tls = address.encrypted.then(|| tls::client_config(&broker.tls)).transpose()?;
        Ok(Self { login, tls })
    }
}

fn login(credentials: &Credentials) -> Result<Login, String> {
    match credentials {
        Credentials::Env { user, password } => {
            let read = |name: &str| {
                std::env::var(name).map_err(|_| {
                    format!(
                        "the environment variable {name}, which the scene names for credentials, is not set: set it"
                    )
                })
            };
            Ok(Login { user: read(user)?, password: read(password)? })
        }
        Credentials::File(path) => from_file(path),
    }
}

fn from_file(path: &Path) -> Result<Login, String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| format!("the credentials file {shown} cannot be read: {error}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(format!(
                "the credentials file {shown} can be read by others (mode {:03o}): run `chmod 600` on it",
                mode & 0o777
            ));
        }
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some(user), Some(password)) if !user.is_empty() => {
            Ok(Login { user: user.to_owned(), password: password.to_owned() })
        }
        _ => Err(format!("the credentials file {shown} must hold two lines: user, then password")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_default_by_scheme() {
        for (url, shown) in [
            ("mqtt://localhost", "mqtt://localhost:1883"),
            ("mqtts://broker.example", "mqtts://broker.example:8883"),
            ("tcp://10.0.0.1:1884/", "mqtt://10.0.0.1:1884"),
            ("mqtt://[::1]:1883", "mqtt://[::1]:1883"),
        ] {
            assert_eq!(Address::parse(url).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn bad_addresses_name_the_rule_and_never_the_password() {
        let check = |url: &str, part: &str| {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        };
        check("localhost:1883", "scheme");
        check("http://localhost", "scheme");
        check("mqtt://", "host");
        check("mqtt://me:s3cret@localhost", "credentials");
        check("mqtt://me:s3cret@local host", "mqtt://…@local host");
        check("me:s3cret@localhost:1883", "…@localhost:1883");
        check("mqtt://localhost/topic", "nothing may follow");
    }

    #[cfg(unix)]
    #[test]
    fn a_credentials_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("login");
        std::fs::write(&path, "operator\nsecret\n").unwrap();
        let with_mode = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            login(&Credentials::File(path.clone()))
        };
        assert!(with_mode(0o644).err().unwrap().contains("chmod 600"));
        let login = with_mode(0o600).ok().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("operator", "secret"));
    }

    #[test]
    fn missing_credentials_name_the_variable() {
        let missing =
            Credentials::Env { user: "POLLUX_TEST_NO_USER".into(), password: "POLLUX_TEST_NO_PASSWORD".into() };
        assert!(login(&missing).err().unwrap().contains("POLLUX_TEST_NO_USER"));
    }
}
