//! Messages and samples per second on their way into history, against a bare MQTT client that throws everything away.
//!
//! Three measurements: in process (decode, bind, history); against a flood that no broker slows down; over Debian's
//! mosquitto at QoS 1, with the latency from publish to component. Loopback only, bounded in time.

use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};

use super::{FIELDS, flood, grouped, median, no_waker, payload, scene, topic};
use crate::analysis::worker::Worker;
use crate::analysis::{Analysis, Feed};
use crate::history::ViewTime;
use crate::ingest::{BindingTable, Message, SharedTable};
use crate::scene::{Broker, LoadedScene, Scene};
use crate::source::mqtt::{self, SourceError};
use crate::source::{Batch, Clock, Sources};
use crate::stage::{CorePlugins, Current, Entities};
use crate::value::Timestamp;

const TWINS: u32 = 100;
/// Measurements of each side, in turns, so that a noisy minute hits both. A broker that shares the cores with all else makes
/// more noise than a socket.
const FLOOD_ROUNDS: usize = 3;
const BROKER_ROUNDS: usize = 7;
/// Messages per measurement over a broker.
const BROKER_MESSAGES: u64 = 100_000;

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("a loopback socket: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the bare MQTT client: {0}")]
    Client(String),
    #[error("{0} took too long")]
    Timeout(&'static str),
}

impl From<rumqttc::ConnectionError> for BenchError {
    fn from(error: rumqttc::ConnectionError) -> Self {
        Self::Client(error.to_string())
    }
}

impl From<rumqttc::ClientError> for BenchError {
    fn from(error: rumqttc::ClientError) -> Self {
        Self::Client(error.to_string())
    }
}

pub fn run(length: Duration) -> Result<String, BenchError> {
    let mut report = String::from("ingest: JSON of ten fields, about 200 bytes, 100 twins\n");
    let rate = in_process(length);
    let _ = writeln!(report, "  in process, one core: {} samples/s (decode + bind + history)", grouped(rate));

    let (mut rounds, mut lost) = (Vec::new(), 0);
    for _ in 0..FLOOD_ROUNDS {
        let bare = flood_bare(length)?;
        let (pollux, gone) = flood_pollux(length)?;
        rounds.push(Round { bare, pollux });
        lost += gone;
    }
    let _ = writeln!(report, "  flood: {}; {} samples coalesced or dropped", told(&rounds), grouped(lost as f64));
    match Mosquitto::start()? {
        None => report.push_str("  mosquitto: skipped, it is not installed\n"),
        Some(broker) => {
            let (mut rounds, mut received) = (Vec::new(), 0);
            for _ in 0..BROKER_ROUNDS {
                let bare = broker_bare(broker.address)?;
                let (pollux, count) = broker_pollux(broker.address)?;
                rounds.push(Round { bare, pollux });
                received += count;
            }
            let _ = writeln!(
                report,
                "  mosquitto, QoS 1: {}; {} of {} received",
                told(&rounds),
                grouped(received as f64),
                grouped(BROKER_ROUNDS as f64 * BROKER_MESSAGES as f64),
            );
            let mut delays = latency(broker.address)?;
            delays.sort();
            let at = |q: usize| delays.get(delays.len() * q / 100).map_or(f64::NAN, |d| d.as_secs_f64() * 1e3);
            let _ = writeln!(
                report,
                "  publish to component at 500 messages/s: p50 {:.1} ms, p99 {:.1} ms ({} messages)",
                at(50),
                at(99),
                delays.len()
            );
        }
    }
    Ok(report)
}

/// Messages per second of both, one after the other.
struct Round {
    bare: f64,
    pollux: f64,
}

