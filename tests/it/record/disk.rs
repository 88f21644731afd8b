//! A disk of 20 MiB fills up while a program records onto it, and another one does not answer for some seconds. Needs the
//! rights to mount them; skipped plainly without.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::reading::{Read, check_whole};
use super::{hall, record};
use crate::live::program::{Program, scene_file, wait_for};
use crate::support::Mosquitto;

/// A disk in memory; unmounted when it is dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        println!("skipped: no right to mount a disk");
        None
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Some hundred kilobytes that do not compress.
fn noise(n: u64) -> Vec<u8> {
    use rand::{RngCore, SeedableRng};
    let mut bytes = vec![0; 900 << 10];
    rand_chacha::ChaCha8Rng::seed_from_u64(n).fill_bytes(&mut bytes);
    bytes
}

#[test]
fn a_disk_that_fills_up_is_told_monitoring_goes_on_and_the_file_opens_and_is_finished_when_there_is_room() {
    let Some(server) = Mosquitto::start() else { return };
    let Some(disk) = SmallDisk::mount("20m") else { return };
    let others = disk.path("others.bin");
    std::fs::write(&others, vec![1; 6 << 20]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let scene = PathBuf::from(scene_file(folder.path(), &hall(&format!(r#"url: "{}""#, server.url()))));
    let file = disk.path("hall.mcap");
    let home = tempfile::tempdir().unwrap();
    let mut command = record(&scene, &file, &[]);
    command.arg("--state").arg(home.path().join("state.json"));
    let program = Program::start(command, home).subscribed();

    let mut published = 0;
    let full = || program.heard().contains("the recording") && program.heard().contains("No space left on device");
    while !full() {
        assert!(published < 60, "the disk never fills up: {}", program.heard());
        server.publish(&[], "hall/camera", noise(published));
        published += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    let said = program.says("No space left on device");
    assert!(said.contains("what was written before is intact"), "{said}");
    // A copy, before anything else happens to it.
    let copy = folder.path().join("copy.mcap");
    std::fs::copy(&file, &copy).unwrap();
    let kept = intact(&copy, published);
    let is_finished = || mcap::Summary::read(&std::fs::read(&file).unwrap()).is_ok_and(|summary| summary.is_some());
    assert!(!is_finished(), "there is no room for its index");
    println!("full after {published} messages: {kept} are kept");

    // There is room again: another file begins, and the first one is finished while it grows.
    std::fs::remove_file(&others).unwrap();
    wait_for(|| program.heard().contains("recorded again").then_some(()), || program.heard());
    wait_for(|| is_finished().then_some(()), || program.heard());
    assert_eq!(check_whole(&file).messages.len(), intact(&file, published));
    assert!(intact(&file, published) >= kept);
    server.publish(&[], "hall/P-101/telemetry", r#"{"flow": 42}"#);
    std::thread::sleep(Duration::from_millis(700));
    let state = program.stop().state();
    assert_eq!(state["twins"]["P-101"]["signals"]["flow"]["value"], json!(42.0), "monitoring went on");
    assert_eq!(state["sources"]["plant"]["received"], json!(published + 1), "and missed nothing");
    let events = state["events"].as_array().unwrap();
    let has = |kind: &str, part: &str| events.iter().any(|e| e["kind"] == kind && e.to_string().contains(part));
    assert!(has("note", "No space left on device") && has("gap", "from"), "{events:#?}");
    assert_eq!(state["troubles"], json!([]), "all is well now");
    assert!(state["recording"]["lost"].as_u64().unwrap() >= 1, "{}", state["recording"]);

    let others: Vec<_> = std::fs::read_dir(disk.0.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(others.len() >= 2 && others.contains(&file), "{others:?}");
    let last = others.iter().map(|path| check_whole(path)).max_by_key(|read| read.keyframes.last().map(|k| k.time));
    let last = last.unwrap();
    assert_eq!(last.messages.last().unwrap().payload, br#"{"flow": 42}"#);
    assert!(last.events.iter().any(|event| matches!(event.kind, pollux::event::Kind::Gap { .. })), "{:?}", last.events);
}

/// All messages of the file are whole, in order, from the first on. Returns how many.
fn intact(file: &Path, published: u64) -> usize {
    let read = Read::file(file);
    assert!(!read.messages.is_empty() && (read.messages.len() as u64) < published);
    for (n, heard) in read.messages.iter().enumerate() {
        assert!(heard.payload == noise(n as u64), "message {n}");
    }
    read.assert_sequences();
    read.messages.len()
}

#[test]
fn a_disk_without_room_for_the_scene_is_told_at_once_and_nothing_is_left_behind() {
    let Some(disk) = SmallDisk::mount("64k") else { return };
    let folder = tempfile::tempdir().unwrap();
    let scene = PathBuf::from("scenes/bottling/scene.ron");
    // The models of the scene alone are larger.
    let mut command = record(&scene, &disk.path("line.mcap"), &["--plant"]);
    command.arg("--state").arg(folder.path().join("state.json"));
    let end = Program::start(command, folder).end();
    assert_eq!(end.code, Some(3), "{}", end.said);
    assert!(end.said.contains("line.mcap cannot be begun (No space left on device"), "{}", end.said);
    assert_eq!(std::fs::read_dir(disk.0.path()).unwrap().count(), 0, "nothing is left behind");
}

/// A file system in a file, which can be made to keep whoever writes onto it waiting. Unmounted when it is dropped.
struct HangingDisk {
    dir: TempDir,
    /// Frees what waits, whatever becomes of this test: a process that waits for its disk cannot even be killed.
    guard: Option<Child>,
}

impl HangingDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let (image, place) = (dir.path().join("image"), dir.path().join("disk"));
        std::fs::create_dir(&place).unwrap();
        std::fs::File::create(&image).unwrap().set_len(u64::from(megabytes) << 20).unwrap();
        let disk = Self { dir, guard: None };
        let succeeds = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        let is_there = succeeds(Command::new("/sbin/mkfs.ext4").arg("-q").arg(&image))
            && succeeds(Command::new("mount").args(["-o", "loop"]).args([&image, &place]))
            && disk.freezes();
        if is_there {
            return Some(disk);
        }
        println!("skipped: no right to mount and freeze a disk");
        None
    }

    fn freezes(&self) -> bool {
        let is_frozen = self.control("--freeze");
        self.control("--unfreeze");
        is_frozen
    }

    fn place(&self) -> PathBuf {
        self.dir.path().join("disk")
    }

    fn control(&self, what: &str) -> bool {
        let output = Command::new("/sbin/fsfreeze").arg(what).arg(self.place()).output();
        output.is_ok_and(|output| output.status.success())
    }

    /// From now on every write waits, for a minute at most.
    fn freeze(&mut self) {
        let thaw = format!("sleep 60; /sbin/fsfreeze --unfreeze '{}'", self.place().display());
        self.guard = Some(Command::new("sh").args(["-c", &thaw]).spawn().unwrap());
        assert!(self.control("--freeze"));
    }

    /// False if the guard has done so already.
    fn thaw(&mut self) -> bool {
        let thawed = self.control("--unfreeze");
        if let Some(mut guard) = self.guard.take() {
            let _ = guard.kill();
            let _ = guard.wait();
        }
        thawed
    }
}

impl Drop for HangingDisk {
    fn drop(&mut self) {
        if self.guard.is_some() {
            self.thaw();
        }
        let _ = Command::new("umount").arg("-l").arg(self.place()).output();
    }
}

#[test]
fn while_a_disk_does_not_answer_monitoring_goes_on_and_what_comes_waits_as_far_as_there_is_room() {
    const MEGABYTES: u64 = 90;
    let Some(server) = Mosquitto::start() else { return };
    let Some(mut disk) = HangingDisk::mount(256) else { return };
    let folder = tempfile::tempdir().unwrap();
    let scene = PathBuf::from(scene_file(folder.path(), &hall(&format!(r#"url: "{}""#, server.url()))));
    let (file, events) = (disk.place().join("hall.mcap"), folder.path().join("events.jsonl"));
    let home = tempfile::tempdir().unwrap();
    let mut command = record(&scene, &file, &[]);
    command.arg("--events").arg(&events).arg("--state").arg(home.path().join("state.json"));
    let program = Program::start(command, home).subscribed();
    let publish = |flow: u64| server.publish(&[], "hall/P-101/telemetry", format!(r#"{{"flow": {flow}}}"#));

    publish(10);
    wait_for(|| (Read::file(&file).messages.len() == 1).then_some(()), || program.heard());
    disk.freeze();
    publish(11);
    program.says("has not answered for 3 s");
    publish(80);
    let told = || std::fs::read_to_string(&events).unwrap_or_default();
    wait_for(|| told().contains("raised").then_some(()), told);
    // More than the memory for what waits.
    let mut published = 3;
    for n in 0..MEGABYTES {
        server.publish(&[], "hall/camera", noise(n));
        published += 1;
    }
    publish(81);
    published += 1;
    assert!(disk.thaw(), "it was frozen for too long");
    program.says("answers again");
    let said = program.says("too slow for what comes");
    assert!(said.contains("messages so far are not recorded"), "{said}");
    publish(20);
    published += 1;
    std::thread::sleep(Duration::from_millis(1_500));
    let state = program.stop().state();
    assert_eq!(state["sources"]["plant"]["received"], json!(published), "monitoring missed nothing");
    assert_eq!(state["twins"]["P-101"]["signals"]["flow"]["value"], json!(20.0));

    let read = check_whole(&file);
    read.assert_sequences();
    let dropped = state["recording"]["dropped"].as_u64().unwrap();
    println!("{dropped} of {published} found no room");
    assert!((10..60).contains(&dropped) && state["recording"]["lost"] == json!(0), "{}", state["recording"]);
    assert_eq!(read.messages.len() as u64 + dropped, published);
    assert!(read.messages.iter().any(|heard| heard.payload == br#"{"flow": 80}"#), "what waited is there");
    let gaps = read.events.iter().filter_map(|event| match event.kind {
        pollux::event::Kind::Gap { from, to } => Some((from, to)),
        _ => None,
    });
    let gaps: Vec<_> = gaps.collect();
    assert!(!gaps.is_empty(), "{:#?}", read.events);
    for (from, to) in gaps {
        assert!(from < to);
        assert!(
            read.messages.iter().all(|heard| heard.log_time <= from.0 as u64 || heard.log_time >= to.0 as u64),
            "nothing came from it"
        );
        let after = read.keyframes.iter().find(|keyframe| keyframe.time >= to);
        assert!(after.is_some(), "what holds after the gap is told anew");
    }
}

#[test]
fn a_disk_that_does_not_answer_from_the_start_is_told_and_not_waited_for() {
    let Some(mut disk) = HangingDisk::mount(64) else { return };
    disk.freeze();
    let command = record(Path::new("scenes/bottling/scene.ron"), &disk.place().join("line.mcap"), &["--plant"]);
    let program = Program::start(command, tempfile::tempdir().unwrap());
    let said = program.says("line.mcap cannot be begun");
    assert!(said.contains("its disk has not answered for 10 s: choose another place with --record FILE"), "{said}");
    // Its thread waits for the disk, and so does the end of the process.
    assert!(disk.thaw(), "it was frozen for too long");
    assert_eq!(program.end().code, Some(3));
}
