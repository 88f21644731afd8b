//! A broker that sends what is no MQTT, played by a script over TCP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use pollux::source::ConnectionState;
use pollux::value::Value;

use crate::broker::raw;
use crate::mosquitto::scene::{self, FLOW, Probe, broker};

/// Accepts a client: CONNECT and CONNACK, SUBSCRIBE and SUBACK for the three filters of the scene.
fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    packet(&mut stream);
    stream.write_all(&[0x20, 2, 0, 0]).unwrap();
    let id = packet(&mut stream);
    stream.write_all(&[0x90, 5, id[0], id[1], 0, 0, 0]).unwrap();
    stream
}

/// The body of the next packet, shorter than 128 bytes.
pub fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut body = vec![0; usize::from(head[1])];
    stream.read_exact(&mut body).unwrap();
    body
}

#[test]
fn a_malformed_packet_is_told_with_what_came_last_and_the_next_connection_goes_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let script = std::thread::spawn(move || {
        let telemetry = |payload: &str| raw::publish("hall/P-101/telemetry", payload.as_bytes(), 0);
        let mut first = accept(&listener);
        first.write_all(&telemetry(r#"{"flow": 1}"#)).unwrap();
        // A packet of kind 0, which is reserved.
        first.write_all(&[0x00, 0x02, 0xff, 0xff]).unwrap();
        let mut second = accept(&listener);
        second.write_all(&telemetry(r#"{"flow": 2}"#)).unwrap();
        // A topic that is not UTF-8.
        second.write_all(&[0x30, 0x05, 0x00, 0x02, 0xff, 0xfe, b'1']).unwrap();
        let mut third = accept(&listener);
        third.write_all(&telemetry(r#"{"flow": 3}"#)).unwrap();
        third
    });
    let mut probe = Probe::start(&scene::scene(broker(&url)));
    for n in 0..3 {
        assert_eq!(probe.sample(FLOW, n).value, Value::Number(n as f64 + 1.0));
    }
    let stream = script.join().unwrap();
    probe.wait_for("the third connection", |_, status| {
        status.state == ConnectionState::Connected && status.reconnects == 2
    });
    let status = probe.status();
    assert_eq!((status.dropped, status.received), (2, 3), "{status:?}");
    let problem = status.problems.iter().find(|problem| problem.topic == "(malformed packets)").unwrap();
    assert_eq!(problem.count, 2);
    let said = "the message before was on `hall/P-101/telemetry` (11 bytes); a new connection is made";
    assert!(problem.last_error.contains(said), "{problem:?}");
    drop(stream);
}
