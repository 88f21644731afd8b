use std::sync::mpsc;

use super::*;
use crate::source::broker::{Embedded, EmbeddedConfig};

const FLOW: &str = "hall/P-1/flow";
const ORDER: &str = "hall/V-1/order";

fn broker() -> Embedded {
    Embedded::start(EmbeddedConfig::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn config(url: &str) -> LineConfig {
    let (allow_remote, allow_shared, stop) = (false, false, Arc::default());
    LineConfig {
        broker: Broker::at(url),
        announcement: "pollux/plant/hall".to_owned(),
        allow_remote,
        allow_shared,
        stop,
    }
}

fn line(url: &str) -> Line {
    Line::open(config(url)).unwrap_or_else(|error| panic!("{error}"))
}

fn begin(line: &mut Line) -> Result<(), LineError> {
    line.begin(vec![FLOW.to_owned()], vec![ORDER.to_owned()])
}

/// A client that nobody here wrote the protocol of. It hears a topic and gives what comes to `answer`, with itself.
fn client(url: &str, name: &str, topic: &str, mut answer: impl FnMut(&Client, &[u8]) + Send + 'static) -> Client {
    let address = Address::parse(url).unwrap_or_else(|error| panic!("{error}"));
    let (client, mut connection) = Client::new(rumqttc::MqttOptions::new(name, address.host, address.port), 10);
    let _ = client.subscribe(topic, QoS::AtLeastOnce);
    let (ready, is_ready) = mpsc::channel();
    let own = client.clone();
    std::thread::spawn(move || {
        for event in connection.iter() {
            match event {
                Ok(rumqttc::Event::Incoming(rumqttc::Packet::SubAck(_))) => {
                    let _ = ready.send(());
                }
                Ok(rumqttc::Event::Incoming(rumqttc::Packet::Publish(publish))) => answer(&own, &publish.payload),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
    let _ = is_ready.recv_timeout(Duration::from_secs(10));
    client
}

fn said(client: &Client, topic: &str, payload: impl Into<Vec<u8>>) {
    let _ = client.publish(topic, QoS::AtLeastOnce, false, payload);
}

fn ack(client: &Client, n: u64) {
    said(client, ACK, json!({"n": n}).to_string());
}

#[test]
fn nothing_is_said_where_a_broker_keeps_something_or_somebody_else_speaks() {
    let (kept, spoken) = (broker(), broker());
    let other = client(&kept.url(), "other", "none", |_, _| {});
    let _ = other.publish(FLOW, QoS::AtLeastOnce, true, "12");
    std::thread::sleep(Duration::from_millis(300));
    let refused = begin(&mut line(&kept.url())).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("the broker has kept a message on hall/P-1/flow"), "{refused}");
    let mut shared =
        Line::open(LineConfig { allow_shared: true, ..config(&kept.url()) }).unwrap_or_else(|error| panic!("{error}"));
    assert!(begin(&mut shared).is_ok(), "somebody has said that it may");
    let other = client(&spoken.url(), "other", "none", |_, _| {});
    let speaks = std::thread::spawn(move || {
        for n in 0..30 {
            said(&other, FLOW, n.to_string());
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let refused = begin(&mut line(&spoken.url())).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("somebody else publishes on hall/P-1/flow"), "{refused}");
    assert!(speaks.join().is_ok());
}

#[test]
fn what_comes_before_an_acknowledgement_belongs_to_its_tick_and_own_messages_are_no_stranger() {
    let broker = broker();
    // Greeted, it says what nobody asked for; at a tick it says two things, and one more too late.
    let _controller = client(&broker.url(), "controller", TICK, |own, tick| match number(tick) {
        Some(0) => {
            said(own, ORDER, "stale");
            ack(own, 0);
        }
        Some(n) => {
            said(own, ORDER, format!("{n}a"));
            said(own, ORDER, format!("{n}b"));
            ack(own, n);
            said(own, ORDER, format!("{n}c"));
        }
        None => {}
    });
    let mut line = line(&broker.url());
    assert!(begin(&mut line).is_ok());
    let zero = Timestamp(0);
    assert!(line.greet(zero, Duration::from_secs(5)).is_ok());
    let mut heard = Vec::new();
    for n in 1..=3 {
        let payload = n.to_string();
        let payload = payload.as_bytes();
        line.publish(&Message {
            broker: "",
            topic: FLOW,
            payload,
            samples: None,
            retain: false,
            from_store: false,
            qos: 0,
            time: 0,
        });
        let orders = line.tick(n, zero, n * 1_000_000_000, Duration::from_secs(5));
        let orders = orders.unwrap_or_else(|error| panic!("{error}"));
        heard.push(orders.iter().map(|order| String::from_utf8_lossy(&order.payload).into_owned()).collect::<Vec<_>>());
    }
    assert_eq!(heard, [vec!["1a", "1b"], vec!["1c", "2a", "2b"], vec!["2c", "3a", "3b"]]);
}

#[test]
fn a_controller_that_does_not_answer_or_counts_wrongly_is_told() {
    let (nobody, wrong) = (broker(), broker());
    let mut alone = line(&nobody.url());
    assert!(begin(&mut alone).is_ok());
    let told = alone.greet(Timestamp(0), Duration::from_millis(700)).err().map(|error| error.to_string());
    assert!(told.as_ref().is_some_and(|told| told.contains("no controller has acknowledged 0")), "{told:?}");
    let _controller = client(&wrong.url(), "controller", TICK, |own, tick| match number(tick) {
        Some(0) => ack(own, 0),
        Some(1) => said(own, ACK, "yes"),
        Some(2) => ack(own, 7),
        _ => {}
    });
    let mut line = line(&wrong.url());
    assert!(begin(&mut line).is_ok() && line.greet(Timestamp(0), Duration::from_secs(5)).is_ok());
    let mut told =
        |n: u64| line.tick(n, Timestamp(0), 0, Duration::from_millis(700)).err().map(|error| error.to_string());
    assert_eq!(
        [told(1), told(2), told(3)].map(Option::unwrap_or_default),
        [
            "\"yes\" on pollux/lockstep/ack is no acknowledgement: write {\"n\": 1}",
            "the controller acknowledged 7 on pollux/lockstep/ack, and 2 was the last tick",
            "the controller did not acknowledge tick 3 on pollux/lockstep/ack within 700ms",
        ]
    );
}

#[test]
fn a_broker_that_goes_away_or_a_person_who_interrupts_ends_the_wait() {
    let broker = broker();
    let stop = Arc::new(AtomicBool::new(false));
    let mut first = Line::open(LineConfig { stop: stop.clone(), ..config(&broker.url()) })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(begin(&mut first).is_ok());
    stop.store(true, Ordering::Relaxed);
    let told = first.greet(Timestamp(0), Duration::from_secs(60));
    assert!(matches!(told, Err(LineError::Interrupted)), "{told:?}");
    drop(first);
    let mut second = line(&broker.url());
    assert!(begin(&mut second).is_ok());
    drop(broker);
    let told = second.greet(Timestamp(0), Duration::from_secs(60)).err().map(|error| error.to_string());
    assert!(told.as_ref().is_some_and(|told| told.contains("closed by the broker")), "{told:?}");
}

#[test]
fn another_machine_needs_to_be_allowed_and_a_url_to_be_one() {
    let refusal = |url: &str| Line::open(config(url)).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refusal("mqtt://broker.example").contains("add --allow-remote"));
    assert!(refusal("http://localhost").contains("write mqtt://host:port"));
}
