//! The stage of one case of [`brokers`](super::brokers): its folder, its broker, and the program that runs there.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use pollux::value::Timestamp;

use super::brokers::{Live, Payload, Peer};
use super::folder_of;
use crate::broker::raw::{self, Raw};
use crate::live::program::{Program, pollux, wait_for};
use crate::malformed::packet;
use crate::support::Mosquitto;

/// A case that runs.
pub struct Stage {
    pub folder: tempfile::TempDir,
    pub server: Option<Mosquitto>,
    pub url: String,
    qos: u8,
    /// Whole seconds.
    began: Timestamp,
    _script: Option<JoinHandle<()>>,
}

impl Stage {
    pub fn new(case: &Live) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut server, mut script) = (None, None);
        let url = match case.peer {
            Peer::Mosquitto(more) => {
                let more = more.replace("<folder>", &folder_of(case.name).display().to_string());
                let started = Mosquitto::start_with(|_| format!("allow_anonymous true\nlog_type all\n{more}\n"));
                server.insert(started.expect("mosquitto is there")).url()
            }
            Peer::Refusing => {
                let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
                let url = format!("mqtt://{}", listener.local_addr().expect("an address"));
                script = Some(std::thread::spawn(move || refuse(&listener)));
                url
            }
            // A port that was free a moment ago, below those that the system gives away.
            Peer::Nobody => {
                let mut server = Mosquitto::start().expect("mosquitto is there");
                server.kill();
                server.url()
            }
        };
        let text = std::fs::read_to_string(folder_of(case.name).join("scene.ron")).expect("a scene");
        // The broker's log tells what was acknowledged, of the second scene of a case alike.
        let qos = if text.contains("qos: 2") { 2 } else { 1 };
        let address = format!("url: \"{url}\"{}", if qos == 2 { "" } else { ", qos: 1" });
        let text = text.replace("url: \"mqtt://127.0.0.1:1\"", &address);
        std::fs::write(folder.path().join("scene.ron"), text).expect("a scene");
        let began = Timestamp(Timestamp::now().0 / 1_000_000_000 * 1_000_000_000);
        Self { folder, server, url, qos, began, _script: script }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn start(&self, name: &str) -> Program {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = pollux();
        command.arg("live").arg(self.file("scene.ron")).args(["--headless", "-v", "--no-store", "--for", "2m"]);
        command.arg("--state").arg(folder.path().join("state.json"));
        command.arg("--record").arg(self.file(&format!("{name}.mcap")));
        command.arg("--events").arg(self.file(&format!("{name}.jsonl")));
        Program::start(command, folder)
    }

    pub fn events(&self) -> String {
        std::fs::read_to_string(self.file("out.jsonl")).unwrap_or_default()
    }

    pub fn log(&self) -> String {
        self.server.as_ref().map(Mosquitto::log).unwrap_or_default()
    }

    pub fn client(&self) -> Raw {
        let port = self.server.as_ref().expect("a broker to publish to").port;
        Raw::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "sender")
    }

    pub fn publish(&self, topic: &str, payload: &Payload, retain: bool) {
        let mut client = self.client();
        match payload {
            Payload::Text(text) => send(&mut client, topic, self.times(text).as_bytes(), self.qos, retain),
            Payload::Bytes(bytes) => send(&mut client, topic, bytes, self.qos, retain),
            Payload::Repeat(byte, count) => send(&mut client, topic, &vec![*byte; *count], self.qos, retain),
            Payload::Numbered(count) => {
                for n in 0..*count {
                    let packet = raw::publish(&format!("{topic}{n}"), n.to_string().as_bytes(), 0);
                    client.send(&kept(packet, retain));
                }
                // The broker answers it after it has taken all before it.
                send(&mut client, &format!("{topic}end"), b"1", 1, retain);
            }
        }
    }

    /// Puts times in their places.
    fn times(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, (name, behind))) =
            rest.split_once('<').and_then(|(before, rest)| Some((before, rest.split_once('>')?)))
        {
            let now = Timestamp::now().0;
            let time = match name {
                "clock" => format!("{}.{:09}", now / 1_000_000_000, now % 1_000_000_000),
                name => (self.moment(name).0 / 1_000_000_000).to_string(),
            };
            out.extend([before, &time]);
            rest = behind;
        }
        out + rest
    }

    pub fn moment(&self, text: &str) -> Timestamp {
        let Some(secs) = text.strip_prefix("now") else {
            return Timestamp::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is no time"));
        };
        Timestamp(self.began.0 + secs.parse::<i64>().unwrap_or(0) * 1_000_000_000)
    }

    /// Until the program has acknowledged all that the broker sent it.
    pub fn all_heard(&self) {
        let count = |line: &&str, what: &str| line.contains(what) && !line.contains(", q0, ");
        let is_heard = || {
            let log = self.log();
            let lines = |what: &str| log.lines().filter(|line| count(line, what)).count();
            let heard = lines("Received PUBACK from pollux") + lines("Received PUBCOMP from pollux");
            let sent = lines("Sending PUBLISH to pollux");
            (heard >= sent).then_some(())
        };
        wait_for(is_heard, || format!("not all was acknowledged: {}", self.log()));
    }

    pub fn awaits(&self, event: &str) {
        let is_there = || self.events().contains(event).then_some(());
        wait_for(is_there, || format!("no event has `{event}`: {}", self.events()));
    }
}

fn kept(mut packet: Vec<u8>, retain: bool) -> Vec<u8> {
    packet[0] |= u8::from(retain);
    packet
}

/// Publishes one message, and waits until the broker has it.
pub fn send(client: &mut Raw, topic: &str, payload: &[u8], qos: u8, retain: bool) {
    client.send(&kept(raw::publish(topic, payload, qos), retain));
    let answer = client.read();
    if qos == 1 {
        assert_eq!(answer, Some((0x40, vec![0, 1])), "PUBACK");
    } else {
        assert_eq!(answer, Some((0x50, vec![0, 1])), "PUBREC");
        client.send(&[0x62, 2, 0, 1]);
        assert_eq!(client.read(), Some((0x70, vec![0, 1])), "PUBCOMP");
    }
}

/// A broker that grants all subscriptions but the one to `P/t`, sends 7 on `P/r`, and waits for the end.
fn refuse(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().expect("a client");
    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    packet(&mut stream);
    stream.write_all(&[0x20, 2, 0, 0]).expect("CONNACK");
    let body = packet(&mut stream);
    let (id, mut filters) = body.split_at(2);
    let mut answers = Vec::new();
    while let [high, low, rest @ ..] = filters {
        let (filter, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        answers.push(if filter == b"P/t" { 0x80 } else { 1 });
        filters = &rest[1..];
    }
    let suback = [&[0x90, 2 + answers.len() as u8], id, &answers].concat();
    stream.write_all(&suback).expect("SUBACK");
    stream.write_all(&raw::publish("P/r", b"7", 0)).expect("PUBLISH");
    until_closed(&mut stream);
}

fn until_closed(stream: &mut TcpStream) {
    let _ = std::io::copy(stream, &mut std::io::sink());
}
