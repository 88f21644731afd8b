//! Just enough of MQTT 3.1.1 to send and read packets by hand, for clients that misbehave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub struct Raw {
    stream: TcpStream,
}

impl Raw {
    /// Connects with keep-alive 30 s and a clean session; panics if the broker does not accept.
    pub fn connect(address: SocketAddr, id: &str) -> Self {
        let (raw, code) = Self::connect_as(address, id, None);
        assert_eq!(code, Some(0), "{id}: refused");
        raw
    }

    /// The second value is the return code of CONNACK, `None` if the connection was closed without one.
    pub fn connect_as(address: SocketAddr, id: &str, user: Option<(&str, &str)>) -> (Self, Option<u8>) {
        let mut raw = Self::open(address);
        let flags = if user.is_some() { 0b1100_0010 } else { 0b0000_0010 };
        let mut body = b"\x00\x04MQTT\x04".to_vec();
        body.extend([flags, 0, 30]);
        let (name, password) = user.unzip();
        for text in [Some(id), name, password].into_iter().flatten() {
            body.extend(string(text));
        }
        raw.send(&packet(0x10, &body));
        let code = raw.read().map(|(kind, body)| {
            assert_eq!((kind, body.len()), (0x20, 2), "not a CONNACK");
            body[1]
        });
        (raw, code)
    }

    /// Only the connection.
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the broker listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { stream }
    }

    pub fn subscribe(&mut self, filter: &str, qos: u8) {
        let mut body = vec![0, 1];
        body.extend(string(filter));
        body.push(qos);
        self.send(&packet(0x82, &body));
        assert_eq!(self.read(), Some((0x90, vec![0, 1, qos])), "SUBACK");
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the broker reads");
    }

    /// Whatever happens to it.
    pub fn throw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// First byte and body of the next packet; `None` when the connection was closed; panics when nothing comes.
    pub fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        self.try_read().unwrap_or_else(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => panic!("nothing came in time"),
            _ => None,
        })
    }

    pub fn within(self, limit: Duration) -> Self {
        self.stream.set_read_timeout(Some(limit)).unwrap();
        self
    }

    pub fn try_read(&mut self) -> std::io::Result<Option<(u8, Vec<u8>)>> {
        let mut byte = [0];
        if self.stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        let kind = byte[0];
        let (mut length, mut shift) = (0, 0);
        loop {
            self.stream.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            shift += 7;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Some((kind, body)))
    }
}

/// A PUBLISH of QoS 0, or of QoS 1 with packet identifier 1.
pub fn publish(topic: &str, payload: &[u8], qos: u8) -> Vec<u8> {
    let mut body = string(topic);
    if qos > 0 {
        body.extend([0, 1]);
    }
    body.extend(payload);
    packet(0x30 | qos << 1, &body)
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut rest = body.len();
    loop {
        let digit = (rest & 0x7f) as u8;
        rest >>= 7;
        bytes.push(if rest > 0 { digit | 0x80 } else { digit });
        if rest == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}
