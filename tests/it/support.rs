//! Parts that several tests need: Debian's mosquitto on a free loopback port, and an authority for certificates.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

pub struct Mosquitto {
    pub port: u16,
    dir: TempDir,
    child: Option<Child>,
}

/// Where the program is; says so and returns none if it is nowhere.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let found = folders.into_iter().map(|folder| folder.join("mosquitto")).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: mosquitto is not installed");
    }
    found
}

/// A free port below those that the system gives to outgoing connections: a restarted broker finds it free again.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let candidates = std::iter::repeat_with(|| {
        let number = std::process::id().wrapping_mul(61).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        20_000 + (number % 12_000) as u16
    });
    candidates.take(12_000).find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).expect("a free port")
}

impl Mosquitto {
    pub fn start() -> Option<Self> {
        Self::start_with(|_| "allow_anonymous true\n".to_owned())
    }

    /// `config` writes its files into the folder it is given, and returns lines of the listener's configuration.
    pub fn start_with(config: impl FnOnce(&Path) -> String) -> Option<Self> {
        program()?;
        let dir = tempfile::tempdir().unwrap();
        let lines = config(dir.path());
        let mut server = Self { port: 0, dir, child: None };
        for _ in 0..10 {
            server.port = free_port();
            // As root it would change to a user who cannot read the folder.
            let text = format!("user root\nlistener {} 127.0.0.1\n{lines}", server.port);
            std::fs::write(server.path("mosquitto.conf"), text).unwrap();
            if server.launch() {
                return Some(server);
            }
        }
        panic!("mosquitto does not listen: {}", server.log());
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// What the broker has said since it was started last.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.as_ref().map(Child::id).expect("it runs")
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn restart(&mut self) {
        assert!(self.launch(), "mosquitto does not listen: {}", self.log());
    }

    /// False if it ended at once, as it does where another program has taken the port.
    fn launch(&mut self) -> bool {
        self.kill();
        let log = std::fs::File::create(self.path("log")).unwrap();
        let mut child = Command::new(program().unwrap())
            .arg("-c")
            .arg(self.path("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let give_up = Instant::now() + Duration::from_secs(10);
        // A connection alone could be to another broker that has this port.
        let listens = |server: &Self| {
            server.log().contains(" running") && TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).is_ok()
        };
        while !listens(self) {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < give_up, "mosquitto does not listen: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child = Some(child);
        true
    }

    /// `mosquitto_pub` with more flags; the payload goes through its standard input.
    pub fn publish(&self, flags: &[&str], topic: &str, payload: impl AsRef<[u8]>) {
        let mut child = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-t", topic, "-s"])
            .args(flags)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(payload.as_ref()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Runs a script with paho-mqtt, the port as its argument; false if paho is not installed.
    pub fn paho(&self, script: &str) -> bool {
        let modules = crate::broker::clients().join("python");
        let python = |code: &str| {
            let mut command = Command::new("python3");
            command.env("PYTHONPATH", &modules).args(["-c", code, &self.port.to_string()]).output()
        };
        let there = python("import paho.mqtt.client").is_ok_and(|output| output.status.success());
        if !crate::broker::has("paho-mqtt", there) {
            return false;
        }
        let output = python(script).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        true
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Signs certificates for one test. Its own is `NAME.pem` in the folder it was made in.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(dir: &Path, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        std::fs::write(dir.join(name).with_extension("pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key) }
    }

    /// Makes `NAME.pem` and `NAME.key`, for a broker on this machine or for a client.
    pub fn sign(&self, dir: &Path, name: &str) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(dir.join(name).with_extension("pem"), certificate.pem()).unwrap();
        std::fs::write(dir.join(name).with_extension("key"), key.serialize_pem()).unwrap();
    }
}
