//! A sender that no broker slows down: accepts one MQTT 3.1.1 client, answers CONNECT and SUBSCRIBE, then publishes the
//! same block of QoS 0 messages as fast as the socket takes them. Loopback only, ends with its client.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Listens on a free loopback port; the flood lasts `length` from the subscription on.
pub fn start(
    messages: Vec<(String, String)>,
    length: Duration,
) -> io::Result<(SocketAddr, JoinHandle<io::Result<u64>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let thread = std::thread::Builder::new()
        .name("flood".into())
        .spawn(move || serve(listener.accept()?.0, &messages, length))?;
    Ok((address, thread))
}

/// Sends until the time is over or the client has gone; returns the number of messages sent.
fn serve(mut socket: TcpStream, messages: &[(String, String)], length: Duration) -> io::Result<u64> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let (kind, _) = read_packet(&mut socket)?;
    expect(kind, 0x10, "CONNECT")?;
    socket.write_all(&[0x20, 2, 0, 0])?;
    let (kind, body) = read_packet(&mut socket)?;
    expect(kind & 0xF0, 0x80, "SUBSCRIBE")?;
    let (Some(&id_high), Some(&id_low)) = (body.first(), body.get(1)) else {
        return Err(io::Error::other("SUBSCRIBE without packet id"));
    };
    socket.write_all(&[0x90, 3, id_high, id_low, 0])?;

    let block: Vec<u8> = messages.iter().flat_map(|(topic, payload)| publish_packet(topic, payload)).collect();
    let started = Instant::now();
    let mut sent = 0;
    while started.elapsed() < length {
        if socket.write_all(&block).is_err() {
            break;
        }
        sent += messages.len() as u64;
    }
    Ok(sent)
}

fn expect(found: u8, wanted: u8, name: &str) -> io::Result<()> {
    if found == wanted { Ok(()) } else { Err(io::Error::other(format!("expected {name}, got packet {found:#x}"))) }
}

/// Reads one control packet: its first byte and its body (MQTT 3.1.1, section 2.2).
fn read_packet(socket: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    socket.read_exact(&mut byte)?;
    let kind = byte[0];
    let (mut length, mut shift) = (0usize, 0);
    loop {
        socket.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7F) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
        if shift > 21 {
            return Err(io::Error::other("remaining length is malformed"));
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body)?;
    Ok((kind, body))
}

/// A QoS 0 PUBLISH packet (MQTT 3.1.1, section 3.3).
fn publish_packet(topic: &str, payload: &str) -> Vec<u8> {
    let mut length = 2 + topic.len() + payload.len();
    let mut packet = vec![0x30];
    loop {
        let byte = (length % 128) as u8;
        length /= 128;
        packet.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.extend(payload.as_bytes());
    packet
}
