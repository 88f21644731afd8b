//! Decides who may connect. In: names and passwords of clients. Out: let in or not. It never logs, shows or stores a
//! password, and knows no rights per topic: who may connect may publish and subscribe to everything.

use std::fmt;
use std::future::{Future, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use mqtt5::broker::{AuthProvider, AuthResult};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;

/// What a wrong guess costs, so that guessing many takes long; a client with the right password never waits.
const WRONG_GUESS: Duration = Duration::from_millis(250);

/// A name and password that the embedded broker accepts.
#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub password: Password,
}

/// A password: `Debug` shows none of it.
#[derive(Clone)]
pub struct Password(Vec<u8>);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes as long for a guess that is right at the start as for one that is wrong everywhere.
    fn is(&self, guess: &[u8]) -> bool {
        let differences = guess.iter().enumerate().fold(0_u8, |sum, (at, byte)| {
            sum | (byte ^ self.0.get(at % self.0.len().max(1)).copied().unwrap_or_default())
        });
        std::hint::black_box(differences) == 0 && guess.len() == self.0.len()
    }
}

/// The users of one broker; without any, everyone is let in.
pub(super) struct Guests(pub(super) Vec<User>);

impl Guests {
    fn knows(&self, name: Option<&str>, password: Option<&[u8]>) -> bool {
        self.0.iter().any(|user| Some(user.name.as_str()) == name && password.is_some_and(|it| user.password.is(it)))
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl AuthProvider for Guests {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        _client: SocketAddr,
    ) -> Boxed<'a, mqtt5::Result<AuthResult>> {
        Box::pin(async move {
            if self.0.is_empty() {
                return Ok(AuthResult::success());
            }
            let name = connect.username.as_deref();
            if self.knows(name, connect.password.as_deref()) {
                return Ok(AuthResult::success_with_user(name.unwrap_or_default()));
            }
            tokio::time::sleep(WRONG_GUESS).await;
            Ok(AuthResult::fail(ReasonCode::BadUsernameOrPassword))
        })
    }

    fn authorize_publish<'a>(&'a self, _id: &str, _user: Option<&'a str>, _topic: &'a str) -> Boxed<'a, bool> {
        Box::pin(ready(true))
    }

    fn authorize_subscribe<'a>(&'a self, _id: &str, _user: Option<&'a str>, _filter: &'a str) -> Boxed<'a, bool> {
        Box::pin(ready(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_the_right_user_is_accepted() {
        let user = |name: &str, password: &str| User { name: name.into(), password: password.to_owned().into() };
        let guests = Guests(vec![user("anna", "abab"), user("bert", "q")]);
        assert!(guests.knows(Some("anna"), Some(b"abab")));
        assert!(guests.knows(Some("bert"), Some(b"q")));
        // "ab" and "ababab" repeat the right bytes, which a comparison by position alone would accept.
        for wrong in ["", "a", "ab", "abac", "ababa", "ababab", "q"] {
            assert!(!guests.knows(Some("anna"), Some(wrong.as_bytes())), "{wrong:?}");
        }
        assert!(!guests.knows(Some("carl"), Some(b"q")));
        assert!(!guests.knows(Some("anna"), None));
        assert!(!guests.knows(None, Some(b"abab")));
    }
}