/// Medians; the ratio is the median of those of the rounds, with the least and the greatest.
fn told(rounds: &[Round]) -> String {
    let ratios = || rounds.iter().map(|round| round.pollux / round.bare);
    let (least, greatest) = ratios().fold((f64::INFINITY, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
    format!(
        "bare client {} messages/s, pollux {} messages/s into history, ratio {:.2} ({least:.2} to {greatest:.2})",
        grouped(median(rounds.iter().map(|round| round.bare).collect())),
        grouped(median(rounds.iter().map(|round| round.pollux).collect())),
        median(ratios().collect()),
    )
}

fn messages() -> Vec<(String, String)> {
    (0..TWINS).map(|t| (topic(t), payload(1_700_000_000_000 + i64::from(t), u64::from(t)))).collect()
}

fn in_process(length: Duration) -> f64 {
    let scene = scene(TWINS);
    let table = BindingTable::new(&scene, "bench", 1);
    let messages = messages();
    let analysis = Analysis::new(Arc::new(scene), 1, 1 << 30, Timestamp::MIN);
    let mut knowledge = analysis.lock();
    let started = Instant::now();
    let mut count = 0;
    let mut receive_time = Timestamp(1_700_000_100_000_000_000);
    while started.elapsed() < length {
        let samples = Vec::with_capacity(TWINS as usize * FIELDS.len());
        let mut batch = Batch { generation: 1, samples, ..Batch::default() };
        for (topic, payload) in &messages {
            let message = Message { topic, payload: payload.as_bytes(), retained: false, qos: 1, receive_time };
            batch.add(|samples| table.decode(&message, samples));
        }
        receive_time.0 += 1_000_000;
        count += batch.samples.len();
        knowledge.learn(batch);
    }
    count as f64 / started.elapsed().as_secs_f64()
}

/// A runtime of one thread, as the listener has.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn bare_options(address: SocketAddr) -> MqttOptions {
    let mut options = MqttOptions::new("bare", address.ip().to_string(), address.port());
    options.set_max_packet_size(1 << 20, 1 << 20);
    options
}

fn flood_bare(length: Duration) -> Result<f64, BenchError> {
    let (address, sender) = flood::start(messages(), length)?;
    let received = runtime()?.block_on(async {
        let (client, mut events) = AsyncClient::new(bare_options(address), 10);
        client.subscribe("bench/#", QoS::AtMostOnce).await?;
        let mut received = 0u64;
        let started = Instant::now();
        while started.elapsed() < length {
            if let Event::Incoming(Packet::Publish(_)) = events.poll().await? {
                received += 1;
            }
        }
        Ok::<_, BenchError>(received)
    })?;
    let _ = sender.join();
    Ok(received as f64 / length.as_secs_f64())
}

/// Messages per second whose samples are in history when the time is over, and how many samples were lost on the way.
fn flood_pollux(length: Duration) -> Result<(f64, u64), BenchError> {
    let (address, sender) = flood::start(messages(), length)?;
    let mut app = world(address)?;
    let started = Instant::now();
    while started.elapsed() < length {
        frame(&mut app);
    }
    let usage = app.world().resource::<Analysis>().lock().history.usage();
    let kept = (usage.samples + usage.evicted) as f64 / started.elapsed().as_secs_f64();
    let snapshot = app.world().resource::<Sources>().running[0].status.snapshot(Timestamp::now());
    drop(app);
    let _ = sender.join();
    Ok((kept / FIELDS.len() as f64, snapshot.coalesced + snapshot.dropped))
}

/// Ends with its world.
#[derive(Resource)]
struct Learning(#[expect(dead_code, reason = "held to be dropped")] Worker);

/// A headless world that listens at `address`.
fn world(address: SocketAddr) -> Result<App, BenchError> {
    let scene: Arc<Scene> = Arc::new(scene(TWINS));
    let table = SharedTable::new(BindingTable::new(&scene, "bench", 1));
    let broker = Broker { qos: 1, subscribe: vec!["bench/#".into()], ..Broker::at(format!("mqtt://{address}")) };
    // As a session does it: the analysis in a thread of its own.
    let analysis = Analysis::new(scene.clone(), 1, 1 << 30, Timestamp::now());
    let worker = Worker::start(analysis.clone(), Clock::WALL, no_waker())?;
    let source = mqtt::spawn("bench", &broker, table, worker.waker(), Clock::WALL, None)?;
    worker.listen_to([Feed::of(&source)]);
    let mut app = App::new();
    let now = Timestamp::now();
    app.add_plugins(CorePlugins)
        .insert_resource(analysis)
        .insert_resource(Learning(worker))
        .insert_resource(ViewTime { now, shown: now, session_start: now })
        .insert_resource(LoadedScene { scene, generation: 1, issues: Vec::new() })
        .insert_resource(Sources { running: vec![source], ..Sources::default() });
    app.finish();
    app.cleanup();
    Ok(app)
}

/// A frame, and what is left of the 10 ms that frames of a headless session are apart.
fn frame(app: &mut App) {
    let started = Instant::now();
    let now = Timestamp::now();
    *app.world_mut().resource_mut::<ViewTime>() = ViewTime { now, shown: now, session_start: now };
    app.update();
    std::thread::sleep(Duration::from_millis(10).saturating_sub(started.elapsed()));
}

/// Publishes at QoS 1 from a thread of its own, as fast as the broker acknowledges.
fn publisher(address: SocketAddr) -> std::thread::JoinHandle<Result<(), BenchError>> {
    std::thread::spawn(move || {
        runtime()?.block_on(async {
            let mut options = bare_options(address);
            options.set_client_id("publisher".into());
            options.set_inflight(1000);
            let (client, mut events) = AsyncClient::new(options, 1000);
            let messages = messages();
            let send = async {
                for n in 0..BROKER_MESSAGES as usize {
                    let (topic, payload) = &messages[n % messages.len()];
                    client.publish(topic, QoS::AtLeastOnce, false, payload.as_bytes()).await?;
                }
                Ok::<_, BenchError>(())
            };
            let poll = async {
                let mut acknowledged = 0;
                while acknowledged < BROKER_MESSAGES {
                    if let Event::Incoming(Packet::PubAck(_)) = events.poll().await? {
                        acknowledged += 1;
                    }
                }
                Ok::<_, BenchError>(())
            };
            tokio::try_join!(send, poll)?;
            Ok(())
        })
    })
}

fn broker_bare(address: SocketAddr) -> Result<f64, BenchError> {
    runtime()?.block_on(async {
        let (client, mut events) = AsyncClient::new(bare_options(address), 10);
        client.subscribe("bench/#", QoS::AtLeastOnce).await?;
        while !matches!(events.poll().await?, Event::Incoming(Packet::SubAck(_))) {}
        let _publisher = publisher(address);
        let (mut received, mut started) = (0u64, Instant::now());
        while received < BROKER_MESSAGES {
            if let Event::Incoming(Packet::Publish(_)) = events.poll().await? {
                if received == 0 {
                    started = Instant::now();
                }
                received += 1;
            }
        }
        Ok(BROKER_MESSAGES as f64 / started.elapsed().as_secs_f64())
    })
}

fn broker_pollux(address: SocketAddr) -> Result<(f64, u64), BenchError> {
    let mut app = world(address)?;
    wait_for_subscription(&mut app)?;
    let _publisher = publisher(address);
    let begun = Instant::now();
    let mut started = None;
    loop {
        frame(&mut app);
        let samples = app.world().resource::<Analysis>().lock().samples();
        if samples > 0 && started.is_none() {
            started = Some((Instant::now(), samples));
        }
        let expected = BROKER_MESSAGES * FIELDS.len() as u64;
        if samples >= expected || begun.elapsed() > Duration::from_secs(60) {
            let (since, already) = started.unwrap_or((begun, 0));
            let messages = (samples - already) as f64 / FIELDS.len() as f64;
            return Ok((messages / since.elapsed().as_secs_f64(), samples / FIELDS.len() as u64));
        }
    }
}

/// From the moment before `publish` to the frame in which the component has the value.
fn latency(address: SocketAddr) -> Result<Vec<Duration>, BenchError> {
    const MESSAGES: u32 = 1500;
    let mut app = world(address)?;
    wait_for_subscription(&mut app)?;
    let epoch = Instant::now();
    let publisher = std::thread::spawn(move || {
        runtime()?.block_on(async {
            let mut options = bare_options(address);
            options.set_client_id("latency".into());
            let (client, mut events) = AsyncClient::new(options, 100);
            let poll = async { while events.poll().await.is_ok() {} };
            let send = async {
                let mut tick = tokio::time::interval(Duration::from_millis(2));
                for n in 0..MESSAGES {
                    tick.tick().await;
                    let sent_us = epoch.elapsed().as_micros();
                    client.publish(topic(n % TWINS), QoS::AtMostOnce, false, format!("{{\"flow\":{sent_us}}}")).await?;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok::<_, BenchError>(())
            };
            tokio::select! { result = send => result, () = poll => Err(BenchError::Timeout("the publisher's connection")) }
        })
    });
    let flows: Vec<Entity> = {
        let entities = &app.world().resource::<Entities>().signals;
        entities.iter().step_by(FIELDS.len()).copied().collect()
    };
    let mut seen = vec![0.0; flows.len()];
    let mut delays = Vec::new();
    while !publisher.is_finished() {
        let now = Timestamp::now();
        *app.world_mut().resource_mut::<ViewTime>() = ViewTime { now, shown: now, session_start: now };
        app.update();
        let shown_us = epoch.elapsed().as_micros() as f64;
        for (&entity, seen) in flows.iter().zip(&mut seen) {
            let value = app.world().get::<Current>(entity).and_then(|current| current.value.as_ref()?.as_f64());
            if let Some(sent_us) = value.filter(|sent| sent != seen) {
                *seen = sent_us;
                delays.push(Duration::from_secs_f64(((shown_us - sent_us) / 1e6).max(0.0)));
            }
        }
        // The frame of a window at 60 Hz.
        std::thread::sleep(Duration::from_micros(16_667));
    }
    publisher.join().map_err(|_| BenchError::Timeout("the publisher"))??;
    Ok(delays)
}

fn wait_for_subscription(app: &mut App) -> Result<(), BenchError> {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) {
        frame(app);
        let snapshot = app.world().resource::<Sources>().running[0].status.snapshot(Timestamp::now());
        if snapshot.state == crate::source::ConnectionState::Connected {
            std::thread::sleep(Duration::from_millis(200));
            return Ok(());
        }
    }
    Err(BenchError::Timeout("connecting to mosquitto"))
}

/// Debian's broker on a free loopback port; ended when dropped.
struct Mosquitto {
    address: SocketAddr,
    process: Child,
    config: std::path::PathBuf,
}

impl Mosquitto {
    /// None if it is not installed.
    fn start() -> std::io::Result<Option<Self>> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        // By default mosquitto drops what a subscriber has not read in time; here nothing may be lost.
        let settings = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n",
            address.port()
        );
        let config = std::env::temp_dir().join(format!("pollux-bench-{}.conf", std::process::id()));
        std::fs::write(&config, settings)?;
        let process = ["mosquitto", "/usr/sbin/mosquitto"].into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        });
        let Some(process) = process else {
            let _ = std::fs::remove_file(&config);
            return Ok(None);
        };
        let broker = Self { address, process, config };
        let started = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            if started.elapsed() > Duration::from_secs(5) {
                return Err(std::io::Error::other("mosquitto does not listen"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(broker))
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.config);
    }
}
