//! The plant's thread against Debian's mosquitto on a loopback port.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::Mosquitto;
use pollux::scene::Broker;
use pollux::source::plant::{self, PlantConfig, PlantHandle};
use pollux::value::Timestamp;

fn wait(plant: &PlantHandle, until: impl Fn(&PlantHandle) -> bool) {
    let begin = Instant::now();
    while !until(plant) {
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", plant.status());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Payloads on a topic, as mosquitto's own client sees them.
fn listen(port: u16, topic: &str, count: u32) -> Vec<String> {
    let (port, count) = (port.to_string(), count.to_string());
    let args = ["-p", &port, "-t", topic, "-C", &count, "-W", "10"];
    let output = Command::new("mosquitto_sub").args(args).output().expect("mosquitto-clients is installed");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_plant_publishes_retains_and_comes_back_after_its_broker_was_restarted() {
    let Some(mut server) = Mosquitto::start() else { return };
    let port = server.port;
    let plant = plant::spawn(PlantConfig {
        plant: "bottling".into(),
        broker: Broker::at(server.url()),
        seed: 7,
        speed: 1.0,
        prefix: "line9".into(),
        start: Timestamp::now(),
    })
    .expect("it starts");
    wait(&plant, |plant| plant.status().published() > 100);
    let telemetry = listen(port, "line9/P-101/telemetry", 3);
    assert!(telemetry.len() == 3 && telemetry.iter().all(|text| text.contains("\"vibration\":")), "{telemetry:?}");
    let nameplate = listen(port, "line9/P-101/nameplate", 1);
    assert!(nameplate.first().is_some_and(|text| text.contains("P8-30952")), "retained: {nameplate:?}");

    server.kill();
    wait(&plant, |plant| !plant.status().connected() && plant.status().error().is_some());
    server.restart();
    wait(&plant, |plant| plant.status().connections() == 2);
    let nameplate = listen(port, "line9/P-101/nameplate", 1);
    assert!(nameplate.len() == 1, "a new broker gets retained messages again");
    let begin = Instant::now();
    drop(plant);
    assert!(begin.elapsed() < Duration::from_secs(2), "it stops at once");
}
