//! Says in plain sentences why a connection failed. In: rumqttc's errors. Out: cause, way out, and whether a quick
//! second try makes sense.

use std::io;

use rumqttc::{TlsError, v5};

/// The end of a connection, or of an attempt to make one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    pub kind: Kind,
    /// Cause and way out: continues the sentence "`address`: …".
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// May pass by itself.
    Passing,
    /// Stays until a person changes something: login, certificate, file.
    Standing,
    /// The broker ended it, or went away.
    Closed,
    /// The broker says that another client has taken over the client id.
    TakenOver,
    /// What came is no MQTT. The standard asks to end the connection then.
    Malformed,
    /// We asked for it.
    Stopped,
}

impl Failure {
    pub fn stopped() -> Self {
        Self { kind: Kind::Stopped, text: "stopped".to_owned() }
    }

    pub fn standing(text: String) -> Self {
        Self { kind: Kind::Standing, text }
    }

    fn passing(text: impl Into<String>) -> Self {
        Self { kind: Kind::Passing, text: text.into() }
    }
}

pub(super) fn from_v3(error: &rumqttc::ConnectionError) -> Failure {
    use rumqttc::{ConnectReturnCode as Code, ConnectionError as E, StateError as S};
    match error {
        E::Io(error) => from_io(error),
        E::Tls(error) => from_tls(error),
        E::NetworkTimeout | E::FlushTimeout => timeout(),
        E::ConnectionRefused(Code::BadUserNamePassword | Code::NotAuthorized) => login_refused(),
        E::ConnectionRefused(Code::RefusedProtocolVersion) => version_refused("3.1.1"),
        E::ConnectionRefused(Code::BadClientId) => client_id_refused(),
        E::ConnectionRefused(code) => Failure::passing(format!("the broker refused the connection ({code:?})")),
        E::MqttState(S::Io(error)) => from_io(error),
        E::MqttState(S::Deserialization(rumqttc::Error::Io(error))) => from_io(error),
        E::MqttState(S::ConnectionAborted) => closed(),
        E::MqttState(S::AwaitPingResp) => silent(),
        E::MqttState(error) => garbage(error),
        other => Failure::passing(other.to_string()),
    }
}

pub(super) fn from_v5(error: &v5::ConnectionError) -> Failure {
    use v5::mqttbytes::Error as M;
    use v5::mqttbytes::v5::{ConnectReturnCode as Code, DisconnectReasonCode};
    use v5::{ConnectionError as E, StateError as S};
    match error {
        E::Io(error) => from_io(error),
        E::Tls(error) => from_tls(error),
        E::Timeout(_) => timeout(),
        E::ConnectionRefused(Code::BadUserNamePassword | Code::NotAuthorized | Code::BadAuthenticationMethod) => {
            login_refused()
        }
        E::ConnectionRefused(Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion) => version_refused("5"),
        E::ConnectionRefused(Code::BadClientId | Code::ClientIdentifierNotValid) => client_id_refused(),
        E::ConnectionRefused(code) => Failure::passing(format!("the broker refused the connection ({code:?})")),
        E::MqttState(S::ServerDisconnect { reason_code: DisconnectReasonCode::SessionTakenOver, .. }) => {
            Failure { kind: Kind::TakenOver, text: "the broker ended the connection".to_owned() }
        }
        E::MqttState(S::ServerDisconnect { reason_code, reason_string }) => {
            let why = reason_string.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            Failure::passing(format!("the broker ended the connection ({reason_code:?}{why})"))
        }
        E::MqttState(S::Io(error)) => from_io(error),
        E::MqttState(S::Deserialization(M::Io(error))) => from_io(error),
        E::MqttState(S::ConnectionAborted) => closed(),
        E::MqttState(S::AwaitPingResp) => silent(),
        E::MqttState(error) => garbage(error),
        other => Failure::passing(other.to_string()),
    }
}

fn from_tls(error: &TlsError) -> Failure {
    match error {
        TlsError::Io(error) => from_io(error),
        TlsError::TLS(error) => from_rustls(error),
        TlsError::DNSName(_) => Failure::standing("the host is no name or address that a certificate can hold".into()),
        other => Failure::standing(format!("TLS failed: {other}")),
    }
}

fn from_rustls(error: &rustls::Error) -> Failure {
    use rustls::{AlertDescription as Alert, CertificateError as C, Error as E};
    match error {
        E::InvalidCertificate(C::UnknownIssuer) => Failure::standing(
            "the broker's certificate is untrusted (unknown issuer): name the authority's PEM file in `tls.ca`".into(),
        ),
        E::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            Failure::standing("the broker's certificate has expired: renew it".into())
        }
        E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => Failure::standing(
            "the broker's certificate is for another host name: use the name that it was issued for".into(),
        ),
        E::InvalidCertificate(why) => Failure::standing(format!("the broker's certificate is untrusted: {why}")),
        E::AlertReceived(Alert::CertificateRequired | Alert::BadCertificate | Alert::HandshakeFailure) => {
            Failure::standing(
                "the broker asks for a client certificate that it trusts: set `tls.certificate` and `tls.key`".into(),
            )
        }
        E::AlertReceived(alert) => Failure::standing(format!("the broker refused the TLS connection ({alert:?})")),
        E::InvalidMessage(_) => {
            Failure::standing("the answer is not TLS: check the port, or use `mqtt://` instead of `mqtts://`".into())
        }
        other => Failure::standing(format!("TLS failed: {other}")),
    }
}

fn from_io(error: &io::Error) -> Failure {
    if let Some(inner) = error.get_ref() {
        // TLS errors come wrapped, sometimes twice.
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return from_rustls(tls);
        }
        if let Some(nested) = inner.downcast_ref::<io::Error>() {
            return from_io(nested);
        }
        if let Some(tls) = inner.source().and_then(|source| source.downcast_ref::<rustls::Error>()) {
            return from_rustls(tls);
        }
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Failure::passing("nothing listens there (connection refused): start the broker or check host and port")
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => closed(),
        io::ErrorKind::UnexpectedEof => closed(),
        io::ErrorKind::TimedOut => timeout(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Failure::passing("the host cannot be reached: check the network")
        }
        // The standard library has no stable kind for it.
        _ if error.to_string().contains("lookup address") => {
            Failure::passing("the host name cannot be found: check its spelling and the name service")
        }
        _ => Failure::passing(format!("the network failed: {error}")),
    }
}

fn timeout() -> Failure {
    Failure::passing("no answer in time: check host, port and firewall, and that an MQTT broker listens there")
}

fn closed() -> Failure {
    Failure { kind: Kind::Closed, text: "the connection was closed by the broker, or the broker went away".to_owned() }
}

fn silent() -> Failure {
    Failure::passing("the broker did not answer within the keep-alive time")
}

fn login_refused() -> Failure {
    Failure::standing("the broker refused user or password: check the credentials that the scene names".into())
}

fn version_refused(version: &str) -> Failure {
    Failure::standing(format!("the broker does not speak MQTT {version}: set another `version` in the scene"))
}

fn client_id_refused() -> Failure {
    Failure::standing("the broker refused the client id: set another `client_id` in the scene, or none".into())
}

fn garbage(error: &dyn std::fmt::Display) -> Failure {
    let text = format!("the connection broke the protocol ({error}): check that an MQTT broker listens there");
    Failure { kind: Kind::Malformed, text }
}
