//! `pollux film`: the right moments, as pictures and as a video. Skipped, and said so, without a graphics adapter; the video
//! also without ffmpeg.

use std::path::Path;
use std::process::{Command, Output};

use crate::live::program::{STATE_HOME, pollux};

const INCIDENT: &str = "scenes/bottling/incident.mcap";

fn film(output: &Path, args: &[&str], arrange: impl FnOnce(&mut Command)) -> Option<Output> {
    let home = tempfile::tempdir().unwrap();
    let mut command = pollux();
    command.args(["film", INCIDENT, "-o"]).arg(output).args(args).env(STATE_HOME, home.path());
    if !args.contains(&"--size") {
        command.args(["--size", "320x180"]);
    }
    arrange(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("no graphics adapter") {
        eprintln!("skipped: {said}");
        return None;
    }
    Some(output)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn frames_are_as_many_as_the_stretch_has_and_differ_where_the_moment_does() {
    let folder = tempfile::tempdir().unwrap();
    let frames = folder.path().join("frames");
    let args = ["--from", "60s", "--until", "70s", "--speed", "10", "--fps", "2"];
    let Some(output) = film(&frames, &args, |_| {}) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let mut names: Vec<_> = std::fs::read_dir(&frames).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), 3, "60 s, 65 s and 70 s: {names:?}");
    let pictures: Vec<_> = names.iter().map(|name| std::fs::read(name).unwrap()).collect();
    for picture in &pictures {
        // Width and height as a PNG has them (PNG 1.2, section 4.1.1).
        assert_eq!((&picture[16..20], &picture[20..24]), (&320_u32.to_be_bytes()[..], &180_u32.to_be_bytes()[..]));
    }
    assert!(pictures.windows(2).all(|pair| pair[0] != pair[1]), "each shows another moment");
    // A frame depends on its moment alone.
    let one = folder.path().join("one");
    let args = ["--from", "65s", "--until", "65s", "--speed", "10", "--fps", "2"];
    let Some(output) = film(&one, &args, |_| {}) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(std::fs::read_dir(&one).unwrap().count(), 1);
}

#[test]
fn another_recording_is_filmed_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let frame = |name: &str, more: &[&str]| {
        let frames = folder.path().join(name);
        let args = [&["--from", "60s", "--until", "60s", "--panel", "compare", "--size", "960x540"], more].concat();
        let output = film(&frames, &args, |_| {})?;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        Some(std::fs::read(frames.join("frame-000001.png")).unwrap())
    };
    let Some(alone) = frame("alone", &[]) else { return };
    let Some(same) = frame("same", &["--beside", INCIDENT, "--align", "start"]) else { return };
    let Some(worn) = frame("worn", &["--beside", INCIDENT, "--align", "start", "--shift", "3m"]) else { return };
    assert!(alone != same, "it is seen that another lies beside");
    assert!(same != worn, "and which moment of it");
    let wrong = ["--until", "0s", "--beside", INCIDENT, "--align", "event:no such event"];
    let Some(output) = film(&folder.path().join("wrong"), &wrong, |_| {}) else { return };
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("no such event"), "{}", said(&output));
}

#[test]
fn what_cannot_be_filmed_is_said_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let video = folder.path().join("a.mp4");
    let without_ffmpeg = |command: &mut Command| {
        command.env("PATH", folder.path());
    };
    let cases: [(&Path, &[&str], Option<i32>, &str); 4] = [
        (&file.join("frames"), &["--until", "1s"], Some(3), "the folder cannot be made"),
        (&folder.path().join("gone/a.mp4"), &["--until", "1s"], Some(3), "there is no such folder"),
        (&folder.path().join("f"), &["--from", "9h"], Some(2), "is not within the recording"),
        (&folder.path().join("f"), &["--from", "60s", "--until", "30s"], Some(2), "must lie between"),
    ];
    for (output, args, code, part) in cases {
        let Some(output) = film(output, args, |_| {}) else { return };
        assert_eq!(output.status.code(), code, "{}", said(&output));
        assert!(said(&output).contains(part), "{}", said(&output));
    }
    let Some(output) = film(&video, &["--until", "1s"], without_ffmpeg) else { return };
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("install ffmpeg, or name a folder"), "{}", said(&output));
    // One that dies in the middle of its work.
    let stub = folder.path().join("bin");
    std::fs::create_dir(&stub).unwrap();
    std::fs::write(stub.join("ffmpeg"), "#!/bin/sh\nhead -c 1000 > /dev/null\nkill -9 $$\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(stub.join("ffmpeg"), executable).unwrap();
    let path = format!("{}:{}", stub.display(), std::env::var("PATH").unwrap_or_default());
    std::fs::write(&video, "old").unwrap();
    let Some(output) = film(&video, &["--until", "40s"], |command| {
        command.env("PATH", path);
    }) else {
        return;
    };
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("ffmpeg gave up after") && said(&output).contains("signal: 9"), "{}", said(&output));
    assert_eq!(std::fs::read(&video).unwrap(), b"old", "the film that was there stays");
}

#[test]
fn a_video_has_the_frames_and_the_rate_that_were_asked_for() {
    if Command::new("ffprobe").arg("-version").output().is_err() {
        eprintln!("skipped: ffmpeg is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("a.mp4");
    let args = ["--from", "60s", "--until", "70s", "--speed", "10", "--fps", "5"];
    let Some(output) = film(&video, &args, |_| {}) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let probe = ["-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries"];
    let entries = "stream=width,height,r_frame_rate,nb_read_frames";
    let told = Command::new("ffprobe").args(probe).args([entries, "-of", "csv=p=0"]).arg(&video).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "320,180,5/1,6");
}
