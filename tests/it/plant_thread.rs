//! The plant's thread against Debian's mosquitto on a loopback port.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pollux::source::plant::{self, PlantConfig, PlantHandle};
use pollux::twin::Timestamp;

/// A broker that ends with the test.
struct Mosquitto(Child);

impl Mosquitto {
    fn start(port: u16) -> Mosquitto {
        let args = ["-p", &port.to_string()];
        let child = Command::new("mosquitto").args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Mosquitto(child.expect("mosquitto is installed"))
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

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
    let port = free_port();
    let broker = Mosquitto::start(port);
    let plant = plant::spawn(PlantConfig {
        plant: "bottling".into(),
        url: format!("mqtt://127.0.0.1:{port}"),
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

    drop(broker);
    wait(&plant, |plant| !plant.status().connected() && plant.status().error().is_some());
    let _broker = Mosquitto::start(port);
    wait(&plant, |plant| plant.status().connections() == 2);
    let nameplate = listen(port, "line9/P-101/nameplate", 1);
    assert!(nameplate.len() == 1, "a new broker gets retained messages again");
    let begin = Instant::now();
    drop(plant);
    assert!(begin.elapsed() < Duration::from_secs(2), "it stops at once");
}
